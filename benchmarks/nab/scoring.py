"""NAB's scoring rule (Lavin and Ahmad 2015), standard profile, for every threshold at once.

A window pays for its earliest flagged row, the more the earlier: 1 for its first row, nearly 0 for
its last; a window without one costs 1. A flagged row outside every window costs a part of 0.11 that
grows with its distance past the last window. The first 15% of a series (at most 750 rows) are not
scored. The sum is scaled so that flagging nothing is 0 and finding every window at its first row,
with nothing else, is 100.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.nab.series import Windows

Scores = NDArray[np.float64]

FALSE_POSITIVE = 0.11
MISSED = 1.0
_PROBATION = 0.15
_LONGEST_PROBATION = 750
_FAR = 3.0  # window lengths past a window at which a false positive costs all


def sigmoid(position: float) -> float:
    """Value of a flag at a position in windows' lengths: -1 a window's start, 0 its end, then past.

    Returns:
        From 1 (nearly, at -1) over 0 to -1.
    """
    return -1.0 if position > _FAR else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def probation(rows: int) -> int:
    """Rows at the start of a series that are not scored."""
    return min(int(_PROBATION * rows), _LONGEST_PROBATION)


def worth(rows: int, windows: Windows) -> tuple[Scores, NDArray[np.int64]]:
    """What flagging each row is worth.

    Args:
        rows: of the series.
        windows: first and last row of each, in order, not overlapping.

    Returns:
        The value per row, shape (rows,), and the index of the row's window, -1 outside.
    """
    value = np.full(rows, -FALSE_POSITIVE)
    window = np.full(rows, -1, dtype=np.int64)
    for index, (first, last) in enumerate(windows):
        length = last - first + 1
        for row in range(first, last + 1):
            value[row] = sigmoid((row - last - 1) / length) / sigmoid(-1.0)
            window[row] = index
        stop = windows[index + 1][0] if index + 1 < len(windows) else rows
        for row in range(last + 1, stop):
            value[row] = FALSE_POSITIVE * sigmoid((row - last) / (length - 1))
    return value, window


@dataclass(frozen=True, slots=True)
class Sweep:
    """One detector on one series at every threshold that changes something.

    Attributes:
        thresholds: falling; a row is flagged if its score is at least the threshold.
        totals: the sum at each threshold, before it is scaled.
        hits: windows found at each threshold.
        false: flagged rows outside windows at each threshold.
        windows: in the series.
    """

    thresholds: Scores
    totals: Scores
    hits: NDArray[np.int64]
    false: NDArray[np.int64]
    windows: int

    def at(self, threshold: float) -> tuple[float, int, int]:
        """Sum, windows found and false rows at any threshold."""
        index = int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1
        if index < 0:
            return -MISSED * self.windows, 0, 0
        return float(self.totals[index]), int(self.hits[index]), int(self.false[index])


def sweep(scores: Scores, windows: Windows) -> Sweep:
    """Score one series at every threshold above zero.

    Args:
        scores: one a row, higher is stranger; 0 is never flagged.
        windows: first and last row of each, in order.
    """
    value, window = worth(len(scores), windows)
    order = np.argsort(-scores, kind="stable")
    order = order[(order >= probation(len(scores))) & (scores[order] > 0)]
    outside = window[order] < 0
    change = np.where(outside, value[order], 0.0)
    hit = np.zeros(len(order), dtype=np.int64)
    for index in range(len(windows)):
        inside = np.flatnonzero(window[order] == index)
        if len(inside):
            best = np.maximum.accumulate(value[order][inside])
            change[inside] = np.diff(best, prepend=-MISSED)
            hit[inside[0]] = 1
    ranked = scores[order]
    last = np.flatnonzero(np.diff(ranked, append=-np.inf))  # equal scores are flagged together
    return Sweep(
        ranked[last],
        np.cumsum(change)[last] - MISSED * len(windows),
        np.cumsum(hit)[last],
        np.cumsum(outside.astype(np.int64))[last],
        len(windows),
    )


def scaled(total: float, windows: int) -> float:
    """A sum on NAB's scale: flagging nothing is 0, perfect is 100."""
    return 100.0 * (total + MISSED * windows) / ((1.0 + MISSED) * windows)


def combined(sweeps: Sequence[Sweep], threshold: float) -> float:
    """Scaled score of several series at one threshold."""
    total = sum(part.at(threshold)[0] for part in sweeps)
    return scaled(total, sum(part.windows for part in sweeps))
