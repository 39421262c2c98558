from itertools import islice

import numpy as np
import pytest

from training.mixture import POOL_BATCHES, batches, shares
from training.recipe import Optimisation
from training.schedule import rate_at

LENGTHS = [np.arange(200) % 40 + 3, np.arange(50) % 7 + 3]


def test_temperature_lifts_small_sets() -> None:
    assert shares([900, 100], [1, 1], 1.0).tolist() == pytest.approx([0.9, 0.1])
    assert shares([900, 100], [1, 1], 0.5).tolist() == pytest.approx([0.75, 0.25])
    assert shares([900, 100], [1, 9], 1.0).tolist() == pytest.approx([0.5, 0.5])


def test_order_depends_on_the_seed_alone() -> None:
    def first(seed: int) -> list[list[int]]:
        made = batches(LENGTHS, np.array([0.8, 0.2]), batch_size=4, seed=seed)
        return [batch.rows.tolist() for batch in islice(made, 70)]

    assert first(1) == first(1)
    assert first(1) != first(2)


def test_batches_are_of_like_length() -> None:
    made = list(islice(batches(LENGTHS, np.array([0.8, 0.2]), batch_size=8, seed=3), POOL_BATCHES))
    spread = [
        np.ptp([LENGTHS[s][r] for s, r in zip(batch.sets, batch.rows, strict=True)])
        for batch in made
    ]
    assert np.median(spread) <= 2


def test_every_row_comes_once_a_pass() -> None:
    made = islice(batches([np.full(100, 5)], np.array([1.0]), batch_size=4, seed=3), POOL_BATCHES)
    rows = np.concatenate([batch.rows for batch in made])
    assert np.bincount(rows).tolist() == [2] * 100


def test_rate_goes_up_level_down() -> None:
    plan = Optimisation(steps=100, warmup=0.1, decay=0.5)
    rates = [rate_at(step, plan) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[49] == 1.0
    assert rates[75] == pytest.approx(0.5)
    assert rates[99] == pytest.approx(0.02)
    assert rates == [*sorted(rates[:50]), *sorted(rates[50:], reverse=True)]
