import zlib
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline import Baseline
from monitoring.engine import Engine
from monitoring.errors import OutOfOrderError, SnapshotError
from monitoring.exponential_window import ExponentialWindow
from monitoring.hours import Hour
from monitoring.monitors.praise import PraiseMonitor
from monitoring.policy import Policy
from monitoring.snapshot import KolSnapshot
from monitoring.windows import WindowStats
from tests.monitoring.streams import MINUTE, START, scored, windows

DAY = 1440
HOUR = timedelta(hours=1)


def feed(engine, stream):
    return [event for window in stream for event in engine.observe_window(window)]


def paging(events):
    return [event for event in events if event.pages]


@pytest.mark.parametrize("per_minute", [0.02, 0.3, 5.0])
def test_a_storm_pages_once_and_is_resolved(per_minute):
    added = max(3.0, per_minute * 4)
    crisis = (4 * DAY, 4 * DAY + 300, added, 0.75)
    engine = Engine()
    events = feed(engine, windows(3, per_minute, 5 * DAY, crisis=crisis))
    assert [event.reason for event in paging(events)] == ["opened"]
    page = paging(events)[0]
    assert START + 4 * DAY * MINUTE < page.at <= START + (4 * DAY + 40) * MINUTE
    assert page.evidence.negative_share > 2 * page.evidence.expected_negative_share
    assert "lena" in page.evidence.summary
    over = [event for event in events if event.reason == "resolved"]
    engine.reset("lena")
    if per_minute >= 0.3:
        assert len(over) == 1
        assert over[0].alert_id == page.alert_id


def test_a_turn_at_normal_volume_is_found_and_called_a_flip():
    calm = list(windows(5, 2.0, 6 * DAY))
    turned = list(windows(6, 2.0, DAY, share=0.5, first=START + 6 * DAY * MINUTE))
    events = paging(feed(Engine(), calm + turned))
    assert [(event.reason, event.kind) for event in events] == [("opened", "flip")]


def test_volume_alone_does_not_page():
    calm = list(windows(7, 1.0, 6 * DAY))
    viral = list(windows(8, 30.0, 300, first=START + 6 * DAY * MINUTE))
    assert paging(feed(Engine(), calm + viral)) == []


def test_a_surge_of_praise_informs_and_does_not_page():
    calm = list(windows(9, 1.0, 4 * DAY, share=0.2))
    first = START + 4 * DAY * MINUTE
    praise = [WindowStats("lena", first + minute * MINUTE, 20, 0.0, 19.0) for minute in range(120)]
    events = feed(Engine(), calm + praise)
    assert [event.kind for event in events if event.reason == "opened"] == ["praise_surge"]
    assert paging(events) == []


def test_a_monitor_of_praise_compares_with_the_baseline_from_the_start():
    base = Baseline()
    for number in range(48):
        base.learn_hour(Hour(number, comments=40, negative=8.0, positive=16.0, active=30))
    monitor = PraiseMonitor("lena", Policy(), base, ExponentialWindow())
    at_first = monitor.scores(48 * 60)
    monitor.refresh()
    assert monitor.scores(48 * 60) == at_first


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("n", [1, 7, 60])
def test_a_constant_stream_never_pages(share, n):
    stream = (
        WindowStats("lena", START + minute * MINUTE, n, n * share, n * (1 - share))
        for minute in range(0, 2 * DAY, 4)
    )
    assert paging(feed(Engine(), stream)) == []


def test_an_empty_stream_never_alerts():
    engine = Engine()
    empty = (WindowStats("lena", START + minute * MINUTE, 0, 0.0, 0.0) for minute in range(3 * DAY))
    assert feed(engine, empty) == []
    assert engine.advance("lena", START + timedelta(days=90)).events == []


def test_windows_must_be_in_order():
    engine = Engine()
    window = WindowStats("lena", START, 1, 0.0, 1.0)
    engine.observe_window(window)
    with pytest.raises(OutOfOrderError, match="lena"):
        engine.observe_window(window)
    with pytest.raises(OutOfOrderError):
        engine.observe_window(replace(window, start=START - MINUTE))


def test_silence_resolves_an_alert():
    engine = Engine()
    crisis = (4 * DAY, 4 * DAY + 60, 5.0, 0.8)
    feed(engine, windows(3, 0.02, 4 * DAY + 60, crisis=crisis))
    assert engine.alert("lena") is not None
    last = START + (4 * DAY + 60) * MINUTE
    events = engine.advance("lena", last + 12 * HOUR).events
    assert [event.reason for event in events] == ["resolved"]
    assert engine.alert("lena") is None
    assert engine.advance("lena", last + 24 * HOUR).events == []


def test_kols_do_not_influence_each_other():
    crisis = (2 * DAY, 2 * DAY + 200, 6.0, 0.8)
    one = list(windows(11, 0.5, 3 * DAY, kol="one"))
    two = list(windows(12, 0.5, 3 * DAY, kol="two", crisis=crisis))
    alone, together = Engine(), Engine()
    feed(alone, one)
    feed(together, sorted(one + two, key=lambda window: window.start))
    assert alone.snapshot("one") == together.snapshot("one")
    assert together.alerts() == [] or {a.kol_id for a in together.alerts()} == {"two"}


def test_overrides_are_per_kol():
    quiet = replace(Policy(), sensitivity=1e-30)
    crisis = (2 * DAY, 2 * DAY + 15, 3.0, 0.6)
    loud, hushed = Engine(), Engine(overrides={"lena": quiet})
    stream = list(windows(14, 1.0, 2 * DAY + 15, crisis=crisis))
    assert len(paging(feed(loud, stream))) == 1
    assert paging(feed(hushed, stream)) == []


@settings(max_examples=6, deadline=None)
@given(cut=st.integers(0, 1500), seed=st.integers(0, 5))
def test_snapshot_and_restore_equal_no_interruption(cut, seed):
    crisis = (1100, 1300, 4.0, 0.8)
    stream = list(windows(seed, 0.8, 1600, crisis=crisis))
    cut = min(cut, len(stream) - 1)
    whole = Engine()
    events = feed(whole, stream)
    first = Engine()
    early = feed(first, stream[: cut + 1])
    second = Engine()
    second.restore("lena", first.snapshot("lena"))
    assert second.snapshot("lena") == first.snapshot("lena")
    late = feed(second, stream[cut + 1 :])
    assert early + late == events
    assert second.snapshot("lena") == whole.snapshot("lena")
    assert second.status("lena") == whole.status("lena")


@settings(max_examples=5, deadline=None)
@given(cut=st.integers(1, 399))
def test_snapshot_keeps_open_minutes(cut):
    comments = [
        scored(START + timedelta(seconds=17 * i), i, (i * 7 % 10) / 10, author=f"a{i % 9}")
        for i in range(400)
    ]
    whole, first, second = Engine(), Engine(), Engine()
    expected = [whole.observe(comment) for comment in comments]
    seen = [first.observe(comment) for comment in comments[:cut]]
    second.restore("lena", first.snapshot("lena"))
    seen += [second.observe(comment) for comment in comments[cut:]]
    assert seen == expected
    assert second.snapshot("lena") == whole.snapshot("lena")


def test_repeats_are_known_after_a_restore():
    first, second = Engine(), Engine()
    first.observe(scored(START, 1))
    second.restore("lena", first.snapshot("lena"))
    assert second.observe(scored(START, 1)).duplicate
    assert second.status("lena").duplicates == 1


def retyped(data):
    """The snapshot with a text where a number belongs."""
    snapshot = msgspec.msgpack.decode(data[4:], type=KolSnapshot)
    kol, counter = msgspec.msgpack.decode(zlib.decompress(snapshot.state))
    kol[0] = "noon"
    snapshot.state = zlib.compress(msgspec.msgpack.encode([kol, counter]))
    return data[:4] + msgspec.msgpack.encode(snapshot)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda data: b"", "not a snapshot"),
        (lambda data: b"PK\x03\x04" + data, "not a snapshot"),
        (lambda data: data[:4] + b"\x04" + data[5:], "version 4, this build reads 6"),
        (lambda data: data[:5] + b"\x09" + data[6:], "version 9, this build reads 6"),
        (lambda data: data[:4], "damaged"),
        (lambda data: data[:-7], "damaged"),
        (lambda data: data[:5] + b"garbage", "damaged"),
        (lambda data: data[:-20] + bytes([data[-20] ^ 1]) + data[-19:], "damaged"),
        (retyped, "damaged"),
    ],
)
def test_a_foreign_snapshot_is_refused(damage, says):
    engine = Engine()
    engine.observe(scored(START, 1))
    with pytest.raises(SnapshotError, match=says):
        engine.restore("lena", damage(engine.snapshot("lena")))


def test_a_snapshot_of_another_kol_is_refused():
    engine = Engine()
    engine.observe(scored(START, 1))
    with pytest.raises(SnapshotError, match="belongs to 'lena'"):
        engine.restore("mina", engine.snapshot("lena"))


def test_a_quiet_kol_is_small():
    engine = Engine()
    for i in range(300):
        text = f"{i * 7919 % 1000003} comment number words {i * 104729 % 999983} and more"
        engine.observe(scored(START + i * HOUR, i, 0.1, text=text, author=f"author-{i}"))
    assert len(engine.snapshot("lena")) < 16 * 1024


def test_status_of_a_calm_and_of_a_stormy_kol():
    engine = Engine()
    crisis = (2 * DAY, 2 * DAY + 60, 6.0, 0.9)
    feed(engine, windows(21, 0.5, 2 * DAY))
    calm = engine.status("lena")
    assert calm.alert_id is None
    assert calm.score < 1
    assert abs(calm.negative_share - 0.15) < 0.1
    assert 20 < calm.expected_comments_per_hour < 40
    stormy = Engine()
    feed(stormy, windows(21, 0.5, 2 * DAY + 60, crisis=crisis))
    status = stormy.status("lena")
    assert status.alert_id == stormy.alerts()[0].alert_id
    assert status.severity in ("warning", "critical")
    assert status.score > 1
    assert status.negative_share > 0.6
    assert status.mood < calm.mood
    with pytest.raises(KeyError):
        engine.status("nobody")


def test_a_new_kol_is_still_learning():
    engine = Engine()
    feed(engine, windows(22, 0.5, 120))
    assert engine.status("lena").learning
    feed(engine, windows(22, 0.5, 3 * DAY, first=START + 120 * MINUTE))
    assert not engine.status("lena").learning


@settings(max_examples=4, deadline=None)
@given(shift=st.integers(0, 23))
def test_the_time_zone_does_not_decide(shift):
    crisis = (4 * DAY, 4 * DAY + 200, 4.0, 0.8)
    first = START + shift * HOUR
    events = paging(feed(Engine(), windows(3, 0.4, 5 * DAY, crisis=crisis, first=first)))
    assert [event.reason for event in events] == ["opened"]
    assert events[0].at - first <= timedelta(days=4, minutes=40)


def test_a_kol_with_few_comments_is_learning_for_longer_than_a_day():
    engine = Engine()
    feed(engine, windows(23, 0.01, 3 * DAY // 2))
    pipeline = engine._monitors["lena"]
    assert pipeline.baseline.hours >= 24
    assert pipeline.baseline.weight < 20
    assert engine.status("lena").learning


def test_a_kol_that_was_reset_begins_anew_with_its_next_comment():
    engine = Engine(Policy())
    engine.observe(scored(START + timedelta(days=2), 1))
    assert engine.observe(scored(START, 2)).late
    engine.reset("lena")
    assert not engine.observe(scored(START, 3)).late
