"""What is usual: the share of a KOL's comments that nearly repeat another."""

from typing import Any

RHO = 1 / 40  # correlation of the copies within an hour: a text that is repeated is repeated often
_PRIOR_SHARE = 0.03
_PRIOR_WEIGHT = 4.0  # effective comments
_KEEP = 0.5 ** (1 / (14 * 24))  # of what was learnt, after an hour: it halves in 14 days
_KNOWN_HOURS = 24  # with comments …
_KNOWN_WEIGHT = 10.0  # … and effective comments, from which it is judged by
_LEAST, _MOST = 0.005, 0.9


class CopiesBaseline:
    """Mean share of near-copies, exponentially forgotten.

    An hour of n comments weighs n / (1 + (n - 1) rho), the effective number of comments that
    resemble each other, so that one loud hour, a flood that was not heard among them, teaches
    little.
    """

    __slots__ = ("_copies", "_hour", "_hours", "_weight")

    def __init__(self) -> None:
        self._hour = 0  # the last one learnt, since 1970 UTC
        self._hours = 0
        self._weight = 0.0
        self._copies = 0.0

    def learn_hour(self, hour: int, n: int, copies: float) -> None:
        """Take one closed hour.

        Args:
            hour: since 1970 UTC; after every one before.
            n: comments in it of which it is known whether they are copies, at least one.
            copies: those that are.
        """
        keep = _KEEP ** (hour - self._hour)
        weight = n / (1 + (n - 1) * RHO)
        self._hour = hour
        self._hours += 1
        self._weight = self._weight * keep + weight
        self._copies = self._copies * keep + weight * copies / n

    def rebase(self, share: float) -> None:
        """Take `share` as the usual one: a flood lasted so long that it is normal now."""
        self._copies = share * self._weight

    @property
    def known(self) -> bool:
        """Whether enough has been learnt for anything to be judged by it."""
        return self._hours >= _KNOWN_HOURS and self._weight >= _KNOWN_WEIGHT

    @property
    def share(self) -> float:
        """The usual share, in (0, 1)."""
        mean = (self._copies + _PRIOR_SHARE * _PRIOR_WEIGHT) / (self._weight + _PRIOR_WEIGHT)
        return min(max(mean, _LEAST), _MOST)

    @property
    def doubt(self) -> float:
        """Correlation of a stretch's copies, with the doubt about the usual share added."""
        return RHO + 1 / (self._weight + _PRIOR_WEIGHT)

    def state(self) -> list[Any]:
        """Everything it knows, as JSON-able values."""
        return [self._hour, self._hours, self._weight, self._copies]

    def load(self, state: list[Any]) -> None:
        """Become what `state` returned."""
        self._hour, self._hours, self._weight, self._copies = state
