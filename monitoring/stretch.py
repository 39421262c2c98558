"""The minutes that a decision rests on."""

from dataclasses import dataclass

from monitoring.baseline import Baseline
from monitoring.exponential_window import FADE_MINUTES, ExponentialWindow


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some minutes of one KOL's stream, summed.

    Attributes:
        start: first minute, since 1970 UTC.
        end: the minute after the last.
        n: comments.
        k: sum of the probabilities that matter.
        expected: comments expected.
    """

    start: int
    end: int
    n: int
    k: float
    expected: float

    @property
    def share(self) -> float:
        """Share of the comments that matter, in [0, 1]."""
        return self.k / self.n if self.n else 0.0

    @property
    def volume_ratio(self) -> float:
        """Comments over expected comments, with half a comment added to both."""
        return (self.n + 0.5) / (self.expected + 0.5)


def recent_stretch(recent: ExponentialWindow, baseline: Baseline, now: int) -> Stretch:
    """The last half hour up to minute `now`, from faded sums; `k` counts negatives."""
    fade, start = recent.fade(now), now - int(FADE_MINUTES)
    expected = baseline.expected_between(start, now)
    return Stretch(start, now, round(recent.n * fade), recent.negative * fade, expected)
