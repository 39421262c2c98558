"""Who writes: the share of the busiest author and of near-duplicates over the last half hour."""

import msgspec

from monitoring.exponential_window import FADE
from monitoring.windows import WindowStats

_FEW = 4  # comments in a minute
_LEAST_NEGATIVE = 4.0  # faded negative comments


class Authorship(msgspec.Struct, array_like=True):
    """Faded means of what the windows say of authors, weighted by their negatives.

    Minutes that do not know their authors leave it as it is.

    Attributes:
        minute: the last minute taken, since 1970 UTC.
        weight: faded sum of P(negative).
        top: the same times the share of the minute's busiest author.
        duplicates: the same times the minute's share of near-duplicates.
    """

    minute: int = 0
    weight: float = 0.0
    top: float = 0.0
    duplicates: float = 0.0

    def learn_one(self, minute: int, stats: WindowStats) -> None:
        """Take one minute."""
        fade = FADE ** (minute - self.minute)
        self.minute = minute
        weight = stats.negative
        self.weight = self.weight * fade + weight
        # In a minute of few comments the busiest author's share says nothing.
        top = (stats.top_author_share or 0.0) if stats.comments >= _FEW else 0.0
        self.top = self.top * fade + weight * top
        self.duplicates = self.duplicates * fade + weight * (stats.duplicate_share or 0.0)

    @property
    def top_author_share(self) -> float:
        """Share of a minute's busiest author, in [0, 1]; 0 while there is little to go by."""
        return self.top / self.weight if self.weight >= _LEAST_NEGATIVE else 0.0

    @property
    def duplicate_share(self) -> float:
        """Share of near-duplicates, in [0, 1]; 0 while there is little to go by."""
        return self.duplicates / self.weight if self.weight >= _LEAST_NEGATIVE else 0.0
