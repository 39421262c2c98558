"""What the pipeline does about a step that fails in an unexpected way.

What failed is tried again, because it may pass. If it does not, the fault is isolated, so that one
comment or one KOL never stops all others: a KOL that cannot be judged is held, and a comment that
cannot even be scored or stored is set aside, and so is a change of a policy. All stay in the log.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum, auto

from model.errors import GroundswellError

_TRIES = 3  # of what fails
_SMALLER = 8  # by which the next part of the log is smaller


class KolFailure(Exception):
    """The judgement of one KOL failed in an unexpected way; the engine must be restored.

    Attributes:
        kol_id: whose.
        in_rerun: whether it was being judged again.
    """

    def __init__(self, kol_id: str, cause: Exception, *, in_rerun: bool = False) -> None:
        super().__init__(f"KOL {kol_id!r} cannot be judged: {cause!r}")
        self.kol_id = kol_id
        self.in_rerun = in_rerun


class TakenUp(Enum):
    """What a step of the pipeline works on."""

    COMMENTS = auto()
    CHANGES = auto()
    POLICY = auto()
    NOTHING = auto()


@contextmanager
def judging(kol_id: str, *, in_rerun: bool = False) -> Iterator[None]:
    """Have unexpected exceptions of the block be failures of one KOL.

    Raises:
        KolFailure: in their place.
    """
    try:
        yield
    except (GroundswellError, KolFailure):
        raise
    except Exception as error:
        raise KolFailure(kol_id, error, in_rerun=in_rerun) from error


class StepFaults:
    """Counts failures, and decides what is held and what is set aside.

    Attributes:
        limit: most comments of the next step.
        held: KOLs that the engine does not see; their minutes count as changed, so that they are
            judged again until that succeeds.
        set_aside: comments and changes that were passed over until a rebuild.
    """

    def __init__(self, batch_size: int) -> None:
        self.limit = self._batch_size = batch_size
        self.held: set[str] = set()
        self.set_aside = 0
        self._failures: Counter[str] = Counter()  # by KOL
        self._held_before: set[str] = set()
        self._stuck = 0  # failures of a step of one comment
        self._tries = _TRIES

    def restore(self, held: Iterable[str], set_aside: int) -> None:
        """Go back to what the last committed step left."""
        self.held = set(held)
        self._held_before |= self.held
        self.set_aside = set_aside

    def failed(self, error: Exception) -> bool:
        """Note a failure.

        Returns:
            Whether what the step began with is to be set aside.
        """
        if isinstance(error, KolFailure):
            self._failures[error.kol_id] += 1
            tries = 1 if error.kol_id in self._held_before else _TRIES
            if self._failures[error.kol_id] >= tries and not error.in_rerun:
                self.held.add(error.kol_id)
                self._held_before.add(error.kol_id)
            return False
        if self.limit > 1:
            self.limit = max(1, self.limit // _SMALLER)
            return False
        self._stuck += 1
        return self._stuck >= self._tries

    def passed_over(self) -> None:
        """Something was set aside; what follows it may be as bad and is tried less often."""
        self.set_aside += 1
        self._stuck, self._tries = 0, 1

    def succeeded(self) -> None:
        """A step succeeded."""
        self._failures.clear()
        self._stuck, self._tries = 0, _TRIES
        self.limit = min(2 * self.limit, self._batch_size)

    def judged_again(self, kol_id: str) -> None:
        """A KOL was judged again, so the engine sees it from now on."""
        self.held.discard(kol_id)
