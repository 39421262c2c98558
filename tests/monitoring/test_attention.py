"""Attention surges: they inform once, and nothing else that is reported is changed by them."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from monitoring.alerts import AlertEvent
from monitoring.engine import Engine
from monitoring.kol_pipeline import KolPipeline
from monitoring.monitors.attention import AttentionMonitor
from monitoring.windows import WindowStats
from tests.monitoring.streams import MINUTE, START, windows

DAY = 1440
QUIET_DAYS = 730
SURGE_DAYS = 5
NEGATIVE_SHARE = 0.15


def bursty(
    seed: int, per_day: float, days: int, first_day: int, share: float = NEGATIVE_SHARE
) -> list[WindowStats]:
    """Comments in bursts of three on average, each about an hour long, at random times."""
    rng = np.random.default_rng(seed)
    counts: Counter[int] = Counter()
    for start in rng.integers(0, days * DAY, rng.poisson(per_day * days / 3)):
        for offset in rng.exponential(60.0, rng.geometric(1 / 3)):
            counts[int(start + offset)] += 1
    first = START + first_day * DAY * MINUTE
    found = []
    for minute, n in sorted(counts.items()):
        if minute < days * DAY:
            k = float(rng.binomial(n, share))
            found.append(WindowStats("lena", first + minute * MINUTE, n, k, 0.5 * (n - k)))
    return found


def rhythmic(
    seed: int, per_day: float, days: int, first_day: int = 0, share: float = NEGATIVE_SHARE
) -> list[WindowStats]:
    """Days with quiet nights; every other day a post draws half a day's comments."""
    rng = np.random.default_rng(seed)
    minutes = np.arange(days * DAY)
    rate = per_day / DAY * (1 - 0.8 * np.cos(2 * np.pi * minutes / DAY))
    for start in rng.integers(0, days * DAY, days // 2):
        rate += per_day / 2 / 180 * np.exp(-(minutes - start) / 180) * (minutes >= start)
    counts = rng.poisson(rate)
    first = START + first_day * DAY * MINUTE
    found = []
    for minute in np.flatnonzero(counts).tolist():
        n = int(counts[minute])
        k = float(rng.binomial(n, share))
        found.append(WindowStats("lena", first + minute * MINUTE, n, k, 0.5 * (n - k)))
    return found


def feed(engine: Engine, stream: Sequence[WindowStats]) -> list[AlertEvent]:
    return [event for window in stream for event in engine.observe_window(window)]


def crowd(events: Sequence[AlertEvent]) -> list[AlertEvent]:
    """The events without data gaps: a tenth of the comments leaves silences."""
    return [event for event in events if event.kind != "data_gap"]


def attention(events: Sequence[AlertEvent]) -> list[AlertEvent]:
    return [event for event in events if event.kind == "attention_surge"]


@pytest.fixture(scope="module")
def two_quiet_years() -> bytes:
    engine = Engine()
    feed(engine, bursty(1, 3, QUIET_DAYS, 0))
    assert engine.alerts() == []
    return engine.snapshot("lena")


@pytest.fixture(scope="module")
def busy() -> bytes:
    """Three weeks of a KOL with 500 comments a day."""
    engine = Engine()
    feed(engine, rhythmic(1, 500, 21))
    assert engine.alerts() == []
    return engine.snapshot("lena")


def restored(snapshot: bytes) -> Engine:
    engine = Engine()
    engine.restore("lena", snapshot)
    return engine


def surge(seed: int = 100) -> list[WindowStats]:
    """Five days of ten times the comments, of the normal mood."""
    first = START + QUIET_DAYS * DAY * MINUTE
    return list(windows(seed, 30 / DAY, SURGE_DAYS * DAY, NEGATIVE_SHARE, first=first))


def after(seed: int = 200, days: int = 20) -> list[WindowStats]:
    return bursty(seed, 3, days, QUIET_DAYS + SURGE_DAYS)


@pytest.mark.parametrize("seed", [100, 101, 102])
def test_ten_times_the_comments_are_reported_once_within_a_day(two_quiet_years, seed):
    engine = restored(two_quiet_years)
    begun = START + QUIET_DAYS * DAY * MINUTE
    (opened,) = attention(feed(engine, surge(seed)))
    assert (opened.reason, opened.severity, opened.pages) == ("opened", "info", False)
    assert begun < opened.at <= begun + timedelta(days=1)
    evidence = opened.evidence
    assert evidence.window_end - evidence.window_start == timedelta(days=1)
    assert evidence.comments >= 20
    assert 1.0 < evidence.expected_comments < 6.0
    assert evidence.summary == (
        f"Comments on @lena surged to {evidence.comments} in the last 24 hours, "
        f"{evidence.negative_share:.0%} of them negative. "
        f"Normal in that time: about {evidence.expected_comments:.0f}."
    )
    assert abs(evidence.incident_start - begun) <= timedelta(hours=8)
    assert [alert.family for alert in engine.alerts()] == ["attention"]
    assert engine.alert("lena") is None


def test_it_resolves_when_the_volume_is_back(two_quiet_years):
    engine = restored(two_quiet_years)
    events = attention(feed(engine, surge() + after()))
    assert [event.reason for event in events] == ["opened", "resolved"]
    opened, resolved = events
    ended = START + (QUIET_DAYS + SURGE_DAYS) * DAY * MINUTE
    assert ended - timedelta(hours=12) <= resolved.at <= ended + timedelta(hours=36)
    assert resolved.alert_id == opened.alert_id
    assert resolved.evidence.summary.startswith("Over after ")
    assert "comments in the last 24 hours; normal: about" in resolved.evidence.summary
    assert engine.alerts() == []


def test_a_level_that_stays_is_reported_once_and_becomes_normal(busy):
    engine = restored(busy)
    events = attention(feed(engine, rhythmic(7, 5_000, 40, 21)))
    assert [event.reason for event in events] == ["opened", "resolved"]
    lasted = events[1].at - events[0].at
    assert timedelta(days=5) <= lasted <= timedelta(days=30)


def test_a_second_surge_is_reported_though_the_first_was_learnt(busy):
    engine = restored(busy)
    weeks = [
        *rhythmic(7, 5_000, 4, 21),
        *rhythmic(8, 500, 45, 25),
        *rhythmic(9, 5_000, 2, 70),
    ]
    events = attention(feed(engine, weeks))
    assert [event.reason for event in events] == ["opened", "resolved", "opened"]


@pytest.mark.parametrize("seed", [2, 3])
def test_an_ordinary_rhythm_with_ordinary_posts_is_never_reported(seed):
    assert attention(feed(Engine(), rhythmic(seed, 500, 56))) == []


def test_few_comments_are_no_attention(two_quiet_years):
    burst = [
        WindowStats("lena", START + (QUIET_DAYS * DAY + 60 * at) * MINUTE, 1, 0.1, 0.5)
        for at in range(19)
    ]
    assert attention(feed(restored(two_quiet_years), [*burst, *after()])) == []


def test_a_post_that_has_faded_within_hours_is_no_attention(busy):
    first = START + 21 * DAY * MINUTE
    post = [WindowStats("lena", first + at * MINUTE, 40, 6.0, 15.0) for at in range(60)]
    rest = [window for window in rhythmic(4, 500, 5, 21) if window.start > post[-1].start]
    events = attention(feed(restored(busy), post + rest))
    assert events == []


def test_a_backlash_is_one_message(busy):
    engine = restored(busy)
    events = feed(engine, rhythmic(7, 5_000, 3, 21, share=0.6) + rhythmic(8, 500, 4, 24))
    assert {event.kind for event in crowd(events)} == {"backlash"}
    # The same volume with the normal mood is attention.
    calm = feed(restored(busy), rhythmic(7, 5_000, 3, 21) + rhythmic(8, 500, 4, 24))
    assert {event.kind for event in crowd(calm)} == {"attention_surge"}


def test_the_tail_of_a_backlash_is_not_reported_as_attention(busy):
    stream = [*rhythmic(7, 5_000, 1, 21, share=0.6), *rhythmic(9, 3_000, 1, 22)]
    assert {event.kind for event in feed(restored(busy), stream)} == {"backlash"}


def test_a_backlash_during_attention_is_reported_and_both_end(busy):
    stream = [
        *rhythmic(7, 5_000, 2, 21),
        *rhythmic(8, 5_000, 1, 23, share=0.6),
        *rhythmic(9, 500, 6, 24),
    ]
    engine = restored(busy)
    told = [(event.kind, event.reason) for event in crowd(feed(engine, stream))]
    surges = [reason for kind, reason in told if kind == "attention_surge"]
    assert surges == ["opened", "resolved"]
    kinds = [kind for kind, reason in told if reason == "opened"]
    assert kinds == ["attention_surge", "flip"]  # the volume was up before the mood turned
    assert engine.alerts() == []


@pytest.mark.parametrize("cut", [1, 30, 60, 90, 140])
def test_a_restore_changes_nothing(two_quiet_years, cut):
    stream = surge() + after()
    whole, broken = restored(two_quiet_years), restored(two_quiet_years)
    expected = feed(whole, stream)
    told = feed(broken, stream[:cut])
    again = restored(broken.snapshot("lena"))
    told += feed(again, stream[cut:])
    assert told == expected
    assert again.snapshot("lena") == whole.snapshot("lena")


def storm(seed: int) -> list[WindowStats]:
    """Attention, a backlash, praise and their ends."""
    return [
        *rhythmic(seed, 400, 12),
        *rhythmic(seed + 1, 4_000, 3, 12),
        *rhythmic(seed + 2, 4_000, 1, 15, share=0.7),
        *rhythmic(seed + 3, 400, 6, 16),
        *rhythmic(seed + 4, 3_000, 1, 22, share=0.01),
        *rhythmic(seed + 5, 400, 4, 23),
        *rhythmic(seed + 6, 6_000, 2, 27),
        *rhythmic(seed + 7, 500, 4, 29, share=0.5),
    ]


@pytest.mark.parametrize("seed", [10, 20, 30])
def test_every_other_event_and_status_is_as_without_the_monitor(seed):
    stream, engine = storm(seed), Engine()
    events = feed(engine, stream)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(AttentionMonitor, "learn_one", lambda *_: None)
        monkeypatch.setattr(AttentionMonitor, "close_hour", lambda *_: [])
        without = Engine()
        expected = feed(without, stream)
    assert [event.reason for event in attention(events)].count("opened") >= 1
    assert {event.kind for event in expected} & {"backlash", "slow_burn", "flip"}
    assert [event for event in events if event.kind != "attention_surge"] == expected
    assert engine.status("lena") == without.status("lena")


def test_open_attention_counts_for_no_decision_of_the_others(busy):
    engine = restored(busy)
    feed(engine, rhythmic(7, 5_000, 2, 21))
    pipeline = KolPipeline("lena", engine.policy("lena"), engine._monitors["lena"].state)
    assert pipeline.attention.tracker.open
    assert not pipeline.has_open_alert
    assert not any(hour.tainted for hour in pipeline.state.pending)
