"""A KOL that usually talks falls silent: told as information, and never a page."""

from datetime import timedelta

import pytest

from monitoring.alerts import AlertEvent
from monitoring.engine import Engine
from monitoring.events import ScoredComment
from monitoring.policy import Policy
from tests.monitoring.streams import MINUTE, START, Scene, comments_of, scored

DAY = 1440
# Talks from 6 to 24 o'clock, UTC; the outages begin on the tenth day at noon.
NIGHT, TALK = Scene(360, 0.0, 0.0), 1080
NOON = START + (9 * DAY + 720) * MINUTE
RATES = (0.5, 1.5)


def days(rate: float, count: int) -> list[Scene]:
    return [scene for _ in range(count) for scene in (NIGHT, Scene(TALK, rate, 0.12))]


@pytest.fixture(scope="module")
def streams() -> dict[float, list[ScoredComment]]:
    """Eleven days a rate, in order."""
    return {rate: comments_of(days(rate, 11), seed=5) for rate in RATES}


@pytest.fixture(scope="module")
def noons(streams) -> dict[float, bytes]:
    """The KOL as it stands at noon of the tenth day, by rate."""
    found = {}
    for rate, comments in streams.items():
        engine = Engine()
        for comment in comments:
            if comment.comment.created_at < NOON:
                assert not [event for event in engine.observe(comment).events if event.pages]
        found[rate] = engine.snapshot("lena")
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


def after(streams, rate: float, minutes: int) -> list[ScoredComment]:
    """What is written from noon on, for so many minutes."""
    end = NOON + minutes * MINUTE
    return [c for c in streams[rate] if NOON <= c.comment.created_at < end]


def test_a_silence_is_told_once_when_it_is_due_and_ends_with_the_next_comment(noons):
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
    assert opened.at == due
    evidence = opened.evidence
    assert NOON - 20 * MINUTE < evidence.incident_start == evidence.window_start <= NOON
    assert evidence.window_end == due
    assert (evidence.comments, evidence.negative_share) == (0, 0.0)
    (score,) = evidence.scores
    assert score.name == "silence"
    assert score.threshold <= score.value < evidence.expected_comments
    minutes = (due - evidence.incident_start) // MINUTE
    assert evidence.summary == (
        f"No comments on @lena for {minutes} minutes; {evidence.expected_comments:.0f} are usual "
        "in that time. A platform or a feed may be down."
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
    assert resolved.evidence.summary.startswith("Comments come again on @lena after 3 hours")
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
def test_a_backlog_dated_as_written_keeps_its_place(streams, noons, minutes):
    """A broken feed delivers late what was written in time: nothing of it is lost."""
    engine, spared = at_noon(noons, 1.5), at_noon(noons, 1.5)
    (opened,) = fall_silent(engine, minutes)
    closed, expected, events = [], [], []
    for comment in after(streams, 1.5, 600):
        seen = engine.observe(comment)
        assert not seen.late
        closed += seen.closed
        events += seen.events
        expected += spared.observe(comment).closed
    assert closed == [window for window in expected if window.start >= NOON]
    (resolved,) = events
    assert resolved.at == opened.at  # it cannot end before it was told
    assert resolved.evidence.summary == "Comments that were missing on @lena have arrived."


def test_a_storm_in_the_backlog_is_heard_all_the_same(noons):
    engine = at_noon(noons, 1.5)
    assert len(fall_silent(engine, 60)) == 1
    storm = comments_of([Scene(60, 6.0, 0.85)], seed=1)
    events = []
    for index, comment in enumerate(storm):
        at = NOON + (comment.comment.created_at - START)
        events += engine.observe(scored(at, 10**6 + index, comment.negative)).events
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


def test_nothing_is_told_of_a_kol_unknown_new_or_quiet(streams):
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
    told, untold = at_noon(noons, 1.5), at_noon(noons, 1.5)
    assert len(fall_silent(told, 240)) == 1
    usual = {}
    for name, engine in (("told", told), ("untold", untold)):
        for comment in streams[1.5]:
            if comment.comment.created_at >= NOON + 300 * MINUTE:
                engine.observe(comment)
        engine.advance("lena", NOON + timedelta(days=3))
        usual[name] = engine.status("lena").expected_comments_per_hour
    assert usual["told"] > usual["untold"]


def test_silence_still_ends_an_incident(noons):
    engine = at_noon(noons, 1.5)
    storm = comments_of([Scene(60, 6.0, 0.85)], seed=1)
    for index, comment in enumerate(storm):
        at = NOON + (comment.comment.created_at - START)
        engine.observe(scored(at, 10**6 + index, comment.negative))
    assert engine.alert("lena") is not None
    events = []
    for minute in range(60, 720):
        events += engine.silence("lena", NOON + minute * MINUTE).events
    told = [(event.kind == "data_gap", event.reason) for event in events]
    assert sorted(told) == [(False, "resolved"), (True, "opened")]


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
