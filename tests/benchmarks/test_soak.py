"""A soak of a few seconds with the shipped model, and what its verification notices."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chaos.receiver import HookMessage
from benchmarks.soak import plot, report
from benchmarks.soak.__main__ import run
from benchmarks.soak.memory import trend
from benchmarks.soak.samples import SoakSample
from benchmarks.soak.stream import endless_comments
from benchmarks.soak.traffic import SoakPlan, SoakTraffic
from benchmarks.soak.verification import SoakRemains, faults

BEGIN = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.mark.slow
def test_a_short_soak_loses_nothing(tmp_path: Path) -> None:
    plan = SoakPlan(minutes=0.05, share=0.5, capacity_seconds=1, copies=1, readers=3)
    found = run(plan, warm_up=0.0)
    assert set(found["faults"].values()) == {0}
    assert found["comments"] > 300
    assert 0 < found["delay"]["p50"] <= found["delay"]["p99"]
    assert found["memory"]["resident"]["first"] > found["memory"]["own"]["first"] > 50
    assert min(found["samples"]["descriptors"]) > 3
    report.save(tmp_path / "soak.json", found)
    assert json.loads((tmp_path / "soak.json").read_text()) == found
    plot.draw(found, tmp_path / "soak.png")
    assert (tmp_path / "soak.png").read_bytes().startswith(b"\x89PNG")


def test_the_stream_has_the_same_kols_after_two_days() -> None:
    items = list(islice(endless_comments(BEGIN, 2), 20_000))
    times = [item["created_at"] for item in items]
    assert times == sorted(times)
    assert len({item["comment_id"] for item in items}) == len(items)
    assert len({item["kol_id"] for item in items}) == 6
    assert datetime.fromisoformat(times[-1]) - BEGIN > timedelta(days=4)
    assert {one["parent_id"] for one in items if "parent_id" in one} <= {
        one["comment_id"] for one in items
    }


def received(key: str) -> HookMessage:
    return HookMessage(key, {})


TRAFFIC = SoakTraffic(
    capacity=100.0,
    rate=70.0,
    samples=[
        SoakSample(60.0 * minute, 500.0, 300.0, 50, 7.0, 10 * minute, 100 * minute, (0.1, 0.3))
        for minute in range(6)
    ],
    acknowledged={("x", "1", "lena"), ("x", "2", "lena")},
    requests_repeated=0,
    actions={"a1": 2},
    read=[[1, 2], [1, 2]],
)
REMAINS = SoakRemains(
    stored=[("x", "1", "lena"), ("x", "2", "lena")],
    scored=2,
    event_ids=[1, 2],
    alerts=[{"alert_id": "a1", "actions": [{}, {}]}],
    deliveries=[("k1", "delivered"), ("k2", "skipped")],
    messages=[received("k1")],
)


@pytest.mark.parametrize(
    ("traffic", "remains", "expected"),
    [
        ({}, {}, {}),
        ({}, {"stored": [("x", "1", "lena")], "scored": 1}, {"lost": 1}),
        ({}, {"scored": 1}, {"lost": 1}),
        ({}, {"stored": [*REMAINS.stored, ("x", "2", "lena")]}, {"duplicates": 1}),
        ({}, {"messages": []}, {"lost_notifications": 1}),
        ({}, {"deliveries": [("k1", "waiting")]}, {"lost_notifications": 1}),
        ({}, {"deliveries": [("k1", "dead")]}, {"lost_notifications": 1}),
        ({}, {"messages": [received("k1"), received("k1")]}, {"repeated_notifications": 1}),
        ({"actions": {"a1": 3}}, {}, {"lost_actions": 1}),
        ({"actions": {"a2": 1}}, {}, {"lost_actions": 1}),
        ({"read": [[1, 2], [2]]}, {}, {"lost_events": 1}),
        ({"read": [[1, 2], [1, 1, 2]]}, {}, {"repeated_events": 1}),
    ],
)
def test_whatever_a_soak_loses_is_counted(
    traffic: dict[str, Any], remains: dict[str, Any], expected: dict[str, int]
) -> None:
    found = faults(replace(TRAFFIC, **traffic), replace(REMAINS, **remains), REMAINS.alerts)
    assert {name: count for name, count in asdict(found).items() if count} == expected


@pytest.mark.parametrize("rebuilt", [[], [{"alert_id": "a1", "actions": [{}]}]])
def test_an_alert_that_a_rebuild_does_not_give_is_counted(rebuilt: list[Any]) -> None:
    assert faults(TRAFFIC, REMAINS, rebuilt).diverging_alerts == 1
    more = [*REMAINS.alerts, {"alert_id": "a2"}]
    assert faults(TRAFFIC, REMAINS, more).diverging_alerts == 1


@pytest.mark.parametrize(("growth", "fails"), [(0.0, False), (0.04, False), (0.06, True)])
def test_memory_that_grows_fails(growth: float, fails: bool) -> None:
    samples = [
        replace(sample, own=300.0 * (1 + growth * (sample.second - 120) / 180))
        for sample in TRAFFIC.samples
    ]
    samples[0] = replace(samples[0], own=30.0)  # the warm-up does not count
    traffic = replace(TRAFFIC, samples=samples)
    plan = SoakPlan(minutes=5, share=0.7, capacity_seconds=1, copies=1, readers=2)
    none = faults(TRAFFIC, REMAINS, REMAINS.alerts)
    found = report.result(BEGIN.date(), plan, 2.0, traffic, REMAINS, none, cores=[0])
    assert found["memory"]["own"]["change"] == pytest.approx(growth, abs=1e-3)
    assert bool(report.failures(found)) == fails


def test_anything_lost_fails() -> None:
    plan = SoakPlan(minutes=5, share=0.7, capacity_seconds=1, copies=1, readers=2)
    lost = faults(TRAFFIC, replace(REMAINS, messages=[]), REMAINS.alerts)
    found = report.result(BEGIN.date(), plan, 0.0, TRAFFIC, REMAINS, lost, cores=[0])
    assert report.failures(found) == ["1 lost notifications"]
    assert found["delays"] == {"p50": [0.2] * 5, "p99": [0.298] * 4 + [0.3]}


def test_the_trend_is_a_line_through_all_samples() -> None:
    line = trend([10, 20, 30], [100.0, 130.0, 100.0])
    assert (line.first, line.last) == (pytest.approx(110), pytest.approx(110))
    assert trend([0, 10], [100.0, 105.0]).change == pytest.approx(0.05)
