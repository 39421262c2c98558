"""Who writes: the share of the busiest author and of near-duplicates over the last half hour."""

from typing import Any

from monitoring.exponential_window import FADE_MINUTES
from monitoring.windows import WindowStats

_FEW = 4  # comments in a minute
_LEAST_NEGATIVE = 4.0  # faded negative comments
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
        # In a minute of few comments the busiest author's share says nothing.
        top = (stats.top_author_share or 0.0) if stats.comments >= _FEW else 0.0
        self._top = self._top * fade + weight * top
        self._duplicates = self._duplicates * fade + weight * (stats.duplicate_share or 0.0)

    @property
    def top_author_share(self) -> float:
        """Share of a minute's busiest author, in [0, 1]; 0 while there is little to go by."""
        return self._top / self._weight if self._weight >= _LEAST_NEGATIVE else 0.0

    @property
    def duplicate_share(self) -> float:
        """Share of near-duplicates, in [0, 1]; 0 while there is little to go by."""
        return self._duplicates / self._weight if self._weight >= _LEAST_NEGATIVE else 0.0

    def state(self) -> list[Any]:
        """Everything it knows, as JSON-able values."""
        return [self._minute, self._weight, self._top, self._duplicates]

    def load(self, state: list[Any]) -> None:
        """Become what `state` returned."""
        self._minute, self._weight, self._top, self._duplicates = state
