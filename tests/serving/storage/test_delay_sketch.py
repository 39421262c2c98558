"""The normal delay: what a histogram that forgets says of a source."""

import json
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.storage.delay_sketch import HORIZON, DelaySketch

HOUR = 3600.0
DELAYS = st.lists(st.floats(0, HORIZON), min_size=1, max_size=30)


def polled(sketch: DelaySketch, hours: range, seed: int = 1) -> DelaySketch:
    """A source that is polled once an hour, 40 comments each time."""
    rng = random.Random(seed)
    for hour in hours:
        sketch = sketch.with_delays(hour, [rng.uniform(0, HOUR) for _ in range(40)])
    return sketch


def live(sketch: DelaySketch, hours: range, seed: int = 2) -> DelaySketch:
    """A source that sends at once, ten times as many."""
    rng = random.Random(seed)
    for hour in hours:
        sketch = sketch.with_delays(hour, [rng.uniform(1, 9) for _ in range(400)])
    return sketch


def test_it_is_near_the_quantiles_of_all_delays() -> None:
    rng = random.Random(5)
    delays = [rng.lognormvariate(5, 1.5) for _ in range(20_000)]
    sketch = DelaySketch().with_delays(1, delays)
    for share, exact in zip((0.1, 0.5, 0.9), statistics.quantiles(delays, n=10)[::4], strict=True):
        assert sketch.quantile(share) == pytest.approx(exact, rel=0.03)


def test_nothing_is_known_at_first_nor_from_one_delivery() -> None:
    assert not DelaySketch().known
    assert DelaySketch().quantile(0.9) == 0
    sketch = DelaySketch().with_delays(5, [9.0] * 10_000).with_delays(6, [9.0] * 10_000)
    assert not sketch.known
    assert sketch.with_delays(7, [9.0]).known


def test_a_poll_once_a_day_is_known_after_four_days() -> None:
    sketch = polled(DelaySketch(), range(24, 96, 24))
    assert not sketch.known
    assert polled(sketch, range(96, 97)).known


def test_a_poll_once_an_hour() -> None:
    sketch = polled(DelaySketch(), range(100, 400))
    assert sketch.quantile(0.1) == pytest.approx(6 * 60, rel=0.1)
    assert sketch.quantile(0.9) == pytest.approx(54 * 60, rel=0.05)


def test_a_history_sent_in_one_go_changes_little() -> None:
    sketch = live(DelaySketch(), range(100, 200))
    history = [random.Random(3).uniform(0, HORIZON) for _ in range(50_000)]
    assert sketch.with_delays(200, history).quantile(0.9) < 10


def test_a_source_that_becomes_slow_is_seen_to_within_a_day() -> None:
    sketch = polled(live(DelaySketch(), range(1000, 1500)), range(1500, 1524))
    assert sketch.quantile(0.9) > 1800


def test_a_source_that_becomes_fast_is_believed_after_a_week() -> None:
    sketch = live(polled(DelaySketch(), range(1000, 1500)), range(1500, 1500 + 5 * 24))
    assert sketch.quantile(0.9) > 1000
    assert live(sketch, range(1500 + 5 * 24, 1500 + 9 * 24)).quantile(0.9) < 10


def test_what_lies_weeks_back_is_forgotten() -> None:
    sketch = polled(DelaySketch(), range(500))
    assert len(polled(sketch, range(10**6, 10**6 + 1)).weights) == 0


def test_it_stays_small() -> None:
    rng = random.Random(4)
    sketch = DelaySketch()
    for hour in range(500):
        sketch = sketch.with_delays(
            hour, [rng.uniform(0, HORIZON) ** rng.random() for _ in range(99)]
        )
    assert len(json.dumps([dict(sketch.counts), dict(sketch.weights)])) < 2500


@given(DELAYS, DELAYS, st.integers(0, 3))
def test_batches_decide_nothing(first: list[float], second: list[float], later: int) -> None:
    """The pipeline cuts the log at any place."""
    whole = DelaySketch().with_delays(7, first).with_delays(7 + later, second)
    cut = DelaySketch()
    for hour, delays in ((7, first), (7 + later, second)):
        for delay in delays:
            cut = cut.with_delays(hour, [delay])
    assert cut == whole
    assert 0 <= whole.quantile(0.1) <= whole.quantile(0.9) <= HORIZON * 1.2


def test_an_hour_that_is_over_is_not_opened_again() -> None:
    sketch = DelaySketch().with_delays(7, [5.0]).with_delays(6, [5.0])
    assert (sketch.hour, sum(sketch.counts.values())) == (7, 2)
