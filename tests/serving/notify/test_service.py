"""The running service notifies a webhook on loopback: over HTTP, by the CLI, past a SIGKILL."""

import asyncio
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.cli import main as cli
from serving.cli import terminal
from serving.clock import TestClock
from serving.settings import Settings
from tests.serving.conftest import NOW
from tests.serving.notify.receiver import Answer, Receiver, answer, receiving
from tests.serving.processes import service
from tests.serving.streams import storm, wait_until_processed

CHANNELS = """
[channels.crm]
type = "webhook"
url = "{url}/hook"
secret_env = "CRM_SECRET"
per_minute = 600

[[routes]]
channels = ["crm"]
"""


@contextmanager
def listening(*answers: Answer) -> Iterator[Receiver]:
    """A receiver on a thread of its own."""
    loop, ready, ended = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Receiver] = []

    async def run() -> None:
        async with receiving(*answers) as receiver:
            found.append(receiver)
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert ready.wait(10)
    yield found[0]
    loop.call_soon_threadsafe(ended.set)
    thread.join(10)
    loop.close()


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Receiver], Path]:
    """Writes a channels file for a receiver and sets its secret."""

    def write(receiver: Receiver) -> Path:
        monkeypatch.setenv("CRM_SECRET", "0123456789abcdef")
        path = tmp_path / "channels.toml"
        path.write_text(CHANNELS.format(url=receiver.url))
        return path

    return write


def reasons(receiver: Receiver) -> list[str]:
    return [json.loads(request.body)["reason"] for request in receiver.requests]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def send(client: Any, items: list[dict[str, Any]]) -> None:
    for first in range(0, len(items), 500):
        assert client.post("/v1/comments", json=items[first : first + 500]).is_success
    wait_until_processed(client)


def test_a_backlash_reaches_the_webhook_and_can_be_sent_again(
    settings: Settings,
    classifier: SentimentClassifier,
    clock: TestClock,
    configured: Callable[[Receiver], Path],
) -> None:
    with listening(answer(404)) as receiver:
        path = configured(receiver)
        settings = settings.model_copy(
            update={"channels": path, "public_url": "https://pr.example"}
        )
        app = create_app(settings, classifier=classifier, clock=clock)
        with TestClient(app, raise_server_exceptions=False) as client:
            client.put("/v1/kols/lena", json={"name": "Lena Vane"})
            send(client, storm("lena", NOW - timedelta(hours=30)))

            def states() -> list[str]:
                clock.advance(timedelta(seconds=1))  # the channel keeps a pace
                return _states(client)

            until(lambda: "waiting" not in states())
            (alert,) = client.get("/v1/alerts").json()["items"]
            events = client.get(f"/v1/alerts/{alert['alert_id']}").json()["events"]
            listed = client.get("/v1/deliveries").json()["items"][::-1]
            assert [item["reason"] for item in listed] == [event["reason"] for event in events]
            assert [item["state"] for item in listed] == [
                "dead",
                *["delivered"] * (len(events) - 1),
            ]
            sent = json.loads(receiver.requests[0].body)
            assert sent["kol_name"] == "Lena Vane"
            assert sent["link"] == f"https://pr.example/alerts/{alert['alert_id']}"
            assert "Comments  " in sent["text"]

            dead = client.get("/v1/deliveries", params={"state": "dead"}).json()["items"]
            assert [item["error"] for item in dead] == ["answered 404"]
            again = client.post(f"/v1/deliveries/{dead[0]['delivery_id']}/resend").json()
            assert (again["state"], again["attempts"]) == ("waiting", 0)
            until(lambda: states().count("delivered") == len(events))
            assert receiver.requests[-1].headers["idempotency-key"] == dead[0]["key"]

            assert client.post("/v1/deliveries/99999/resend").status_code == 404
            page = client.get("/v1/deliveries", params={"limit": 1}).json()
            rest = client.get("/v1/deliveries", params={"cursor": page["next_cursor"]}).json()
            assert [item["delivery_id"] for item in [*page["items"], *rest["items"]]] == [
                item["delivery_id"] for item in listed[::-1]
            ]
            metrics = client.get("/metrics").text
            assert 'groundswell_deliveries_total{channel="crm",outcome="dead"} 1.0' in metrics
            assert 'groundswell_oldest_delivery_seconds{channel="crm"} 0.0' in metrics
            assert client.get("/readyz").json()["workers"]["dispatcher"] is True
    settings = settings.model_copy(update={"channels": None})
    with TestClient(create_app(settings, classifier=classifier, clock=clock)) as client:
        refused = client.post(f"/v1/deliveries/{listed[0]['delivery_id']}/resend")
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_channel")


def _states(client: Any) -> list[str]:
    return [item["state"] for item in client.get("/v1/deliveries").json()["items"]]


@pytest.mark.slow
def test_a_killed_service_sends_everything_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configured: Callable[[Receiver], Path]
) -> None:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=22)
    items = [
        item
        for item in storm("lena", start)
        if datetime.fromisoformat(item["created_at"]) < start + timedelta(hours=20, minutes=50)
    ]
    with listening(*[answer(503)] * 2) as receiver:
        monkeypatch.setenv("GROUNDSWELL_CHANNELS", str(configured(receiver)))
        with service(tmp_path / "killed.db") as (process, client):
            send(client, items)
            until(lambda: bool(receiver.requests))
            process.send_signal(signal.SIGKILL)
            process.wait()
        with service(tmp_path / "killed.db") as (_, client):
            until(lambda: "waiting" not in _states(client))
            listed = client.get("/v1/deliveries").json()["items"][::-1]
            assert {item["state"] for item in listed} == {"delivered"}
            assert listed[0]["reason"] == "opened"
            keys = [request.headers["idempotency-key"] for request in receiver.requests]
            assert set(keys) == {item["key"] for item in listed}
            again = [item for item in storm("lena", start) if item["comment_id"] == "lena-0-0"]
            send(client, again)  # what arrived before raises nothing
            assert len(client.get("/v1/deliveries").json()["items"]) == len(listed)


def test_a_channel_can_be_tried_and_a_file_checked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    configured: Callable[[Receiver], Path],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(terminal.out, "width", 200)
    assert cli.run(["notify", "test", "crm"]) == 2
    assert "GROUNDSWELL_CHANNELS is not set" in capsys.readouterr().err
    with listening(answer(204), answer(403, b"who are you")) as receiver:
        path = configured(receiver)
        monkeypatch.setenv("GROUNDSWELL_CHANNELS", str(path))
        assert cli.run(["notify", "test", "crm"]) == 0
        assert reasons(receiver) == ["test"]
        assert cli.run(["notify", "test", "crm"]) == 1
        assert "answered 403: who are you" in capsys.readouterr().err
        assert cli.run(["notify", "test", "cmr"]) == 2
        assert "its channels: crm" in capsys.readouterr().err
    assert cli.run(["notify", "test", "crm"]) == 1  # nobody listens any more
    assert cli.run(["check", "config", str(path)]) == 0
    assert "Channels: crm; routes: 1" in capsys.readouterr().err
    path.write_text(CHANNELS.format(url="http://crm.example.com").replace('["crm"]', '["cmr"]'))
    assert cli.run(["check", "config", str(path)]) == 2
    said = capsys.readouterr().err
    for line in (2, 4, 9):
        assert f"channels.toml:{line}: " in said
    assert cli.run(["serve", "--port", "0"]) == 1
    assert "'groundswell check config' shows all" in capsys.readouterr().err


def test_deliveries_are_listed_and_sent_again_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery = {
        "delivery_id": 7, "recorded_at": "2026-03-10T12:00:00Z", "channel": "crm", "kol_id": "[b]",
        "kind": "slow_burn", "reason": "opened", "severity": "warning", "state": "dead",
        "attempts": 50, "error": "answered 500", "key": "k", "not_before": None, "digest": None,
        "payload": "alert", "alert_id": "a1", "at": "2026-03-10T12:00:00Z", "every": None,
        "until": None, "due_at": "2026-03-10T12:00:00Z", "page": True, "step": None,
        "finished_at": None,
    }  # fmt: skip
    held = delivery | {"state": "waiting", "not_before": "2026-03-11T01:00:00Z"}
    page = json.dumps({"items": [delivery], "next_cursor": None}).encode()
    waiting = json.dumps({"items": [held], "next_cursor": None}).encode()
    monkeypatch.setattr(terminal.out, "width", 200)
    with listening(
        answer(200, page),
        answer(200, page),
        answer(200, waiting),
        answer(200, json.dumps(delivery).encode()),
    ) as receiver:
        monkeypatch.setenv("GROUNDSWELL_URL", receiver.url)
        assert cli.run(["notify", "list", "--dead"]) == 0
        shown = capsys.readouterr()
        for said in ("7", "2026-03-10 12:00", "[b]", "slow burn opened, warning", "answered 500"):
            assert said in shown.out
        assert "notify resend DELIVERY" in shown.err
        assert cli.run(["notify", "list", "--json", "--channel", "crm"]) == 0
        assert json.loads(capsys.readouterr().out) == [delivery]
        assert cli.run(["notify", "list"]) == 0
        assert "waiting, not before 2026-03-11 01:00" in capsys.readouterr().out
        assert cli.run(["notify", "resend", "7"]) == 0
    paths = [request.path for request in receiver.requests]
    assert paths == [
        "/v1/deliveries?state=dead&limit=100",
        "/v1/deliveries?channel=crm&limit=100",
        "/v1/deliveries?limit=100",
        "/v1/deliveries/7/resend",
    ]
