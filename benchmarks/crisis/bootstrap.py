"""Bootstrap by KOL: what else the figures might have been, had other KOLs been drawn."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.crisis import protocol
from benchmarks.crisis.scoring import Caught, Outcome

ROUNDS = 1000
_SEED = 5
Interval = tuple[float, float]


def draws(kols: int) -> NDArray[np.int64]:
    """How often each KOL is drawn in each round, shape (ROUNDS, kols)."""
    rng = np.random.default_rng(_SEED)
    picked = rng.integers(0, kols, (ROUNDS, kols))
    counts = np.zeros((ROUNDS, kols), dtype=np.int64)
    np.add.at(counts, (np.arange(ROUNDS)[:, None], picked), 1)
    return counts


def delay_of(crisis: Caught) -> float:
    """Delay in minutes; a miss counts as a day."""
    return protocol.MISSED_MINUTES if crisis.delay is None else crisis.delay


def crisis_intervals(
    outcomes: Sequence[Outcome], chosen: Sequence[Sequence[Caught]]
) -> dict[str, Interval]:
    """95% intervals of the recall and of the median delay of some crises.

    Args:
        outcomes: one a KOL.
        chosen: the crises of each KOL that count, in the same order.

    Returns:
        "recall" and "delay_median" in minutes. Rounds that draw no such crisis are left out.
    """
    kol = np.array([index for index, crises in enumerate(chosen) for _ in crises], dtype=np.int64)
    delay = np.array([delay_of(crisis) for crises in chosen for crisis in crises])
    hit = np.array([crisis.delay is not None for crises in chosen for crisis in crises])
    order = np.argsort(delay, kind="stable")
    weight = draws(len(outcomes))[:, kol[order]]
    total = weight.sum(axis=1)
    weight, total = weight[total > 0], total[total > 0]
    recall = (weight * hit[order]).sum(axis=1) / total
    # The middle two of the crises drawn, each counted as often as its KOL was.
    below = 2 * np.cumsum(weight, axis=1)
    low, high = (below >= total[:, None]).argmax(axis=1), (below > total[:, None]).argmax(axis=1)
    median = (delay[order][low] + delay[order][high]) / 2
    return {"recall": _percentiles(recall), "delay_median": _percentiles(median)}


def false_interval(outcomes: Sequence[Outcome]) -> Interval:
    """95% interval of the false pages per KOL-week."""
    false = np.array([len(outcome.false) for outcome in outcomes])
    rates = draws(len(outcomes)) @ false / (len(outcomes) * protocol.WEEKS)
    return _percentiles(rates)


def paired_intervals(one: Sequence[Outcome], other: Sequence[Outcome]) -> dict[str, Interval]:
    """95% intervals of the recall and the median delay of `one` less those of `other`.

    Args:
        one: one outcome a KOL.
        other: of the same KOLs, in the same order.
    """
    counts = draws(len(one))
    both = []
    for outcomes in (one, other):
        kol = np.array([i for i, outcome in enumerate(outcomes) for _ in outcome.caught])
        crises = [crisis for outcome in outcomes for crisis in outcome.caught]
        delay = np.array([delay_of(crisis) for crisis in crises])
        hit = np.array([crisis.delay is not None for crisis in crises])
        weight = counts[:, kol]
        recall = (weight * hit).sum(axis=1) / weight.sum(axis=1)
        median = [float(np.median(np.repeat(delay, row))) for row in weight]
        both.append((recall, np.array(median)))
    (recall, median), (other_recall, other_median) = both
    return {
        "recall": _percentiles(recall - other_recall),
        "delay_median": _percentiles(median - other_median),
    }


def _percentiles(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
