"""How much the memory grows: a least-squares line through the samples after the warm-up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class MemoryTrend:
    """A line through memory over time.

    Attributes:
        first: its value at the first sample, MiB.
        last: its value at the last sample, MiB.
    """

    first: float
    last: float

    @property
    def change(self) -> float:
        """Growth as a share of the first value; negative if memory shrinks."""
        return self.last / self.first - 1

    def rounded(self) -> dict[str, float]:
        """The line and its change, as in the result file."""
        return {
            "first": round(float(self.first), 1),
            "last": round(float(self.last), 1),
            "change": round(float(self.change), 4),
        }


def trend(seconds: Sequence[float], mebibytes: Sequence[float]) -> MemoryTrend:
    """The line.

    Args:
        seconds: of the samples, at least two different ones.
        mebibytes: at each.
    """
    slope, at_zero = np.polyfit(seconds, mebibytes, 1)
    return MemoryTrend(at_zero + slope * seconds[0], at_zero + slope * seconds[-1])
