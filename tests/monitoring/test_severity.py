"""An incident is critical soon after its figures are, at any minute of an hour."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.alerts import AlertEvent
from monitoring.engine import Engine, KolStatus
from monitoring.policy import Policy
from monitoring.windows import WindowStats
from tests.monitoring.streams import MINUTE, START, Scene, windows_of

HOUR = timedelta(hours=1)
DAY = 1440
NOON = START + (6 * DAY + 720) * MINUTE
SOON = timedelta(minutes=10)
POLICY = Policy()
SNAPSHOTS: dict[float, bytes] = {}
RATES = (0.1, 0.25, 1.0)


@pytest.fixture(scope="module", autouse=True)
def known() -> None:
    """KOLs as they are at noon of the seventh day, by comments a minute."""
    for rate in RATES:
        engine = Engine()
        learnt = feed(engine, windows_of([Scene(6 * DAY + 720, rate, 0.06)], 1))
        assert not [event for event in learnt if event.pages]
        SNAPSHOTS[rate] = engine.snapshot("lena")


def feed(engine: Engine, windows: Sequence[WindowStats]) -> list[AlertEvent]:
    return [event for window in windows for event in engine.observe_window(window)]


def restored(rate: float) -> Engine:
    engine = Engine()
    engine.restore("lena", SNAPSHOTS[rate])
    return engine


def critical_from(windows: Sequence[WindowStats], onset: datetime, normal: KolStatus) -> datetime:
    """When the comments since `onset` meet every condition of critical."""
    n, k = 0, 0.0
    for window in windows:
        if window.start < onset:
            continue
        n, k, end = n + window.comments, k + window.negative, window.start + MINUTE
        expected = normal.expected_comments_per_hour * ((end - onset) / HOUR)
        ratio = k / (expected * normal.expected_negative_share + 0.5)
        if (
            k >= POLICY.critical_negative
            and k >= POLICY.critical_share * n
            and ratio >= POLICY.critical_ratio
        ):
            return end
    raise AssertionError("it never is")


def is_critical(event: AlertEvent) -> bool:
    evidence = event.evidence
    normal = evidence.expected_comments * evidence.expected_negative_share + 0.5
    return (
        evidence.negative >= POLICY.critical_negative
        and evidence.negative_share >= POLICY.critical_share
        and evidence.negative / normal >= POLICY.critical_ratio
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    rate=st.sampled_from(RATES),
    minute=st.integers(0, 59),
    loud=st.sampled_from([1.3, 2.0, 5.0, 12.0]),
    share=st.floats(0.65, 1.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_storm_is_critical_within_ten_minutes_of_its_conditions(rate, minute, loud, share, seed):
    onset = NOON + minute * MINUTE
    story = [Scene(minute, rate, 0.06), Scene(150, max(loud, 6 * rate), share)]
    windows = windows_of(story, seed, NOON)
    engine = restored(rate)
    conditions_met = critical_from(windows, onset, engine.status("lena"))
    critical = [event for event in feed(engine, windows) if event.severity == "critical"]
    assert critical[0].at <= conditions_met + SOON
    assert critical[0].reason in ("opened", "escalated")
    assert all(is_critical(event) for event in critical if event.reason != "resolved")


def test_a_storm_that_gets_worse_after_hours_is_critical_by_its_last_hours():
    """Since its beginning less than half of the comments are negative."""
    story = [Scene(245, 1.5, 0.3), Scene(115, 3.0, 0.8)]
    windows = windows_of(story, 2, NOON)
    onset = NOON + 245 * MINUTE
    engine = restored(0.25)
    conditions_met = critical_from(windows, onset, engine.status("lena"))
    (risen,) = [event for event in feed(engine, windows) if event.reason == "escalated"]
    assert risen.at <= conditions_met + 2 * SOON
    assert risen.at.minute != 0
    assert is_critical(risen)


def test_an_alert_that_only_hours_have_shown_becomes_critical_within_the_hour():
    """The detectors of minutes have lost it, as their evidence fell to nothing in a lull."""
    engine = restored(0.25)
    feed(engine, windows_of([Scene(180, 0.9, 0.45)], 4, NOON))
    backlash = engine._monitors["lena"].backlash
    assert backlash.tracker.open
    backlash._detectors._minutes[0].reset()
    assert backlash._detectors.hour_score >= 1.0
    events = []
    for window in windows_of([Scene(58, 3.0, 0.75)], 4, NOON + 181 * MINUTE):
        backlash._detectors._minutes[0].reset()
        events += engine.observe_window(window)
        assert backlash.state.score < 1.0
    (risen,) = events
    assert risen.reason == "escalated"
    assert risen.at < NOON + 215 * MINUTE
    assert is_critical(risen)


def test_a_rise_that_comes_with_the_end_of_an_alert_shows_the_rise():
    """The alert of the week before is overdue when it opens again."""
    engine = Engine()
    before = feed(engine, windows_of([Scene(6 * DAY + 720, 0.1, 0.06)], 3))
    assert [event.reason for event in before if event.kind == "flip"] == ["opened", "resolved"]
    events = feed(engine, windows_of([Scene(60, 1.3, 1.0)], 0, NOON))
    assert [event.reason for event in events] == ["reopened", "escalated"]
    assert is_critical(events[-1])


def test_what_came_before_an_incident_ended_makes_the_next_no_more_severe():
    engine = restored(0.25)
    story = [
        Scene(60, 6.0, 0.9),
        Scene(360, 0.25, 0.06),
        Scene(20, 1.2, 0.8),
    ]
    events = feed(engine, windows_of(story, 6, NOON))
    again = [event for event in events if event.at > NOON + 420 * MINUTE]
    assert {event.severity for event in events if event.at < NOON + HOUR} == {"warning", "critical"}
    assert {event.severity for event in again} <= {"warning"}
