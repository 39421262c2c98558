"""The service is killed ten times while it judges a storm with the shipped model."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.chaos.__main__ import DATABASES, broken, run
from benchmarks.chaos.outcome import ChaosOutcome, compare
from benchmarks.chaos.receiver import HookMessage
from benchmarks.chaos.report import row
from benchmarks.chaos.stream import comments
from tests.serving import postgres
from tests.serving.conftest import NOW

KILLS = 5  # on each database


@pytest.mark.slow
@pytest.mark.parametrize("database", DATABASES)
def test_kills_cost_nothing(database: str) -> None:
    if database == "PostgreSQL" and postgres.PROGRAMS is None:
        pytest.skip("PostgreSQL is not installed")
    items = comments(NOW - timedelta(days=3), 1, storm_only=True)
    found = run(database, items, KILLS, seed=1)
    assert broken(found) == []
    assert (found["kills"], found["comments"]) == (KILLS, len(items))
    assert found["alerts"] >= 1
    assert found["notifications"] >= 2


def told(key: str, reason: str) -> HookMessage:
    body = {"alert_id": "a1", "reason": reason, "severity": "warning", "at": "2026-03-01T10:00Z"}
    return HookMessage(key, body)


CALM = ChaosOutcome(
    acknowledged={("x", "1", "lena"), ("x", "2", "lena")},
    stored=[("x", "1", "lena"), ("x", "2", "lena")],
    scored=2,
    alerts=[{"alert_id": "a1", "state": "resolved"}],
    messages=[told("k1", "opened"), told("k2", "resolved")],
    kills=3,
    requests_repeated=0,
    seconds=1.0,
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"stored": [("x", "1", "lena")], "scored": 1}, ["lost"]),
        ({"scored": 1}, ["lost"]),
        ({"stored": [*CALM.stored, ("x", "2", "lena")]}, ["duplicates"]),
        ({"alerts": []}, ["diverging_alerts"]),
        ({"alerts": [{"alert_id": "a1", "state": "open"}]}, ["diverging_alerts"]),
        ({"alerts": [*CALM.alerts, {"alert_id": "a2"}]}, ["diverging_alerts"]),
        ({"messages": [told("k1", "opened")]}, ["lost_notifications"]),
        ({"messages": [*CALM.messages, told("k3", "opened")]}, ["repeated_notifications"]),
        ({"messages": [*CALM.messages, told("k3", "escalated")]}, ["repeated_notifications"]),
        ({"messages": [*CALM.messages, told("k1", "opened")]}, []),
    ],
)
def test_whatever_a_kill_costs_is_counted(changes: dict[str, Any], expected: list[str]) -> None:
    killed = replace(CALM, **changes)
    found = row("SQLite", killed, compare(CALM, killed))
    assert broken(found) == expected
    assert found["sent_again"] == len(killed.messages) - found["notifications"]
