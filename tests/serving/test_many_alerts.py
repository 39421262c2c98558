"""With 10,010 open alerts, metrics and the status cost little, and hold up nothing else."""

import asyncio
import json
import sqlite3
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from monitoring.evidence import Evidence
from serving.storage.instants import to_micros
from tests.serving.attacks.loop_watchdog import LIMIT
from tests.serving.conftest import NOW

_ALERTS = 10_010
_SEVERITIES = ("warning", "critical")


@pytest.fixture
def many(client: TestClient, tmp_path: Path) -> TestClient:
    """A service with open alerts on half as many KOLs; every hundredth is a false alarm."""
    evidence = Evidence(NOW, NOW, NOW, 100, 60.0, 20.0, 0.1, 5.0, (), None, "It rose." * 200)
    stored, at = json.dumps(evidence.to_dict()), to_micros(NOW)
    rows = [
        (f"a{n}", f"kol-{n // 2}", "backlash", _SEVERITIES[n % 2], "open", at, at, stored)
        for n in range(_ALERTS)
    ]
    actions = [
        (f"a{n}", f"kol-{n // 2}", "backlash", "warning", "false_alarm", "an", at, at)
        for n in range(0, _ALERTS, 100)
    ]
    database = sqlite3.connect(tmp_path / "test.db")
    with database:
        database.executemany(
            "INSERT INTO alerts (alert_id, kol_id, kind, severity, state, opened_at, updated_at,"
            " evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        database.executemany(
            "INSERT INTO actions (alert_id, kol_id, kind, severity, action, actor, at, seen_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            actions,
        )
    database.close()
    ends_at = (NOW + timedelta(hours=1)).isoformat()
    silence = {"reason": "a launch", "actor": "an", "ends_at": ends_at}
    for matchers in ({"kols": ["kol-1"]}, {"kinds": ["flip"]}):
        assert client.post("/v1/silences", json=silence | matchers).status_code == 201
    return client


def muted(shown: str) -> Counter[str]:
    """The muted alerts by severity, over all KOLs."""
    found = Counter[str]()
    for line in shown.splitlines():
        if line.startswith("groundswell_alerts_muted{"):
            labels, value = line.rsplit(" ", 1)
            found[labels.split('severity="')[1].split('"')[0]] += int(float(value))
    return found


def test_metrics_count_the_muted_of_many_alerts(many: TestClient) -> None:
    # Every hundredth is even, so a warning; the two alerts of kol-1 are a2 and a3.
    assert muted(many.get("/metrics").text) == {"warning": 101 + 1, "critical": 1}
    assert many.get("/v1/status").json()["open_alerts"] == _ALERTS


@pytest.mark.parametrize("path", ["/metrics", "/v1/status"])
def test_an_answer_takes_less_than_50_ms_and_no_step_20(
    many: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = list[float]()
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        steps.append(time.thread_time() - began)

    assert many.get(path).status_code == 200
    longest, fastest = list[float](), list[float]()
    with monkeypatch.context() as patch:
        patch.setattr(asyncio.Handle, "_run", timed)
        for _ in range(10):  # the machine may do something else meanwhile
            steps.clear()
            began = time.process_time()
            assert many.get(path).status_code == 200
            fastest.append(time.process_time() - began)
            longest.append(max(steps))
    assert min(longest) < LIMIT
    assert min(fastest) < 0.050
