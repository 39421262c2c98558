"""Which step writes the snapshot of which KOL, and what is replayed of the log until then."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic

import structlog

from serving.pipeline.faults import judging
from serving.pipeline.live_engine import LiveEngine
from serving.slices import Slices
from serving.storage.pipeline_step import EngineState, LogPlace, SavedSnapshot, StoredState

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SnapshotLimits:
    """How much of the log may be replayed after a kill, of each KOL.

    Attributes:
        comments: most comments and idle marks.
        age: how long ago the first of them was processed at most.
    """

    comments: int = 50
    age: timedelta = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class LogTail:
    """What of a KOL's stream is not in its stored snapshot.

    Attributes:
        after: the place in the log after which it begins.
        entries: how many comments and idle marks it holds.
        due: when the next snapshot is due, on the monotonic clock.
    """

    after: LogPlace
    entries: int
    due: float


class Snapshots:
    """The snapshots of every KOL: what is stored, and what is due.

    A step that does more with a KOL than take its comments and idle marks writes its snapshot.
    Other steps leave that to later ones, until there is enough to be replayed.
    """

    def __init__(self, limits: SnapshotLimits) -> None:
        self._limits = limits
        self._stored: set[str] = set()
        self._tails: dict[str, LogTail] = {}  # those that are due first come first

    def clear(self) -> None:
        """Nothing is known of what is stored."""
        self._stored.clear()
        self._tails.clear()

    def found(self, state: StoredState) -> None:
        """Take up a stored state; what was replayed on it is due at once."""
        self._stored.add(state.kol_id)
        if state.replay_after != state.replay_up_to:
            self._tails[state.kol_id] = LogTail(state.replay_after, self._limits.comments, 0.0)

    def has(self, kol_id: str) -> bool:
        """Whether there is a snapshot of a KOL."""
        return kol_id in self._stored

    def drop(self, kol_id: str) -> None:
        """The state of a KOL was deleted."""
        self._stored.discard(kol_id)
        self._tails.pop(kol_id, None)

    def up_to(self, reached: LogPlace) -> int:
        """Comments up to this place are in the snapshots of their KOLs.

        Args:
            reached: how far the log has been processed.
        """
        return min((tail.after.seq for tail in self._tails.values()), default=reached.seq)

    def unsaved(self) -> list[str]:
        """The KOLs whose snapshot does not hold all that is known of them."""
        return list(self._tails)

    def overdue(self, limit: int, without: Collection[str] = ()) -> list[str]:
        """At most `limit` KOLs whose snapshots are due, the longest overdue first."""
        now, found = monotonic(), list[str]()
        for kol_id, tail in self._tails.items():
            if tail.due > now or len(found) == limit:
                break
            if kol_id not in without:
                found.append(kol_id)
        return found

    async def states(
        self, live: LiveEngine, touched: Mapping[str, int], before: LogPlace
    ) -> list[EngineState]:
        """What a step writes of the KOLs that it touched.

        Args:
            live: every KOL as the step leaves it.
            touched: how many comments and idle marks it took of each; 0 for one whose snapshot it
                writes in any case.
            before: how far the log had been processed before it.

        Raises:
            KolFailure: the state of one cannot be packed.
        """
        states, slices = list[EngineState](), Slices()
        for kol_id, entries in sorted(touched.items()):
            await slices.pause()
            with judging(kol_id):
                state = live.state(kol_id)
                if self._is_due(kol_id, entries):
                    state = replace(state, snapshot=live.engine.snapshot(kol_id))
                    self._tails.pop(kol_id, None)
                    self._stored.add(kol_id)
                else:
                    state = replace(state, replay_after=self._add(kol_id, entries, before))
            states.append(state)
        return states

    def _is_due(self, kol_id: str, entries: int) -> bool:
        tail = self._tails.get(kol_id)
        if kol_id not in self._stored or not entries:
            return True
        if tail is None:
            return entries >= self._limits.comments
        return tail.entries + entries >= self._limits.comments or tail.due <= monotonic()

    def _add(self, kol_id: str, entries: int, before: LogPlace) -> LogPlace:
        tail = self._tails.get(kol_id)
        if tail is None:
            tail = LogTail(before, 0, monotonic() + self._limits.age.total_seconds())
        self._tails[kol_id] = replace(tail, entries=tail.entries + entries)
        return tail.after

    async def saved(self, live: LiveEngine, kol_ids: Iterable[str]) -> list[SavedSnapshot]:
        """Snapshots of KOLs as the last step left them; one that cannot be packed is due later."""
        saved, slices = list[SavedSnapshot](), Slices()
        for kol_id in kol_ids:
            await slices.pause()
            tail = self._tails.pop(kol_id, None)
            try:
                saved.append(SavedSnapshot(kol_id, live.engine.snapshot(kol_id)))
            except Exception as error:
                _logger.exception("snapshot_failed", kol=kol_id, error=str(error))
                if tail is not None:
                    due = monotonic() + self._limits.age.total_seconds()
                    self._tails[kol_id] = replace(tail, due=due)
        return saved
