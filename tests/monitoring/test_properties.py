"""What must hold of every stream: hypothesis tells stories, the engine may not care how."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitoring.alerts import AlertEvent
from monitoring.baseline import BaselineState
from monitoring.engine import Engine, Observation
from monitoring.events import ScoredComment
from monitoring.kol_pipeline import KolPipeline, KolState
from monitoring.policy import Policy
from monitoring.snapshot import SnapshotState, decode
from monitoring.windows import WindowStats
from tests.monitoring.streams import (
    MINUTE,
    START,
    Scene,
    comments_of,
    delivered,
    windows_of,
)

SEEDS = st.integers(0, 2**32 - 1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

calm = st.builds(Scene, st.integers(30, 400), st.sampled_from([0.05, 0.3, 1.0]), st.just(0.12))
silence = st.builds(Scene, st.integers(5, 1500), st.just(0.0), st.just(0.0))
storm = st.builds(
    Scene, st.integers(20, 90), st.floats(2.0, 6.0), st.floats(0.5, 1.0), st.booleans()
)
burst = st.builds(Scene, st.integers(1, 30), st.floats(5.0, 15.0), st.floats(0.0, 0.3))
# An opening that teaches the baseline, then anything in any order: most have an alert in them.
stories = st.builds(
    lambda opening, rest: [Scene(opening, 0.6, 0.1), *rest],
    st.integers(240, 480),
    st.lists(st.one_of(calm, silence, storm, burst), min_size=1, max_size=4),
)


def checked(examples: int) -> Any:
    """The settings of every property here: the same examples each time, no clock."""
    return settings(max_examples=examples, deadline=None, derandomize=True)


@dataclass
class Results:
    """All that an engine returned."""

    closed: list[WindowStats] = field(default_factory=list)
    events: list[AlertEvent] = field(default_factory=list)
    late: int = 0
    duplicates: int = 0

    def add(self, said: Observation) -> None:
        self.closed += said.closed
        self.events += said.events
        self.late += said.late
        self.duplicates += said.duplicate


def listen(engine: Engine, comments: Sequence[ScoredComment]) -> Results:
    told = Results()
    for comment in comments:
        told.add(engine.observe(comment))
    return told


def state(engine: Engine, kol: str = "lena") -> SnapshotState:
    """A KOL's whole state but for what counts deliveries."""
    whole = decode(kol, engine.snapshot(kol))
    whole.counter.late = whole.counter.repeats = 0
    return whole


def test_the_stories_hold_what_the_properties_are_about():
    """Storms that page and are resolved: else the properties would hold of nothing."""
    kinds = set()
    for seed in range(4):
        story = [Scene(400, 0.6, 0.1), Scene(60, 4.0, 0.9, seed % 2 == 1), Scene(300, 0.6, 0.1)]
        told = listen(Engine(), comments_of(story, seed))
        kinds |= {(event.kind, event.reason) for event in told.events}
    assert {("backlash", "opened"), ("backlash", "resolved"), ("brigade", "opened")} <= kinds


@checked(60)
@given(story=stories, seed=SEEDS)
def test_order_within_the_lateness_changes_nothing(story, seed):
    comments = comments_of(story, seed)
    straight, mixed = Engine(), Engine()
    expected, told = listen(straight, comments), listen(mixed, delivered(comments, seed))
    assert told == expected
    assert told.late == told.duplicates == 0
    assert mixed.snapshot("lena") == straight.snapshot("lena")


@checked(60)
@given(story=stories, seed=SEEDS)
def test_repeats_change_nothing_but_their_count(story, seed):
    comments = comments_of(story, seed)
    once, again = Engine(), Engine()
    arrived = delivered(comments, seed, repeats=0.3)
    expected, told = listen(once, comments), listen(again, arrived)
    assert (told.closed, told.events) == (expected.closed, expected.events)
    assert told.late + told.duplicates == len(arrived) - len(comments)
    assert state(again) == state(once)


@checked(60)
@given(story=stories, seed=SEEDS, cuts=st.sets(st.floats(0, 1), min_size=1, max_size=4))
def test_a_restore_at_any_point_is_no_interruption(story, seed, cuts):
    """Byte for byte, with idle time declared in the silences, and minutes open at the cuts."""
    comments = delivered(comments_of(story, seed), seed, repeats=0.05)
    interrupted = {int(cut * len(comments)) for cut in cuts}
    whole, broken = Engine(), Engine()
    expected, told = Results(), Results()
    latest = START
    for index, comment in enumerate(comments):
        if index in interrupted and index:
            fresh = Engine()
            fresh.restore("lena", broken.snapshot("lena"))
            broken = fresh
            assert broken.snapshot("lena") == whole.snapshot("lena")
            assert broken.status("lena") == whole.status("lena")
        for engine, observed_span in ((whole, expected), (broken, told)):
            if comment.comment.created_at - latest > 20 * MINUTE:
                observed_span.add(engine.advance("lena", comment.comment.created_at - 5 * MINUTE))
            observed_span.add(engine.observe(comment))
        latest = max(latest, comment.comment.created_at)
    assert told == expected
    assert broken.snapshot("lena") == whole.snapshot("lena")


def moved(events: Sequence[AlertEvent], by: timedelta) -> list[AlertEvent]:
    """The events as they would be had all been `by` earlier; ids follow the time."""
    return [
        replace(
            event,
            alert_id="",
            at=event.at - by,
            evidence=replace(
                event.evidence,
                window_start=event.evidence.window_start - by,
                window_end=event.evidence.window_end - by,
                incident_start=event.evidence.incident_start - by,
            ),
        )
        for event in events
    ]


def tracker(windows: Sequence[WindowStats]) -> list[AlertEvent]:
    engine = Engine()
    return [event for window in windows for event in engine.observe_window(window)]


@checked(60)
@given(story=stories, seed=SEEDS, days=st.integers(-400, 4000))
def test_a_shift_by_whole_days_shifts_the_events_and_nothing_else(story, seed, days):
    """Exact, and so for weeks too: a new KOL's seven days are all alike before they are learnt."""
    here, there = windows_of(story, seed), windows_of(story, seed, START + days * DAY)
    assert moved(tracker(there), days * DAY) == moved(tracker(here), timedelta(0))


def flat_days(windows: Sequence[WindowStats]) -> tuple[list[AlertEvent], KolPipeline]:
    """Events of a KOL whose seven days of the week are held alike, and the monitor."""
    base = BaselineState(day_sum=[1e12] * 7, day_weight=[1e12] * 7)
    monitor = KolPipeline("lena", Policy(), KolState(baseline=base))
    return [event for window in windows for event in monitor.step(window)], monitor


@checked(60)
@given(story=stories, seed=SEEDS, hours=st.integers(-500, 500))
def test_a_shift_by_whole_hours_shifts_the_events_where_days_are_alike(story, seed, hours):
    """Hours of the day are UTC slots, learnt one by one: a stream in another zone fills others.

    Days end at midnight UTC, so a shift by hours cuts a stream into other days. With the days of
    the week held alike the events are the same, up to rounding; with them learnt, only near.
    """
    here, monitor = flat_days(windows_of(story, seed))
    there, other = flat_days(windows_of(story, seed, START + hours * HOUR))
    for event, twin in zip(moved(here, timedelta(0)), moved(there, hours * HOUR), strict=True):
        assert (twin.kind, twin.severity, twin.reason, twin.at) == (
            event.kind,
            event.severity,
            event.reason,
            event.at,
        )
        mine, its = event.evidence, twin.evidence
        assert (its.window_start, its.window_end) == (mine.window_start, mine.window_end)
        assert its.comments == mine.comments
        for name in ("negative", "expected_comments", "expected_negative_share"):
            assert math.isclose(getattr(its, name), getattr(mine, name), rel_tol=1e-6)
    mine, its = (m.state.baseline.hour_sum for m in (monitor, other))
    assert [its[(slot + hours) % 24] for slot in range(24)] == pytest.approx(mine)


def even(share: float, first: int, n: int) -> float:
    """Negatives among `n` comments from number `first`, spread as evenly as can be."""
    return float(math.floor((first + n) * share) - math.floor(first * share))


@checked(50)
@given(
    n=st.one_of(st.integers(1, 5), st.integers(6, 3000)),
    every=st.sampled_from([1, 2, 7, 30, 60, 97, 1440]),
    share=st.floats(0, 1),
    bright=st.floats(0, 1),
    hard=st.booleans(),
)
@example(n=1, every=7, share=0.5, bright=0.5, hard=True)
@example(n=3000, every=7, share=1.0, bright=0.0, hard=False)
@example(n=3000, every=7, share=0.0, bright=1.0, hard=False)
@example(n=3000, every=1440, share=1.0, bright=0.0, hard=False)
@example(n=277, every=1440, share=0.9953, bright=0.9953, hard=False)
def test_a_constant_stream_never_alerts(n, every, share, bright, hard):
    """Any rate and share, up to four weeks; `hard` scores are 0 or 1, others all the same.

    Loud minutes more than a quarter of an hour apart leave silences that may pass for gaps: what is
    normal is known by the hour, and that such a crowd pauses must be learnt.
    """
    gaps = {"data_gap"} if every > 15 else set()
    engine, count = Engine(), 0
    for index in range(min(4 * 7 * 1440 // every, 4000)):
        k = even(share, count, n) if hard else n * share
        count += n
        window = WindowStats("lena", START + index * every * MINUTE, n, k, bright * (n - k))
        assert {event.kind for event in engine.observe_window(window)} <= gaps
    assert engine.alerts() == []


@checked(10)
@given(hours=st.lists(st.integers(1, 2000), max_size=8))
def test_an_empty_stream_never_alerts(hours):
    """Neither time that passes without a comment nor minutes told to be empty."""
    engine, at = Engine(), START
    for span in hours:
        at += span * HOUR
        assert engine.observe_window(WindowStats("lena", at, 0, 0.0, 0.0)) == []
        assert engine.advance("lena", at + HOUR).events == []
        at += 2 * HOUR


@checked(20)
@given(
    casts=st.lists(stories, min_size=3, max_size=3),
    seeds=st.lists(SEEDS, min_size=3, max_size=3, unique=True),
)
def test_no_kol_depends_on_another(casts, seeds):
    alone, together, mixed = {}, Engine(), []
    for number, (story, seed) in enumerate(zip(casts, seeds, strict=True)):
        kol = f"kol-{number}"
        comments = comments_of(story, seed, kol)
        engine = Engine()
        alone[kol] = listen(engine, comments).events, engine.snapshot(kol)
        mixed += comments
    mixed.sort(key=lambda item: item.comment.created_at)
    events = listen(together, mixed).events
    for kol, (expected, snapshot) in alone.items():
        assert [event for event in events if event.kol_id == kol] == expected
        assert together.snapshot(kol) == snapshot
