"""Floods of copies: they inform, and nothing that a backlash says is touched by them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln

from monitoring.alerts import AlertEvent
from monitoring.copies_baseline import CopiesBaseline
from monitoring.engine import Engine
from monitoring.event_time import minute_of
from monitoring.events import ScoredComment
from monitoring.kol_pipeline import KolPipeline
from monitoring.monitors.flood import FloodMonitor
from monitoring.policy import Policy
from monitoring.snapshot import decode
from monitoring.windows import WindowStats
from tests.monitoring.streams import MINUTE, START, Scene, comments_of, scored, windows
from tests.monitoring.test_properties import SEEDS, checked, stories

DAY = 1440
KNOWN = 4 * DAY
NEGATIVE_SHARE = 0.15


def feed(engine: Engine, stream: Sequence[WindowStats]) -> list[AlertEvent]:
    return [event for window in stream for event in engine.observe_window(window)]


def floods(events: Sequence[AlertEvent]) -> list[str]:
    return [event.reason for event in events if event.kind == "comment_flood"]


def calm(minutes: int, copies: float | None = 0.03, first: int = 0) -> list[WindowStats]:
    """Minutes with half a comment each and a normal share of copies, whole comments at a time."""
    rng = np.random.default_rng(first + 1)
    return [
        window
        if copies is None
        else replace(
            window, duplicate_share=rng.binomial(window.comments, copies) / window.comments
        )
        for window in windows(first + 7, 0.5, minutes, NEGATIVE_SHARE, first=START + first * MINUTE)
    ]


def wave(minutes: int, copies: float | None, dark: float = 0.02, n: int = 3) -> list[WindowStats]:
    """Minutes of `n` comments each after the known baseline."""
    first = START + KNOWN * MINUTE
    return [
        WindowStats("lena", first + at * MINUTE, n, n * dark, 0.1, duplicate_share=copies)
        for at in range(minutes)
    ]


@pytest.fixture(scope="module")
def known() -> bytes:
    engine = Engine()
    assert floods(feed(engine, calm(KNOWN))) == []
    return engine.snapshot("lena")


def used_to(known: bytes) -> Engine:
    engine = Engine()
    engine.restore("lena", known)
    return engine


def test_a_wave_of_copies_informs_and_ends(known):
    engine = used_to(known)
    events = feed(engine, wave(80, 0.9))
    assert floods(events) == ["opened"]
    (opened,) = events
    assert (opened.severity, opened.pages) == ("info", False)
    assert opened.at <= START + (KNOWN + 20) * MINUTE
    assert abs(opened.evidence.incident_start - START - KNOWN * MINUTE) <= 10 * MINUTE
    assert "of 2" in opened.evidence.summary
    assert [alert.family for alert in engine.alerts()] == ["flood"]
    assert engine.alert("lena") is None
    over = feed(engine, calm(DAY, first=KNOWN + 80))
    assert floods(over) == ["resolved"]
    assert over[0].alert_id == opened.alert_id
    assert "Over after" in over[0].evidence.summary
    assert engine.alerts() == []


def test_its_value_is_recomputed_from_what_is_stored(known):
    (opened,) = feed(used_to(known), wave(30, 0.9))
    (score,) = opened.evidence.scores
    i = score.inputs

    def log_probability(share: float) -> float:
        a, b = share * i["kappa"], (1 - share) * i["kappa"]
        return float(betaln(i["k"] + a, i["n"] - i["k"] + b) - betaln(a, b))

    by_hand = log_probability(i["p1"]) - log_probability(i["p"])
    assert by_hand == pytest.approx(score.value, rel=1e-9)
    assert score.value >= score.threshold


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(wave(80, None), id="nobody knows whether they are copies"),
        pytest.param(wave(80, 0.02), id="loud, and no copies"),
        pytest.param(wave(80, 0.9, dark=0.9), id="angry copies"),
        pytest.param(wave(5, 0.9), id="too few"),
        pytest.param(calm(DAY, first=KNOWN), id="the baseline"),
    ],
)
def test_nothing_else_is_a_flood(known, stream):
    assert floods(feed(used_to(known), stream)) == []


def test_angry_copies_are_a_brigade_and_no_flood_after_it(known):
    engine = used_to(known)
    events = feed(engine, wave(60, 0.9, dark=0.9) + calm(DAY, first=KNOWN + 60))
    assert {event.kind for event in events} == {"brigade"}
    assert {event.reason for event in events} >= {"opened", "resolved"}


def test_who_always_repeats_is_not_in_a_flood():
    engine = Engine()
    events = feed(engine, calm(KNOWN, copies=0.6) + wave(80, 0.6))
    assert floods(events) == []


def test_a_flood_that_never_ends_becomes_normal(known):
    engine = used_to(known)
    minutes = 6 * DAY
    events = feed(engine, calm(minutes, copies=0.9, first=KNOWN))
    assert floods(events) in ([], ["opened", "resolved"])
    loud = [
        replace(window, comments=2 * window.comments)
        for window in calm(minutes, copies=0.9, first=KNOWN + minutes)
    ]
    told = floods(feed(engine, loud))
    assert told in ([], ["opened", "resolved"])
    assert engine.alerts() == []


def test_a_flood_from_the_comments_themselves():
    engine = Engine()
    for comment in comments_of([Scene(3 * DAY, 0.5, 0.1)], 3):
        assert not floods(engine.observe(comment).events)
    first, told = START + 3 * DAY * MINUTE, []
    for index in range(200):
        text = f"win a free phone at my page, only today {index}"
        said = scored(first + index * MINUTE / 4, 10**6 + index, 0.1, text=text, author=f"b{index}")
        told += engine.observe(said).events
    assert [(event.kind, event.severity) for event in told] == [("comment_flood", "info")]


@pytest.mark.parametrize("cut", [1, 10, 40, 79, 300])
def test_a_restore_within_a_flood_is_no_interruption(known, cut):
    stream = wave(80, 0.9) + calm(DAY, first=KNOWN + 80)
    whole, broken = used_to(known), used_to(known)
    expected = feed(whole, stream)
    told = feed(broken, stream[:cut])
    told += feed(used_to(broken.snapshot("lena")), stream[cut:])
    assert told == expected


@pytest.mark.parametrize("observed", [True, False])
def test_a_flood_is_normal_only_if_its_last_hour_was_observed(known, observed):
    engine = used_to(known)
    feed(engine, wave(40, 0.9))
    flood = KolPipeline("lena", Policy(), decode("lena", engine.snapshot("lena")).kol).flood
    assert flood.tracker.open
    before = flood.state.copies_baseline.share
    hour = minute_of(START) // 60 + KNOWN // 60 + int(Policy().longest.total_seconds() // 3600) + 1
    start = hour * 60
    flood.state.n, flood.state.copies = 600, 540.0
    (event,) = flood.close_hour(hour, (start, start + 60 if observed else start))
    assert event.reason == "resolved"
    share = flood.state.copies_baseline.share
    assert share > 0.5 if observed else share == before


copied = st.builds(
    Scene, st.integers(20, 90), st.floats(2.0, 6.0), st.floats(0.0, 1.0), st.just(True)
)


def unflooded(
    monkeypatch: pytest.MonkeyPatch, comments: Sequence[ScoredComment]
) -> list[AlertEvent]:
    """What an engine says that has no monitor of floods."""
    with monkeypatch.context() as missed_input:
        missed_input.setattr(FloodMonitor, "learn_one", lambda *_: [])
        missed_input.setattr(FloodMonitor, "close_hour", lambda *_: [])
        engine = Engine()
        return [event for comment in comments for event in engine.observe(comment).events]


@checked(40)
@given(story=stories, wave=copied, more=stories, seed=SEEDS)
def test_every_other_event_is_as_without_a_flood_monitor(story, wave, more, seed):
    comments = comments_of([Scene(2 * DAY, 0.5, 0.1), *story, wave, *more], seed)
    engine = Engine()
    events = [event for comment in comments for event in engine.observe(comment).events]
    with pytest.MonkeyPatch.context() as monkeypatch:
        expected = unflooded(monkeypatch, comments)
    assert [event for event in events if event.kind != "comment_flood"] == expected
    assert not any(event.pages for event in events if event.kind == "comment_flood")


def test_the_baseline_of_copies_is_learnt_from_hours_and_one_loud_hour_teaches_little():
    usual = CopiesBaseline()
    for hour in range(23):
        usual.learn_hour(hour, 20, 4.0)
    assert not usual.known
    usual.learn_hour(23, 20, 4.0)
    assert usual.known
    assert usual.share == pytest.approx(0.2, abs=0.01)
    before = usual.doubt
    usual.learn_hour(24, 100_000, 100_000.0)
    assert usual.share < 0.32
    assert usual.doubt < before
