"""Counting verdicts: by week, KOL and kind, with an interval that is right for few of them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.triage.feedback import Judged, Tally, tallies, week_of, wilson

MONDAY = datetime(2026, 3, 9, tzinfo=UTC)


def judged(verdict: Any, *, day: int = 0, kol: str = "lena", kind: str = "backlash") -> Judged:
    return Judged(kol, kind, MONDAY + timedelta(days=day, hours=5), verdict)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # Newcombe (1998), Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_that_of_the_literature(
    successes: int, trials: int, low: float, high: float
) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_in_bounds(case: tuple[int, int]) -> None:
    successes, trials = case
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials + 1e-12
    assert successes / trials - 1e-12 <= high <= 1


def test_verdicts_are_counted_by_week_kol_and_kind() -> None:
    alerts = [
        judged("confirmed"),
        judged("false_alarm", day=6),
        judged(None, day=6),
        judged("confirmed", day=7),
        judged("confirmed", kol="mina", kind="brigade"),
    ]
    assert tallies(alerts, weekly=True) == [
        Tally(MONDAY, "lena", "backlash", raised=3, confirmed=1, false_alarms=1),
        Tally(MONDAY, "mina", "brigade", raised=1, confirmed=1, false_alarms=0),
        Tally(MONDAY + timedelta(days=7), "lena", "backlash", 1, 1, 0),
    ]
    lena, mina = tallies(alerts, weekly=False)
    assert lena == Tally(None, "lena", "backlash", raised=4, confirmed=2, false_alarms=1)
    assert (lena.unjudged, lena.precision) == (1, pytest.approx(2 / 3))
    assert lena.interval == wilson(2, 3)
    assert mina.precision == 1.0


def test_what_nobody_judged_has_no_precision() -> None:
    (tally,) = tallies([judged(None)], weekly=False)
    assert (tally.unjudged, tally.precision, tally.interval) == (1, None, None)


def test_a_week_begins_on_monday_in_utc() -> None:
    hanoi = timezone(timedelta(hours=7))
    assert week_of(datetime(2026, 3, 9, 6, 59, tzinfo=hanoi)) == MONDAY - timedelta(days=7)
    assert week_of(datetime(2026, 3, 9, 7, 0, tzinfo=hanoi)) == MONDAY
