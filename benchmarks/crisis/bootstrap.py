"""Bootstrap intervals, resampled by KOL."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.crisis import protocol
from benchmarks.crisis.scoring import Caught, KolOutcome

ROUNDS = 1000
_SEED = 5
Interval = tuple[float, float]


def draws(kols: int) -> NDArray[np.int64]:
    """How often each round draws each KOL, shape (ROUNDS, kols)."""
    rng = np.random.default_rng(_SEED)
    picked = rng.integers(0, kols, (ROUNDS, kols))
    counts = np.zeros((ROUNDS, kols), dtype=np.int64)
    np.add.at(counts, (np.arange(ROUNDS)[:, None], picked), 1)
    return counts


def delay_of(crisis: Caught) -> float:
    """Delay in minutes; a miss counts as a day."""
    return protocol.MISSED_MINUTES if crisis.delay is None else crisis.delay


def crisis_intervals(
    outcomes: Sequence[KolOutcome], chosen: Sequence[Sequence[Caught]]
) -> dict[str, Interval]:
    """95% intervals of recall and median delay of a group of crises.

    Args:
        outcomes: one per KOL.
        chosen: the crises of each KOL that belong to the group, in the same order.

    Returns:
        "recall" and "delay_median" (minutes). Resamples without such a crisis are left out.
    """
    kol = np.array([index for index, crises in enumerate(chosen) for _ in crises], dtype=np.int64)
    delay = np.array([delay_of(crisis) for crises in chosen for crisis in crises])
    hit = np.array([crisis.delay is not None for crises in chosen for crisis in crises])
    weight = draws(len(outcomes))[:, kol]
    weight = weight[weight.sum(axis=1) > 0]
    recall = (weight * hit).sum(axis=1) / weight.sum(axis=1)
    return {
        "recall": _percentiles(recall),
        "delay_median": _percentiles(_medians(delay, weight)),
    }


def _medians(values: NDArray[np.float64], weight: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weighted median of the values in each round."""
    order = np.argsort(values, kind="stable")
    below = 2 * np.cumsum(weight[:, order], axis=1)
    total = below[:, -1:] // 2
    low, high = (below >= total).argmax(axis=1), (below > total).argmax(axis=1)
    middle: NDArray[np.float64] = (values[order][low] + values[order][high]) / 2
    return middle


def false_interval(outcomes: Sequence[KolOutcome]) -> Interval:
    """95% interval of false pages per KOL-week."""
    false = np.array([len(outcome.false) for outcome in outcomes])
    rates = draws(len(outcomes)) @ false / (len(outcomes) * protocol.WEEKS)
    return _percentiles(rates)


def later(one: Sequence[KolOutcome], other: Sequence[KolOutcome]) -> list[list[float]]:
    """How much later, in minutes, `one` caught the crises that both caught; one list per KOL."""
    return [
        [
            mine.delay - theirs.delay
            for mine, theirs in zip(left.caught, right.caught, strict=True)
            if mine.delay is not None and theirs.delay is not None
        ]
        for left, right in zip(one, other, strict=True)
    ]


def paired_intervals(one: Sequence[KolOutcome], other: Sequence[KolOutcome]) -> dict[str, Interval]:
    """95% intervals of the difference between `one` and `other` on the same crises.

    Args:
        one: one outcome per KOL.
        other: of the same KOLs, in the same order.

    Returns:
        "recall", `one` minus `other`; "later", the median of `later` in minutes.
    """
    counts = draws(len(one))
    recalls = []
    for outcomes in (one, other):
        kol = [index for index, outcome in enumerate(outcomes) for _ in outcome.caught]
        hit = np.array([c.delay is not None for outcome in outcomes for c in outcome.caught])
        weight = counts[:, kol]
        recalls.append((weight * hit).sum(axis=1) / weight.sum(axis=1))
    gaps = later(one, other)
    kol = [index for index, some in enumerate(gaps) for _ in some]
    weight = counts[:, kol]
    values = np.array([gap for some in gaps for gap in some])
    medians = _medians(values, weight[weight.sum(axis=1) > 0])
    return {"recall": _percentiles(recalls[0] - recalls[1]), "later": _percentiles(medians)}


def _percentiles(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
