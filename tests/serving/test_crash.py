"""SIGKILL in the middle of a replay: no accepted comment is lost, the alerts are the same."""

import json
import signal
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from tests.serving.conftest import NOW
from tests.serving.processes import ROOT, service
from tests.serving.streams import storm, wait_until_worked_off

AIRLINES = ROOT.parent / "shared" / "streams" / "airline_feb2015.parquet"
_CHUNK = 100


def send(client: httpx.Client, items: list[dict[str, Any]]) -> list[str]:
    """Send items in chunks; returns what became of each."""
    outcomes = []
    for first in range(0, len(items), _CHUNK):
        answer = client.post("/v1/comments", json=items[first : first + _CHUNK]).json()
        assert answer["rejected"] == 0
        outcomes += [entry["status"] for entry in answer["items"]]
    return outcomes


def outcome(client: httpx.Client) -> list[Any]:
    """Every alert with its transitions, evidence and trace."""
    wait_until_worked_off(client, seconds=300)
    ids = [alert["alert_id"] for alert in client.get("/v1/alerts").json()["items"]]
    return [client.get(f"/v1/alerts/{alert_id}").json() for alert_id in ids]


def airlines() -> list[dict[str, Any]]:
    """Six days of the real stream, its worst one last; the human label speaks as a word."""
    frame = pd.read_parquet(AIRLINES).sort_values(["created_at", "comment_id"], kind="stable")
    frame = frame[frame["created_at"] < "2015-02-23T00:00:00Z"]
    columns = ["platform", "comment_id", "kol_id", "author_id", "text", "lang"]
    items = frame[columns].astype(str).to_dict("records")
    for item, at, label in zip(items, frame["created_at"], frame["label"], strict=True):
        item["created_at"] = datetime.isoformat(at)
        item["text"] += {"negative": " hate hate hate", "positive": " love love"}.get(label, "")
    return items


def storms() -> list[dict[str, Any]]:
    items = storm("lena", NOW) + storm("mina", NOW)
    return sorted(items, key=lambda item: (item["created_at"], item["comment_id"]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "stream",
    [
        storms,
        pytest.param(
            airlines, marks=pytest.mark.skipif(not AIRLINES.parent.exists(), reason="no ../shared")
        ),
    ],
)
def test_a_killed_service_ends_where_an_undisturbed_one_does(tmp_path: Path, stream: Any) -> None:
    items = stream()
    with service(tmp_path / "undisturbed.db") as (_, client):
        assert set(send(client, items)) == {"accepted"}
        expected = outcome(client)
    assert expected
    assert all(alert["trace"]["points"] for alert in expected)

    third = len(items) // 3
    with service(tmp_path / "killed.db") as (process, client):
        send(client, items[:third])
        status = client.get("/v1/status").json()["log"]
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert status["last_seq"] == third
    with service(tmp_path / "killed.db") as (process, client):
        # A sender that does not know what arrived sends all of it again.
        assert set(send(client, items[:third])) == {"duplicate"}
        send(client, items[third : 2 * third])
        process.send_signal(signal.SIGKILL)
        process.wait()
    with service(tmp_path / "killed.db") as (_, client):
        outcomes = send(client, items)
        assert set(outcomes[: 2 * third]) == {"duplicate"}
        assert set(outcomes[2 * third :]) == {"accepted"}
        assert comparable(outcome(client)) == comparable(expected)
    with closing(sqlite3.connect(tmp_path / "killed.db")) as database:
        assert database.execute("SELECT count(*) FROM comments").fetchone() == (len(items),)


def comparable(alerts: list[Any]) -> Any:
    """Without event ids, and with figures to six digits: numpy's last bit depends on the batch."""
    for alert in alerts:
        for event in alert["events"]:
            event.pop("event_id")
    return json.loads(json.dumps(alerts), parse_float=lambda figure: f"{float(figure):.6g}")
