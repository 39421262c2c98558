"""Who writes: the share of the busiest author and of near-duplicates over the last half hour."""

from typing import Any

from monitoring.recent import FADE_MINUTES
from monitoring.windows import WindowStats

_FADE = 1 - 1 / FADE_MINUTES


class Authorship:
    """Faded means of what the windows say of authors, weighted by their negatives.

    Minutes that do not know their authors leave it as it is.
    """

    __slots__ = ("_duplicates", "_minute", "_top", "_weight")

    def __init__(self) -> None:
        self._minute = 0
        self._weight = 0.0
        self._top = 0.0
        self._duplicates = 0.0

    def learn_one(self, minute: int, stats: WindowStats) -> None:
        """Take one minute."""
        fade = _FADE ** (minute - self._minute)
        self._minute = minute
        weight = stats.negative
        self._weight = self._weight * fade + weight
        # One comment has one author: only what exceeds that tells of a busy one.
        single = 1 / stats.comments if stats.comments else 1.0
        top = max((stats.top_author_share or 0.0) - single, 0.0)
        self._top = self._top * fade + weight * top
        self._duplicates = self._duplicates * fade + weight * (stats.duplicate_share or 0.0)

    @property
    def top_author_share(self) -> float:
        """Share of the busiest author beyond one comment a minute, in [0, 1]."""
        return self._top / self._weight if self._weight > 0 else 0.0

    @property
    def duplicate_share(self) -> float:
        """Share of near-duplicates among the comments, in [0, 1]."""
        return self._duplicates / self._weight if self._weight > 0 else 0.0

    def state(self) -> list[Any]:
        """Everything it knows, as JSON-able values."""
        return [self._minute, self._weight, self._top, self._duplicates]

    def load(self, state: list[Any]) -> None:
        """Become what `state` returned."""
        self._minute, self._weight, self._top, self._duplicates = state
