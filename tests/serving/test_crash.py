"""Killed in the middle of a replay: no accepted comment is lost, the alerts are the same.

Also when the service writes to PostgreSQL, and when it is the database server that is killed.
"""

import signal
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import httpx
import pandas as pd
import pytest

from benchmarks.chaos.outcome import comparable
from tests.serving import postgres
from tests.serving.conftest import NOW, NewUrl
from tests.serving.processes import ROOT, service
from tests.serving.streams import storm, wait_until_processed
from tests.serving.thoroughness import THOROUGH

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
    wait_until_processed(client, seconds=300)
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


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], Any]:
    """What comes of a stream when nothing happens, on SQLite."""

    @cache
    def run(stream: Callable[[], list[dict[str, Any]]]) -> Any:
        with service(tmp_path_factory.mktemp("undisturbed") / "a.db") as (_, client):
            assert set(send(client, stream())) == {"accepted"}
            expected = comparable(outcome(client))
        assert expected
        assert all(alert["trace"]["points"] for alert in expected)
        return expected

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "stream",
    [
        storms,
        pytest.param(
            airlines,
            marks=[
                pytest.mark.skipif(not THOROUGH, reason="only in `make test-thorough`"),
                pytest.mark.skipif(not AIRLINES.parent.exists(), reason="no ../shared"),
            ],
        ),
    ],
)
def test_a_killed_service_ends_where_an_undisturbed_one_does(
    new_url: NewUrl, undisturbed: Callable[[Any], Any], stream: Any
) -> None:
    items, expected = stream(), undisturbed(stream)
    third, killed = len(items) // 3, new_url()
    with service(killed) as (process, client):
        send(client, items[:third])
        status = client.get("/v1/status").json()["log"]
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert status["last_seq"] == third
    with service(killed) as (process, client):
        # A sender that does not know what arrived sends all of it again.
        assert set(send(client, items[:third])) == {"duplicate"}
        send(client, items[third : 2 * third])
        process.send_signal(signal.SIGKILL)
        process.wait()
    with service(killed) as (_, client):
        outcomes = send(client, items)
        assert set(outcomes[: 2 * third]) == {"duplicate"}
        assert set(outcomes[2 * third :]) == {"accepted"}
        assert comparable(outcome(client)) == expected


@pytest.mark.slow
def test_a_killed_database_server_costs_nothing(
    server: postgres.PostgresServer, undisturbed: Callable[[Any], Any]
) -> None:
    items, expected = storms(), undisturbed(storms)
    name, third = server.create("empty"), len(items) // 3
    with service(server.url(name)) as (_, client):
        send(client, items[:third])
        server.stop(signal.SIGQUIT)  # the pipeline is in the midst of it
        answer = client.post("/v1/comments", json=items[third : third + _CHUNK])
        assert (answer.status_code, answer.json()["code"]) == (503, "store")
        assert client.get("/healthz").status_code == 200
        server.start()
        outcomes = send(client, items)
        assert outcomes == ["duplicate"] * third + ["accepted"] * (len(items) - third)
        assert comparable(outcome(client)) == expected
        assert client.get("/readyz").status_code == 200
    assert server.execute("SELECT count(*) FROM comments", name) == [(len(items),)]
    server.drop(name)
