"""A KOL that usually talks falls silent: information, and never a page."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.alerts import AlertEvent
from monitoring.baseline import Baseline
from monitoring.engine import Engine
from monitoring.events import ScoredComment
from monitoring.hours import Hour
from monitoring.monitors.gap import GapMonitor
from monitoring.policy import Policy
from tests.monitoring.streams import MINUTE, START, Scene, comments_of, scored

DAY = 1440
# Talks from 6 to 24 o'clock, UTC; the outages begin on the tenth day at noon.
NIGHT, TALK = Scene(360, 0.0, 0.0), 1080
NOON = START + (9 * DAY + 720) * MINUTE
RATES = (0.5, 1.5)
SNAPSHOTS: dict[float, bytes] = {}  # what `noons` found; a property cannot take what is so large
STORM = Scene(60, 6.0, 0.85)
LATENESS = Policy().lateness


def days(rate: float, count: int) -> list[Scene]:
    return [scene for _ in range(count) for scene in (NIGHT, Scene(TALK, rate, 0.12))]


@pytest.fixture(scope="module")
def streams() -> dict[float, list[ScoredComment]]:
    """Eleven days a rate, in order."""
    return {rate: comments_of(days(rate, 11), seed=5) for rate in RATES}


@pytest.fixture(scope="module")
def noons(streams) -> dict[float, bytes]:
    """The KOL as it is at noon of the tenth day, by rate."""
    found = {}
    for rate, comments in streams.items():
        engine = Engine()
        for comment in comments:
            if comment.comment.created_at < NOON:
                assert not [event for event in engine.observe(comment).events if event.pages]
        found[rate] = engine.snapshot("lena")
    SNAPSHOTS.update(found)
    return found


def at_noon(noons: dict[float, bytes], rate: float) -> Engine:
    engine = Engine()
    engine.restore("lena", noons[rate])
    return engine


def fall_silent(engine: Engine, until_minute: int) -> list[AlertEvent]:
    """As the pipeline does: close the last minute, then look when the gap is due."""
    events = engine.silence("lena", NOON + 5 * MINUTE).events
    due = engine.gap_due("lena")
    if due is not None and due <= NOON + until_minute * MINUTE:
        events += engine.silence("lena", due).events
    return events


def tell(
    engine: Engine, scene: Scene, minute: int, closed_until: datetime = NOON
) -> list[AlertEvent]:
    """A scene's comments, one after the other, from so many minutes after noon on.

    Those written before `closed_until` come too late.
    """
    events = []
    for index, comment in enumerate(comments_of([scene], seed=1)):
        at = NOON + minute * MINUTE + (comment.comment.created_at - START)
        number, text = 10**6 * (minute + 1) + index, comment.comment.text
        seen = engine.observe(scored(at, number, comment.negative, text=text))
        assert seen.late == (at < closed_until)
        events += seen.events
    return events


def hush(engine: Engine, since: int, until: int, step: int = 1) -> list[AlertEvent]:
    """The clock runs on from minute to minute after noon, and nothing comes."""
    return [
        event
        for minute in range(since + 5, until, step)
        for event in engine.silence("lena", NOON + minute * MINUTE).events
    ]


def told(events: list[AlertEvent]) -> list[tuple[str, str]]:
    """What was reported, escalations left out."""
    return [(e.kind, e.reason) for e in events if e.reason != "escalated"]


def after(streams, rate: float, minutes: int) -> list[ScoredComment]:
    """What is written from noon on, for so many minutes."""
    end = NOON + minutes * MINUTE
    return [c for c in streams[rate] if NOON <= c.comment.created_at < end]


def test_a_silence_is_reported_once_when_it_is_due_and_ends_with_the_next_comment(noons):
    engine = at_noon(noons, 0.5)
    assert engine.gap_due("lena") is None  # the last minutes are still open
    assert engine.silence("lena", NOON + 5 * MINUTE).events == []
    due = engine.gap_due("lena")
    assert NOON + 15 * MINUTE <= due <= NOON + 120 * MINUTE
    assert engine.silence("lena", due - MINUTE).events == []
    assert engine.gap_due("lena") == due

    (opened,) = engine.silence("lena", due).events
    assert (opened.kind, opened.severity, opened.reason) == ("data_gap", "info", "opened")
    assert not opened.pages
    # A comment of that minute was in time until `due`. The hour that ended in the silence let one
    # more of the day before be learnt: since then a few minutes less are enough.
    assert timedelta(0) <= due - LATENESS - opened.at < 5 * MINUTE
    evidence = opened.evidence
    assert NOON - 20 * MINUTE < evidence.incident_start == evidence.window_start <= NOON
    assert evidence.window_end == opened.at
    assert (evidence.comments, evidence.negative_share) == (0, 0.0)
    (score,) = evidence.scores
    assert score.name == "silence"
    assert score.threshold <= score.value < evidence.expected_comments
    minutes = (opened.at - evidence.incident_start) // MINUTE
    assert evidence.summary == (
        f"No comments on @lena for {minutes} minutes. Normal in that time: about "
        f"{evidence.expected_comments:.0f}. A platform or a data feed may be down."
    )
    assert [alert.alert_id for alert in engine.alerts()] == [opened.alert_id]
    assert engine.alert("lena") is None  # that is the backlash

    assert engine.gap_due("lena") is None
    assert engine.silence("lena", due + timedelta(days=3)).events == []
    back = NOON + 200 * MINUTE
    engine.observe(scored(back, 10**6))
    (resolved,) = engine.advance("lena", back + 10 * MINUTE).events
    assert (resolved.alert_id, resolved.reason) == (opened.alert_id, "resolved")
    assert resolved.at == back + MINUTE
    assert resolved.evidence.summary.startswith("Comments on @lena are back after 3 hours")
    assert engine.alerts() == []


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("minutes", [30, 90, 240])
def test_a_backlog_dated_at_its_delivery_does_not_page(streams, noons, rate, minutes):
    """What a platform held back comes within five minutes, dated when it came."""
    engine = at_noon(noons, rate)
    events = fall_silent(engine, minutes)
    assert len(events) == (minutes >= {0.5: 90, 1.5: 30}[rate])
    end, backlog = NOON + minutes * MINUTE, after(streams, rate, minutes)
    for index, comment in enumerate(backlog):
        delivered = end + index * 5 * MINUTE / len(backlog)
        late = scored(delivered, 10**6 + index, comment.negative, author=f"a{index}", text="")
        events += engine.observe(late).events
    for comment in after(streams, rate, 600):
        if comment.comment.created_at >= end + 5 * MINUTE:
            events += engine.observe(comment).events
    assert not [event for event in events if event.pages]
    assert [event.reason for event in events] == ["opened", "resolved"][: len(events)]
    assert engine.alerts() == []


@pytest.mark.parametrize("minutes", [90, 240])
def test_a_backlog_dated_as_written_keeps_its_place_from_the_opening_on(streams, noons, minutes):
    """A broken feed delivers late what was written in time: time has reached only the opening."""
    engine, spared = at_noon(noons, 1.5), at_noon(noons, 1.5)
    (opened,) = fall_silent(engine, minutes)
    closed, expected, events = [], [], []
    for comment in after(streams, 1.5, 600):
        seen = engine.observe(comment)
        assert seen.late == (comment.comment.created_at < opened.at)
        closed += seen.closed
        events += seen.events
        expected += spared.observe(comment).closed
    assert [window.start for window in closed] == [
        window.start for window in expected if window.start >= opened.at
    ]
    (resolved,) = events
    assert resolved.at == closed[0].start + MINUTE
    span = (closed[0].start - resolved.evidence.incident_start) // MINUTE
    assert f"are back after {span} minutes without any" in resolved.evidence.summary


def test_a_storm_in_the_backlog_is_detected_all_the_same(noons):
    engine = at_noon(noons, 1.5)
    (opened,) = fall_silent(engine, 60)
    events = tell(engine, STORM, 0, closed_until=opened.at)
    assert [(event.kind, event.reason) for event in events if event.kind == "data_gap"]
    assert len([event for event in events if event.pages]) == 1


def test_nights_are_no_gap_for_who_sleeps_at_night(streams, noons):
    engine = at_noon(noons, 1.5)
    for comment in after(streams, 1.5, 720):
        engine.observe(comment)
    midnight = NOON + 720 * MINUTE
    engine.silence("lena", midnight + 10 * MINUTE)
    assert engine.gap_due("lena") > midnight + 360 * MINUTE
    assert engine.silence("lena", midnight + 360 * MINUTE).events == []


def test_nothing_is_reported_on_a_kol_unknown_new_or_quiet(streams):
    engine = Engine()
    assert engine.gap_due("nobody") is None
    assert engine.silence("nobody", NOON).events == []
    for comment in streams[0.5]:
        if comment.comment.created_at < START + 4 * DAY * MINUTE:
            engine.observe(comment)
    engine.silence("lena", START + timedelta(days=4))
    assert engine.gap_due("lena") is None  # no Friday and no Saturday was seen yet
    quiet = Engine()
    for index in range(40):
        quiet.observe(scored(START + index * timedelta(hours=8), index))
    quiet.silence("lena", NOON + timedelta(days=9))
    assert quiet.gap_due("lena") is None


def test_a_silence_that_passed_raises_the_bar_at_most_twofold(noons):
    fresh, paused = at_noon(noons, 1.5), at_noon(noons, 1.5)
    for engine in (fresh, paused):
        engine.silence("lena", NOON + 5 * MINUTE)
    first = fresh.gap_due("lena")
    back = NOON + 90 * MINUTE
    paused.observe(scored(back, 10**6))  # as in a replay: nobody declared the silence
    paused.silence("lena", back + 10 * MINUTE)
    assert 1.5 * (first - NOON) < paused.gap_due("lena") - back < 3 * (first - NOON)


def test_the_hours_of_a_gap_are_not_learnt(streams, noons):
    declared, replayed, unaware = at_noon(noons, 1.5), at_noon(noons, 1.5), Engine()
    unaware.set_policy("lena", Policy(gap_nats=1e9))
    unaware.restore("lena", noons[1.5])
    assert len(fall_silent(declared, 240)) == 1
    normal = []
    for engine in (declared, replayed, unaware):
        for comment in streams[1.5]:
            if comment.comment.created_at >= NOON + 300 * MINUTE:
                engine.observe(comment)
        engine.advance("lena", NOON + timedelta(days=3))
        normal.append(engine.status("lena").expected_comments_per_hour)
    assert normal[0] == normal[1] > normal[2]


def test_an_hour_that_was_silent_before_the_gap_opened_is_not_learnt_either(noons):
    engine = at_noon(noons, 0.5)
    pending = engine._monitors["lena"].state.pending
    engine.silence("lena", NOON + 5 * MINUTE)
    (opened,) = engine.silence("lena", engine.gap_due("lena")).events
    assert opened.at > NOON + 60 * MINUTE
    assert [hour.tainted for hour in pending[-2:]] == [False, True]
    assert NOON <= opened.evidence.incident_start < NOON + 60 * MINUTE


def test_a_restore_within_a_gap_is_no_interruption(noons):
    whole = at_noon(noons, 0.5)
    opened = fall_silent(whole, 240)
    broken = Engine()
    broken.restore("lena", whole.snapshot("lena"))
    assert broken.snapshot("lena") == whole.snapshot("lena")
    assert broken.alerts() == whole.alerts()
    ends = []
    for engine in (whole, broken):
        engine.observe(scored(NOON + 300 * MINUTE, 10**6))
        ends.append(engine.advance("lena", NOON + 310 * MINUTE).events)
    assert ends[0] == ends[1]
    assert ends[0][0].alert_id == opened[0].alert_id


def test_the_policy_says_how_much_silence_is_a_gap(noons):
    dues = []
    for policy in (Policy(), Policy(gap_nats=24.0), Policy(gap_least=timedelta(hours=5))):
        engine = Engine(policy)
        engine.restore("lena", noons[0.5])
        engine.silence("lena", NOON + 5 * MINUTE)
        dues.append(engine.gap_due("lena"))
    assert dues[0] < dues[1] < dues[2]


@pytest.mark.parametrize("minutes", [8, 20, 90, 240, 600])
@pytest.mark.parametrize("declared", [True, False])
def test_an_outage_in_an_incident_does_not_end_it(noons, minutes, declared):
    """Live, where the clock declares the silence, and in a replay, where nobody does."""
    engine = at_noon(noons, 1.5)
    (opened,) = [event for event in tell(engine, STORM, 0) if event.reason == "opened"]
    gap = [("data_gap", "opened"), ("data_gap", "resolved")] if minutes >= 90 else []
    silent = hush(engine, 60, 60 + minutes) if declared else []
    assert told(silent) == gap[: 1 if declared else 0]
    assert engine.alert("lena").alert_id == opened.alert_id

    assert told(silent + tell(engine, STORM, 60 + minutes)) == gap
    calm = tell(engine, Scene(300, 1.5, 0.12), 120 + minutes)
    assert told(calm) == [(opened.kind, "resolved")]
    assert calm[-1].alert_id == opened.alert_id


@pytest.mark.usefixtures("noons")
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    storm=st.integers(30, 120),
    minutes=st.integers(1, 500),
    declared=st.booleans(),
    rate=st.sampled_from(RATES),
)
def test_whenever_an_outage_comes_the_alert_is_still_open_after_it(storm, minutes, declared, rate):
    engine = at_noon(SNAPSHOTS, rate)
    (opened,) = [e for e in tell(engine, Scene(storm, 6.0, 0.85), 0) if e.reason == "opened"]
    events = hush(engine, storm, storm + minutes) if declared else []
    events += tell(engine, Scene(20, 6.0, 0.85), storm + minutes)
    assert all(event.kind == "data_gap" for event in events if event.reason != "escalated")
    assert engine.alert("lena").alert_id == opened.alert_id


def test_an_incident_that_ended_in_an_outage_ends_with_normal_comments(noons):
    engine = at_noon(noons, 1.5)
    tell(engine, STORM, 0)
    hush(engine, 60, 300)
    calm = tell(engine, Scene(120, 1.5, 0.12), 300)
    assert [reason for _, reason in told(calm)] == ["resolved", "resolved"]


def test_what_was_held_back_in_an_incident_keeps_its_place_from_the_gap_on(noons):
    """`tell` sees what of it is late."""
    engine = at_noon(noons, 1.5)
    tell(engine, STORM, 0)
    (opened,) = hush(engine, 60, 300)
    held_back = tell(engine, Scene(240, 4.0, 0.8), 61, closed_until=opened.at)
    assert told(held_back) == [("data_gap", "resolved")]
    assert engine.alert("lena") is not None


def test_comments_that_stop_for_good_end_an_incident_after_the_longest(noons):
    engine = at_noon(noons, 1.5)
    opened = next(event for event in tell(engine, STORM, 0) if event.reason == "opened")
    usual = engine.status("lena").expected_negative_share
    events = hush(engine, 60, 5 * DAY, step=30)
    assert told(events) == [("data_gap", "opened"), (opened.kind, "resolved")]
    assert timedelta(0) <= events[-1].at - opened.at - Policy().longest <= timedelta(hours=1)
    # The storm is not taken for normal: it did not last, only the silence did.
    assert engine.status("lena").expected_negative_share == pytest.approx(usual, abs=0.01)


def test_silence_ends_an_incident_of_a_kol_that_is_silent_mostly():
    engine = Engine()
    for index in range(40):
        engine.observe(scored(NOON - (40 - index) * timedelta(hours=5), index))
    tell(engine, STORM, 0)
    (resolved,) = hush(engine, 60, 360)
    assert resolved.reason == "resolved"


def gap_monitor_of(per_hour: int) -> tuple[GapMonitor, int]:
    """The monitor of a KOL with so many comments an hour for a fortnight, and its last minute."""
    base = Baseline()
    for hour in range(24 * 14):
        base.learn_hour(Hour(hour, per_hour, 0.1 * per_hour, 0.4 * per_hour, per_hour))
    return GapMonitor("lena", Policy(), base), 24 * 14 * 60


def test_a_doubted_silence_is_counted_once_a_comment_ends_it_unless_it_was_long():
    gap, noon = gap_monitor_of(6)
    gap.learn_one(noon, 1, 0.0)
    assert gap.observed_span(noon + 25) == (0, noon + 1)
    gap.learn_one(noon + 28, 1, 0.0)  # some two comments were missing
    assert gap.observed_span(noon + 60) == (noon + 1, noon + 29)
    gap.learn_one(noon + 150, 1, 0.0)  # some ten: too many to be chance
    assert gap.observed_span(noon + 153) == (noon + 150, noon + 153)
    gap.learn_one(noon + 160, 1, 0.0)
    gap.learn_one(noon + 263, 1, 0.0)  # the same between two calls: its 102 minutes are left out
    assert gap.observed_span(noon + 266) == (noon + 153 + 102, noon + 266)


def test_a_silence_that_may_be_the_crowds_own_is_not_doubted():
    for per_hour, minutes in ((0, 600), (6, 5)):
        gap, noon = gap_monitor_of(per_hour)
        gap.learn_one(noon, 1, 0.0)
        assert gap.observed_span(noon + minutes) == (0, noon + minutes)


def test_a_restore_in_an_outage_in_an_incident_is_no_interruption(noons):
    whole = at_noon(noons, 1.5)
    tell(whole, STORM, 0)
    hush(whole, 60, 200)
    broken = Engine()
    broken.restore("lena", whole.snapshot("lena"))
    ends = [tell(engine, Scene(180, 1.5, 0.12), 200) for engine in (whole, broken)]
    assert ends[0] == ends[1]
    assert len(ends[0]) == 2
    assert broken.snapshot("lena") == whole.snapshot("lena")
