"""NAB's scoring rule (Lavin and Ahmad 2015), standard profile, for all thresholds at once.

A window scores by its earliest flagged row: 1 for its first row, almost 0 for its last; a window
without a flagged row costs 1. A flagged row outside all windows costs up to 0.11, more with its
distance from the previous window. The first 15% of a series (at most 750 rows) are not scored. The
sum is scaled: flagging nothing is 0, flagging the first row of each window and no other is 100.
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
_FAR = 3.0  # window lengths after a window from which a false positive costs its maximum


def sigmoid(position: float) -> float:
    """Value of a flag by its position in window lengths: -1 is the start of a window, 0 its end.

    Returns:
        From almost 1 (at -1) over 0 to -1.
    """
    return -1.0 if position > _FAR else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def probation(rows: int) -> int:
    """Rows at the start of a series that are not scored."""
    return min(int(_PROBATION * rows), _LONGEST_PROBATION)


def worth(rows: int, windows: Windows) -> tuple[Scores, NDArray[np.int64]]:
    """The value of flagging each row.

    Args:
        rows: number of rows of the series.
        windows: first and last row of each window, in order, not overlapping.

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
    """One detector on one series at all thresholds that make a difference.

    Attributes:
        thresholds: descending; a row is flagged if its score is at least the threshold.
        totals: the unscaled sum at each threshold.
        hits: windows found at each threshold.
        false: flagged rows outside windows at each threshold.
        windows: number of windows in the series.
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
    """Score one series at all thresholds above zero.

    Args:
        scores: one per row; higher is more anomalous, 0 is never flagged.
        windows: first and last row of each window, in order.
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
    """A sum on NAB's scale: flagging nothing is 0, a perfect result is 100."""
    return 100.0 * (total + MISSED * windows) / ((1.0 + MISSED) * windows)


def combined(sweeps: Sequence[Sweep], threshold: float) -> float:
    """Scaled score of several series at one threshold."""
    total = sum(part.at(threshold)[0] for part in sweeps)
    return scaled(total, sum(part.windows for part in sweeps))
