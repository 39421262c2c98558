"""Scoring, health, metrics, the stream, and errors that belong to no single route."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from tests.serving.conftest import NOW
from tests.serving.streams import storm

Item = Callable[..., dict[str, Any]]


def test_scores_in_the_order_of_the_texts(client: TestClient) -> None:
    answer = client.post("/v1/score", json={"texts": ["love it", "", "hate it", "\u200b"]}).json()
    assert answer["model"] == "fake-lexicon-1"
    labels = [prediction["label"] for prediction in answer["predictions"]]
    assert labels == ["positive", "neutral", "negative", "neutral"]
    assert [prediction["empty"] for prediction in answer["predictions"]] == [
        False,
        True,
        False,
        True,
    ]


def test_a_score_names_the_language_and_whether_it_can_be_relied_on(client: TestClient) -> None:
    texts = ["I waited three weeks for this and it arrived broken", "😍😍", "Das ist gut"]
    said = client.post("/v1/score", json={"texts": texts}).json()["predictions"]
    assert [one["language"] for one in said] == ["en", "und", "de"]
    assert [one["in_scope"] for one in said] == [True, False, True]


def test_nothing_to_score(client: TestClient) -> None:
    assert client.post("/v1/score", json={"texts": []}).json()["predictions"] == []


def test_any_text_can_be_scored(client: TestClient) -> None:
    body = json.dumps({"texts": ["a\ud800b", "a\0b", "😡" * 10_000, "bad " * 16_000]})
    answer = client.post("/v1/score", content=body, headers={"content-type": "application/json"})
    assert len(answer.json()["predictions"]) == 4


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 422, "invalid_parameter", "texts"),
        ({"texts": "one"}, 422, "invalid_parameter", "texts"),
        ({"texts": [1]}, 422, "invalid_parameter", "texts.0"),
        ({"texts": [], "text": 1}, 422, "invalid_parameter", "text"),
        ({"texts": ["x"] * 1001}, 422, "too_many_items", "texts"),
        ({"texts": ["x" * 65_537]}, 422, "invalid_parameter", "texts.0"),
    ],
)
def test_what_cannot_be_scored(
    client: TestClient, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    answer = client.post("/v1/score", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (
        status,
        code,
        field,
    )


def test_a_body_that_is_not_json(client: TestClient) -> None:
    for body, code in ((b"{", "malformed_json"), (b"\xff\xfe", "invalid_utf8")):
        answer = client.post(
            "/v1/score", content=body, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_unknown_addresses_and_methods_are_problems_too(client: TestClient) -> None:
    missing = client.get("/v1/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    wrong = client.delete("/v1/kols")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "GET"


def test_health(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    workers = ("group_commit", "model", "pipeline", "sources")
    assert ready.json()["workers"] == dict.fromkeys(workers, True)


def test_a_dead_worker_makes_the_service_not_ready(client: TestClient, item: Item) -> None:
    service = client.app.state.service  # type: ignore[attr-defined]
    client.portal.call(service.group_commit.stop)  # type: ignore[union-attr]
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["workers"]["group_commit"] is False
    assert client.get("/healthz").status_code == 200
    refused = client.post("/v1/comments", json=item())
    assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")


def test_a_full_log_answers_429(
    settings: Settings, classifier: SentimentClassifier, clock: TestClock, item: Item
) -> None:
    small = settings.model_copy(update={"log_queue": 1})
    app = create_app(small, classifier=classifier, clock=clock)
    with TestClient(app) as client:

        async def crowd() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as many:
                return await asyncio.gather(
                    *(many.post("/v1/comments", json=item()) for _ in range(40))
                )

        answers = client.portal.call(crowd)  # type: ignore[union-attr]
        kept = [answer for answer in answers if answer.status_code == 202]
        turned_away = [answer for answer in answers if answer.status_code == 429]
        assert kept
        assert turned_away
        assert len(kept) + len(turned_away) == 40
        assert turned_away[0].json()["code"] == "too_busy"
        assert int(turned_away[0].headers["retry-after"]) >= 1
        assert client.get("/v1/status").json()["log"]["last_seq"] == len(kept)


def test_labels_are_bounded(
    settings: Settings,
    classifier: SentimentClassifier,
    clock: TestClock,
    item: Item,
) -> None:
    few = settings.model_copy(update={"metrics_max_kols": 2})
    with TestClient(create_app(few, classifier=classifier, clock=clock)) as client:
        client.post("/v1/comments", json=[item(kol_id=f"kol-{n}") for n in range(5)])
        lines = client.get("/metrics").text.splitlines()
    received = [line for line in lines if line.startswith("groundswell_comments_received_total{")]
    assert received == [
        'groundswell_comments_received_total{kol="kol-0",outcome="accepted"} 1.0',
        'groundswell_comments_received_total{kol="kol-1",outcome="accepted"} 1.0',
        'groundswell_comments_received_total{kol="_other",outcome="accepted"} 3.0',
    ]


def test_docs_need_no_other_server(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "//cdn" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert client.get(f"/static-offline-docs/{asset}").status_code == 200
    assert client.get("/", follow_redirects=False).headers["location"] == "/docs"


async def test_the_stream_tells_alerts_and_moods_and_can_be_resumed(
    tmp_path: Path, classifier: SentimentClassifier
) -> None:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'stream.db'}", mood_interval=0.05, _env_file=None
    )
    app = create_app(settings, classifier=classifier, clock=TestClock(NOW))
    config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        listening = asyncio.create_task(listen(client, until="resolved"))
        items = storm("lena", NOW - timedelta(days=2))
        for first in range(0, len(items), 200):
            await client.post("/v1/comments", json=items[first : first + 200])
        received = await asyncio.wait_for(listening, 60)
        alerts = [event for event in received if event["event"] == "alert"]
        moods = [event for event in received if event["event"] == "mood"]
        assert (alerts[0]["data"]["reason"], alerts[-1]["data"]["reason"]) == ("opened", "resolved")
        assert all(int(event["id"]) == event["data"]["event_id"] for event in alerts)
        assert moods
        assert {event["data"]["kol_id"] for event in moods} == {"lena"}
        again = await asyncio.wait_for(
            listen(client, until="resolved", last_event_id=alerts[0]["id"]), 60
        )
        assert [event for event in again if event["event"] == "alert"] == alerts[1:]
    server.should_exit = True
    await asyncio.wait_for(serving, 20)


async def listen(
    client: httpx.AsyncClient, *, until: str, last_event_id: str = "0"
) -> list[dict[str, Any]]:
    """Events of the stream up to an alert's transition of the reason `until`."""
    received: list[dict[str, Any]] = []
    fields: dict[str, Any] = {}
    headers = {"Last-Event-ID": last_event_id}
    async with client.stream("GET", "/v1/stream", headers=headers) as answer:
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name in {"event", "id"}:
                fields[name] = value
            elif name == "data":
                fields["data"] = json.loads(value)
            elif not line and "data" in fields:
                received.append(fields)
                if fields["event"] == "alert" and fields["data"]["reason"] == until:
                    return received
                fields = {}
    return received
