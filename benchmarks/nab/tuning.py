"""Tunes thresholds: on all series, and for each series on the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.nab.scoring import Sweep, scaled


@dataclass(frozen=True, slots=True)
class Tuned:
    """One detector on several series.

    Attributes:
        threshold: the best on all series.
        score: scaled, at that threshold.
        left_out: scaled, each series at the threshold that is best on the others.
        thresholds: these thresholds, one per series.
        hits: windows found per series at `threshold`.
        false: flagged rows outside windows per series at `threshold`.
    """

    threshold: float
    score: float
    left_out: float
    thresholds: tuple[float, ...]
    hits: tuple[int, ...]
    false: tuple[int, ...]


def best(sweeps: Sequence[Sweep]) -> float:
    """The threshold with the highest sum over series; the highest of several.

    Infinity, which flags nothing, if no threshold is better.
    """
    thresholds = np.unique(np.concatenate([part.thresholds for part in sweeps]))[::-1]
    totals = np.zeros(len(thresholds) + 1)
    for part in sweeps:
        steps = np.concatenate([[-float(part.windows)], part.totals])
        totals[0] += steps[0]
        totals[1:] += steps[np.searchsorted(-part.thresholds, -thresholds, side="right")]
    return float(np.concatenate([[np.inf], thresholds])[totals.argmax()])


def tune(sweeps: Sequence[Sweep]) -> Tuned:
    """Tune on all series, and for each series on the others."""
    threshold = best(sweeps)
    others = tuple(best([part for part in sweeps if part is not left_out]) for left_out in sweeps)
    windows = sum(part.windows for part in sweeps)
    at = [part.at(threshold) for part in sweeps]
    apart = [part.at(other)[0] for part, other in zip(sweeps, others, strict=True)]
    return Tuned(
        threshold,
        scaled(sum(total for total, _, _ in at), windows),
        scaled(sum(apart), windows),
        others,
        tuple(hits for _, hits, _ in at),
        tuple(false for _, _, false in at),
    )
