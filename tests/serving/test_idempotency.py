"""A request with an idempotency key is carried out once, also around a kill."""

import asyncio
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import TestClock
from serving.errors import StoreError
from serving.settings import Settings
from serving.storage import keyed_request_store
from serving.storage.access_tables import keyed_requests
from serving.storage.database import Database
from serving.storage.silence_store import SilenceStore
from tests.serving.conftest import NOW, NewUrl

SILENCE = {
    "ends_at": (NOW + timedelta(hours=1)).isoformat(),
    "reason": "x",
    "actor": "a",
    "max_severity": "warning",
}
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"


def post(
    client: TestClient | httpx.Client,
    path: str = "/v1/silences",
    body: object = SILENCE,
    *,
    key: str = KEY,
) -> Any:
    return client.post(path, json=body, headers={"Idempotency-Key": key})


def silences(client: TestClient) -> int:
    return len(client.get("/v1/silences").json()["items"])


def test_a_repeat_gets_the_first_answer_and_changes_nothing(client: TestClient) -> None:
    first = post(client)
    entries = len(client.get("/v1/audit").json()["items"])
    second = post(client, key=f'"{KEY}"')  # as the draft writes it
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["content-type"] == first.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert silences(client) == 1
    assert len(client.get("/v1/audit").json()["items"]) == entries
    assert post(client, key="another").json()["silence_id"] != first.json()["silence_id"]
    assert client.post("/v1/silences", json=SILENCE).status_code == 201


def test_a_key_of_another_request_is_refused(client: TestClient) -> None:
    post(client)
    for path, body in (
        ("/v1/silences", SILENCE | {"reason": "y"}),
        ("/v1/silences?x=1", SILENCE),
        ("/v1/silences/1/expire", SILENCE),
    ):
        answer = post(client, path, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused"), path
    assert silences(client) == 1


def test_a_key_that_cannot_be_read_is_refused(client: TestClient) -> None:
    wrong: tuple[Any, ...] = ("", '"', '""', "a b", '"a"b"', "é".encode(), "x" * 256)
    for key in wrong:
        answer = post(client, key=key)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key"), key
    assert silences(client) == 0


def test_a_request_that_changed_nothing_is_tried_again(client: TestClient) -> None:
    wrong = SILENCE | {"ends_at": NOW.isoformat()}
    assert post(client, body=wrong).status_code == 422
    assert post(client, body=SILENCE).status_code == 201


def test_a_secret_is_not_stored_and_a_repeat_names_the_remedy(
    client: TestClient, settings: Settings
) -> None:
    body = {"name": "tool", "scopes": ["read"]}
    secret = post(client, "/v1/keys", body).json()["key"]
    again = post(client, "/v1/keys", body)
    assert (again.status_code, again.json()["code"]) == (409, "already_done")
    assert "rotate" in again.json()["detail"]
    assert len(client.get("/v1/keys").json()["items"]) == 1
    (row,) = rows(settings.database_url)
    assert row.body is None
    stored = Path(settings.database_url.removeprefix("sqlite:///"))
    files = b"".join(one.read_bytes() for one in stored.parent.glob(stored.name + "*"))
    assert secret.rpartition("_")[2].encode() not in files
    assert KEY.encode() not in files


def rows(url: str) -> list[Any]:
    async def read() -> list[Any]:
        database = Database(url)
        async with database.read() as connection:
            found = list((await connection.execute(select(keyed_requests))).all())
        await database.close()
        return found

    return asyncio.run(read())


def test_an_erasure_takes_stored_answers_away(client: TestClient, settings: Settings) -> None:
    client.put("/v1/kols/lena", json={"name": "Lena Ha"})
    path, body = "/v1/kols/lena/archive", {"actor": "a"}
    assert post(client, path, body).json()["name"] == "Lena Ha"
    client.delete("/v1/kols/lena")
    answer = post(client, path, body)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_done")
    (row,) = rows(settings.database_url)
    assert (row.status, row.headers, row.body) == (None, None, None)


async def test_the_oldest_requests_of_a_principal_go_first(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_request_store, "_OF_A_PRINCIPAL", 2)
    async with app.router.lifespan_context(app):
        async with http(app) as client:
            for key in "abc":
                await client.post("/v1/silences", json=SILENCE, headers={"Idempotency-Key": key})
            answers = [
                await client.post("/v1/silences", json=SILENCE, headers={"Idempotency-Key": key})
                for key in "cba"
            ]
        replayed = ["idempotency-replayed" in answer.headers for answer in answers]
        assert replayed == [True, True, False]


@pytest.fixture
def app(settings: Settings, classifier: SentimentClassifier, clock: TestClock) -> FastAPI:
    return create_app(settings, classifier=classifier, clock=clock)


def http(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url="http://testserver",
    )


async def test_the_same_request_waits_while_the_first_is_carried_out(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, may_end = asyncio.Event(), asyncio.Event()
    real = SilenceStore.add

    async def slow(self: SilenceStore, silence: Any) -> Any:
        started.set()
        await may_end.wait()
        return await real(self, silence)

    monkeypatch.setattr(SilenceStore, "add", slow)
    headers = {"Idempotency-Key": KEY}
    async with app.router.lifespan_context(app), http(app) as client:
        first = asyncio.create_task(client.post("/v1/silences", json=SILENCE, headers=headers))
        async with asyncio.timeout(10):
            await started.wait()
            second = await client.post("/v1/silences", json=SILENCE, headers=headers)
        assert (second.status_code, second.json()["code"]) == (409, "request_in_progress")
        assert second.headers["retry-after"] == "1"
        may_end.set()
        assert (await first).status_code == 201
        assert (await client.post("/v1/silences", json=SILENCE, headers=headers)).is_success


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after it"])
def test_a_store_that_fails_tells_whether_something_was_changed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    real = SilenceStore.add

    async def fail(self: SilenceStore, silence: Any) -> Any:
        if after:
            await real(self, silence)
        raise StoreError("no")

    with monkeypatch.context() as patched:
        patched.setattr(SilenceStore, "add", fail)
        assert post(client).status_code == 503
    answer = post(client)
    assert answer.status_code == (409 if after else 201)
    assert silences(client) == 1


KILLED = """
import os, signal, sys
from fastapi.testclient import TestClient
from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.clock import TestClock
from serving.settings import Settings
from serving.storage.keyed_request_store import KeyedRequestStore
from serving.storage.silence_store import SilenceStore
from tests.serving.test_idempotency import post
from tests.serving.conftest import NOW

def kill(*_args):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "after":
    KeyedRequestStore.save = kill
else:
    import serving.access.idempotency_keys as module
    module.mark_request = kill  # all is written, nothing is committed
settings = Settings(database_url=sys.argv[1], access="open", _env_file=None)
app = create_app(
    settings, classifier=SentimentClassifier.from_backend(FakeBackend()), clock=TestClock(NOW)
)
with TestClient(app) as client:
    post(client, key=sys.argv[2])
"""


def test_a_kill_leaves_no_doubt_about_the_change(
    new_url: NewUrl, classifier: SentimentClassifier, clock: TestClock
) -> None:
    url = new_url()
    for moment in ("before", "after"):
        killed = subprocess.run([sys.executable, "-c", KILLED, url, moment], check=False)
        assert killed.returncode == -signal.SIGKILL
    settings = Settings(database_url=url, access="open", _env_file=None)
    app = create_app(settings, classifier=classifier, clock=clock)
    with TestClient(app) as client:
        assert silences(client) == 1  # of the second
        answer = post(client, key="after")
        assert (answer.status_code, answer.json()["code"]) == (409, "already_done")
        assert "GET /v1/silences" in answer.json()["detail"]
        assert post(client, key="before").status_code == 201
        assert silences(client) == 2
