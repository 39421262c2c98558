"""How event time is declared to pass decides nothing: neither when, nor how often, nor by what."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitoring.alerts import AlertEvent
from monitoring.engine import Engine
from monitoring.event_time import minute_of
from monitoring.events import ScoredComment
from monitoring.kol_pipeline import KolPipeline, KolState
from monitoring.policy import Policy
from monitoring.snapshot import decode
from monitoring.windows import WindowStats
from tests.monitoring.streams import MINUTE, START, Scene, comments_of, scored, windows_of

SEEDS = st.integers(0, 2**32 - 1)
DAY = 1440
KNOWN = START + (9 * DAY + 720) * MINUTE  # the stories begin at noon of the tenth day …
RATES = (0.02, 0.5, 1.5)  # … of KOLs with so many comments a minute
LATENESS = Policy().lateness


@dataclass
class Observed:
    """What an engine returned."""

    closed: list[WindowStats] = field(default_factory=list)
    events: list[AlertEvent] = field(default_factory=list)


@dataclass(frozen=True)
class TimeCall:
    """Event time is declared to have reached so many minutes of the story."""

    minute: float
    silence: bool


def quiet(least: int, most: int) -> st.SearchStrategy[Scene]:
    return st.builds(Scene, st.integers(least, most), st.just(0.0), st.just(0.0))


calm = st.builds(Scene, st.integers(20, 300), st.sampled_from([0.05, 0.5, 1.5]), st.just(0.12))
storm = st.builds(Scene, st.integers(20, 90), st.floats(3.0, 6.0), st.floats(0.6, 1.0))
praise = st.builds(Scene, st.integers(40, 90), st.just(5.0), st.just(0.0))
outage = st.one_of(quiet(15, 90), quiet(90, 3 * DAY))
absence = quiet(59 * DAY, 70 * DAY)
scenes = st.one_of(calm, storm, storm, praise, outage, outage, absence)
stories = st.lists(scenes, min_size=1, max_size=4)
# Now and then, or like a clock.
calls = st.one_of(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=12),
    st.builds(
        lambda every, silence: [(n * every, silence) for n in range(int(1 / every))],
        st.sampled_from([0.001, 0.0137, 1 / 60]),
        st.booleans(),
    ),
)


def checked(examples: int) -> settings:
    """The same examples each time, no clock."""
    return settings(max_examples=examples, deadline=None, derandomize=True)


@cache
def known(rate: float) -> bytes:
    """A KOL that nine days are known of, with pauses at night."""
    engine = Engine()
    days = [scene for _ in range(10) for scene in (Scene(360, 0.0, 0.0), Scene(1080, rate, 0.12))]
    days[-1] = Scene(360, rate, 0.12)
    for window in windows_of(days, 5):
        assert not [event for event in engine.observe_window(window) if event.pages]
    return engine.snapshot("lena")


def known_engine(rate: float) -> Engine:
    engine = Engine()
    engine.restore("lena", known(rate))
    return engine


def comments_from(story: Sequence[Scene], seed: int) -> list[ScoredComment]:
    """The comments of a story that begins when the KOL is known."""
    return [
        replace(one, comment=replace(one.comment, created_at=KNOWN + (at - START)))
        for one in comments_of(story, seed)
        for at in (one.comment.created_at,)
    ]


def listen(
    engine: Engine,
    comments: Sequence[ScoredComment],
    seed: int,
    declared: Sequence[TimeCall] = (),
) -> Observed:
    """The comments as they arrive, each within the lateness, and the calls among them."""
    rng, told = random.Random(seed), Observed()
    arriving: list[tuple[datetime, ScoredComment | TimeCall]] = [
        (one.comment.created_at + timedelta(seconds=rng.choice([0.0, 119.0]) * rng.random()), one)
        for one in comments
    ]
    arriving += [(KNOWN + call.minute * MINUTE, call) for call in declared]
    for at, one in sorted(arriving, key=lambda item: item[0]):
        if isinstance(one, TimeCall):
            declare(engine, at, told, silence=one.silence)
            continue
        seen = engine.observe(one)
        assert not seen.late
        told.closed += seen.closed
        told.events += seen.events
    return told


def declare(engine: Engine, at: datetime, told: Observed, *, silence: bool) -> None:
    seen = engine.silence("lena", at) if silence else engine.advance("lena", at)
    told.closed += seen.closed
    told.events += seen.events


def placed(drawn: Sequence[tuple[float, bool]], story: Sequence[Scene], end: int) -> list[TimeCall]:
    """The calls as minutes of the story and of the silence behind it."""
    length = sum(scene.minutes for scene in story) + end
    return [TimeCall(part * length, silence) for part, silence in drawn]


def test_the_stories_hold_what_the_properties_are_about():
    """Outages, incidents that end in a silence, and absences: else they would hold of nothing."""
    found = set()
    for rate in RATES:
        for gap in (300, 4 * DAY, 65 * DAY):
            engine, back = known_engine(rate), KNOWN + (60 + gap) * MINUTE
            story = [Scene(60, 6.0, 0.9), Scene(gap, 0.0, 0.0), Scene(60, 0.5, 0.1)]
            for event in listen(engine, comments_from(story, 1), 1).events:
                kind = "gap" if event.kind == "data_gap" else "crowd"
                found.add((rate, gap, kind, str(event.reason), event.at < back))
    for rate in RATES[1:]:
        for gap in (300, 4 * DAY, 65 * DAY):
            assert (rate, gap, "gap", "opened", True) in found
            assert (rate, gap, "gap", "resolved", False) in found
            assert ((rate, gap, "crowd", "resolved", True) in found) == (gap > 300)
    assert (0.02, 300, "crowd", "resolved", True) in found
    assert not [one for one in found if one[:3] == (0.02, 300, "gap")]


@checked(60)
@given(
    story=stories,
    seed=SEEDS,
    drawn=calls,
    end=st.one_of(st.integers(0, 600), st.integers(600, 5 * DAY), st.integers(59 * DAY, 70 * DAY)),
    rate=st.sampled_from(RATES),
)
@example([Scene(5, 1.5, 0), Scene(40, 0, 0), Scene(9, 1.5, 0)], 1, [(0.7, True)], 9, 1.5)
@example([Scene(60, 6.0, 0.9)], 1, [(n / 100, True) for n in range(100)], 22, 0.5)
@example([Scene(60, 6.0, 0.9)], 1, [(n / 800, True) for n in range(800)], 5 * DAY, 1.5)
@example([Scene(60, 6.0, 0.9)], 1, [(0.2, True), (0.4, True)], 5 * DAY, 0.02)
@example([Scene(30, 1.5, 0.1)], 1, [(n / 1000, True) for n in range(1000)], 65 * DAY, 1.5)
def test_silence_declared_once_is_silence_declared_often(story, seed, drawn, end, rate):
    """Before the last comment by any call, behind it by those on silence."""
    comments = comments_from(story, seed)
    declared = placed(drawn, story, end)
    last = max((one.comment.created_at for one in comments), default=KNOWN) - KNOWN
    declared = [call for call in declared if call.silence or call.minute < last / MINUTE - 5]
    outcomes = []
    for some in (declared, []):
        engine = known_engine(rate)
        final = TimeCall(sum(scene.minutes for scene in story) + end, silence=True)
        told = listen(engine, comments, seed, [*some, final])
        outcomes.append((told, engine.snapshot("lena"), engine.gap_due("lena")))
    assert outcomes[0] == outcomes[1]


@checked(60)
@given(
    story=stories,
    seed=SEEDS,
    drawn=calls,
    end=st.one_of(st.integers(0, 600), st.integers(59 * DAY, 70 * DAY)),
    rate=st.sampled_from(RATES),
)
@example([Scene(30, 1.5, 0.1)], 1, [(n / 1000, False) for n in range(1000)], 65 * DAY, 1.5)
@example([Scene(9, 1.5, 0.1), Scene(66 * DAY, 0, 0), Scene(9, 1, 0)], 1, [(0.96, False)], 9, 1.5)
def test_time_that_passes_in_parts_is_time_that_passes(story, seed, drawn, end, rate):
    comments = comments_from(story, seed)
    outcomes = []
    for some in (placed(drawn, story, end), []):
        engine = known_engine(rate)
        final = TimeCall(sum(scene.minutes for scene in story) + end, silence=False)
        told = listen(engine, comments, seed, [*some, final])
        outcomes.append((told, engine.snapshot("lena"), engine.status("lena")))
    assert outcomes[0] == outcomes[1]


def pipeline_of(state: bytes) -> KolPipeline:
    return KolPipeline("lena", Policy(), msgspec.msgpack.decode(state, type=KolState))


def packed(pipeline: KolPipeline) -> bytes:
    return msgspec.msgpack.encode(pipeline.state)


@checked(50)
@given(
    story=stories,
    seed=SEEDS,
    drawn=calls,
    end=st.one_of(st.integers(0, 600), st.integers(600, 5 * DAY)),
    rate=st.sampled_from(RATES),
    silence=st.booleans(),
)
def test_windows_fed_again_from_any_hour_give_the_live_events(
    story, seed, drawn, end, rate, silence
):
    engine = known_engine(rate)
    minutes = sum(scene.minutes for scene in story) + end
    declared = [call for call in placed(drawn, story, end) if call.silence or not silence]
    told = listen(engine, comments_from(story, seed), seed, [*declared, TimeCall(minutes, silence)])
    live = msgspec.msgpack.encode(decode("lena", engine.snapshot("lena")).kol)
    mark = minute_of(KNOWN + minutes * MINUTE - LATENESS)

    start = msgspec.msgpack.encode(decode("lena", known(rate)).kol)
    kept = [(start, 0, 0)]  # state, windows taken, events said
    pipeline, events = pipeline_of(start), []
    for index, window in enumerate(told.closed):
        hour = minute_of(window.start) // 60
        if hour > pipeline.state.hour.number:
            kept.append((packed(pipeline), index, len(events)))
            middle = (pipeline.state.hour.number + hour + 1) // 2
            events += pipeline.pass_time(middle * 60)
            kept.append((packed(pipeline), index, len(events)))
        events += pipeline.step(window)
    kept.append((packed(pipeline), len(told.closed), len(events)))
    events += pipeline.be_silent(mark) if silence else pipeline.pass_time(mark)
    assert (events, packed(pipeline)) == (told.events, live)

    for state, taken, said in kept[:: max(len(kept) // 5, 1)]:
        again = pipeline_of(state)
        rest = [event for window in told.closed[taken:] for event in again.step(window)]
        rest += again.be_silent(mark) if silence else again.pass_time(mark)
        assert (rest, packed(again)) == (events[said:], live)


def test_time_beyond_the_longest_silence_waits_for_a_comment():
    engine = known_engine(1.5)
    engine.advance("lena", KNOWN + 61 * DAY * MINUTE)
    until = engine._monitors["lena"].reached
    assert engine.advance("lena", KNOWN + 400 * DAY * MINUTE).events == []
    assert engine._monitors["lena"].reached == until
    back = minute_of(KNOWN) + 400 * DAY
    (resolved,) = engine.observe_window(
        WindowStats("lena", KNOWN + 400 * DAY * MINUTE, 4, 0.0, 4.0)
    )
    assert resolved.reason == "resolved"
    assert engine._monitors["lena"].reached == back + 1


def test_a_senders_clock_closes_no_minute_before_its_time():
    """A comment from the future counts in its minute, and what is written until then is in time."""
    storm = comments_from([Scene(60, 6.0, 0.9)], 3)
    fast = scored(KNOWN + 20 * MINUTE, 10**6)
    engine, plain = known_engine(1.5), known_engine(1.5)
    told, expected = Observed(), Observed()
    for comment in storm:
        expected.closed += plain.observe(comment).closed
    for index, comment in enumerate(storm):
        seen = engine.observe(comment, received_at=comment.comment.created_at)
        told.closed += seen.closed
        assert not seen.late
        if index == 30:
            assert comment.comment.created_at < KNOWN + 10 * MINUTE
            seen = engine.observe(fast, received_at=comment.comment.created_at)
            assert (seen.late, seen.closed) == (False, [])
    changed = [one for one in told.closed if one not in expected.closed]
    assert [one.start for one in changed] == [fast.comment.created_at]
    assert len(told.closed) == len(expected.closed)


@pytest.mark.parametrize("received", [timedelta(0), timedelta(minutes=1), timedelta(hours=9)])
def test_when_a_comment_was_received_decides_nothing_else(received):
    engine, plain = known_engine(0.5), known_engine(0.5)
    for comment in comments_from([Scene(60, 6.0, 0.9)], 3):
        at = comment.comment.created_at
        assert engine.observe(comment, received_at=at + received) == plain.observe(comment)
    assert engine.snapshot("lena") == plain.snapshot("lena")
