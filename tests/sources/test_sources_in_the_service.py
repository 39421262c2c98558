"""Sources in the real service: added by the API, asked, committed, blind and seeing again."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from werkzeug import Response

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.clock import SystemClock
from serving.settings import Settings
from serving.sources.registry import register, unregister
from serving.sources.supervisor import is_same
from serving.storage.source_record import SourceRecord
from tests.sources.fake_platform import FakeComment, FakePlatform, Refusal
from tests.sources.fakes.webhook import SendingProgram
from tests.sources.toy_platform import ToyPlatform
from tests.sources.toy_source import TOY, ToySource


@contextmanager
def service(folder: Path) -> Iterator[TestClient]:
    """A service whose sources may ask this machine."""
    settings = Settings(
        database_url=f"sqlite:///{folder / 'test.db'}",
        source_key_file=folder / "source.key",
        source_private_addresses=True,
        public_url="https://pr.example.com",
        _env_file=None,
    )
    app = create_app(settings, classifier=SentimentClassifier.from_backend(FakeBackend()))
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, empty: Path) -> Path:
    """Of the service that most tests share."""
    found = tmp_path_factory.mktemp("sources")
    shutil.copy(empty, found / "test.db")
    return found


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ToySource, "least_interval", timedelta(milliseconds=50))
        patch.setattr(ToySource, "most_interval", timedelta(milliseconds=100))
        patch.setattr("serving.sources.backoff.FIRST", 0.1)
        patch.setenv("GROUNDSWELL_SOURCE_TOY", "from-the-environment")
        register(TOY)
        with service(folder) as client:
            yield client
        unregister("toy")


@pytest.fixture(autouse=True)
def _removed(client: TestClient) -> Iterator[None]:
    """Each test has sources and a KOL of its own."""
    yield
    for one in client.get("/v1/sources").json()["items"]:
        assert client.delete(f"/v1/sources/{one['source_id']}").status_code == 204


@pytest.fixture
def kol(request: pytest.FixtureRequest) -> str:
    name: str = request.node.name
    return name.removeprefix("test_").replace("_", "-")[:60]


@pytest.fixture
def toys() -> Iterator[ToyPlatform]:
    fake = ToyPlatform(SystemClock())
    fake.begin()
    yield fake
    fake.end()


def published(count: int, start: int = 0) -> list[FakeComment]:
    now = datetime.now(UTC)
    return [
        FakeComment(f"c{n}", f"comment {n}", now - timedelta(minutes=60 - n % 50), f"author-{n}")
        for n in range(start, start + count)
    ]


def until(found: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Wait for something to be true."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if answer := found():
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not come")


def add(client: TestClient, fake: FakePlatform, name: str) -> dict[str, Any]:
    """A source that is named as its KOL."""
    body = {"type": fake.type, "name": name, "kol_id": name, "settings": fake.settings()}
    answer = client.post("/v1/sources", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def stored(client: TestClient, kol_id: str) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/kols/{kol_id}/comments", params={"limit": 1000})
    return list(answer.json().get("items", []))


def source(client: TestClient, source_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/sources/{source_id}").json()
    return found


def test_a_toy_is_a_working_source(client: TestClient, toys: ToyPlatform, kol: str) -> None:
    toys.publish(*published(25))
    types = {one["type"]: one for one in client.get("/v1/source-types").json()["items"]}
    asked = {one["name"]: one["kind"] for one in types["toy"]["settings"]}
    assert asked == {"toy": "text", "token": "secret", "api_url": "text"}
    body = {"type": "toy", "name": "Robot", "kol_id": kol, "settings": toys.settings()}
    preview = client.post("/v1/sources/preview", json=body).json()
    assert len(preview["comments"]) == 10
    assert client.get("/v1/sources").json() == {"items": []}
    added = add(client, toys, kol)
    until(lambda: len(stored(client, kol)) == 25)
    toys.edit("c3", "all right now")
    toys.remove("c4")
    until(lambda: "all right now" in {one["text"] for one in stored(client, kol)})
    until(lambda: len(stored(client, kol)) == 24)
    shown = source(client, added["source_id"])
    assert (shown["state"], shown["accepted"], shown["error"]) == ("running", 25, None)
    metrics = client.get("/metrics").text
    assert f'groundswell_source_blind{{platform="toy",source="{kol}"}} 0.0' in metrics


def test_it_continues_from_its_cursor_after_a_restart(
    tmp_path: Path, empty: Path, toys: ToyPlatform, kol: str
) -> None:
    toys.publish(*published(12))
    shutil.copy(empty, tmp_path / "test.db")
    with service(tmp_path) as former:
        added = add(former, toys, kol)
        until(lambda: source(former, added["source_id"])["accepted"] == 12)
    asked = len(toys.requests)
    toys.publish(*published(8, start=12))
    with service(tmp_path) as later:
        until(lambda: len(stored(later, kol)) == 20)
    assert int(toys.requests[asked].args["after"]) == 12


def test_a_token_that_expired_is_reported_and_so_is_its_end(
    client: TestClient, toys: ToyPlatform, kol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = f"no access with {toys.settings()['token']}"  # some platforms repeat it
    monkeypatch.setattr(toys, "refused", lambda _: Response(said, status=401))
    toys.publish(*published(2))
    added = add(client, toys, kol)
    until(lambda: len(stored(client, kol)) == 2)
    toys.refuse(Refusal.EXPIRED, times=3)
    found = until(lambda: client.get("/v1/outages").json()["items"])[0]
    assert found["kind"] == "token_expired"
    assert "token" in found["remedy"]
    assert found["cause"].endswith("no access with …")
    assert found["source_id"] == added["source_id"]
    toys.publish(*published(3, start=2))
    until(lambda: len(stored(client, kol)) == 5)
    ended = until(
        lambda: [one for one in client.get("/v1/outages").json()["items"] if one["ended_at"]]
    )[0]
    assert ended["since"] < ended["ended_at"]
    assert client.get("/v1/outages", params={"open": True}).json()["items"] == []
    assert source(client, added["source_id"])["state"] == "running"
    assert (
        f'groundswell_source_errors_total{{kind="token_expired",platform="toy",source="{kol}"}}'
        in client.get("/metrics").text
    )


def test_secrets_are_shown_nowhere(
    client: TestClient, toys: ToyPlatform, kol: str, folder: Path
) -> None:
    secret = toys.settings()["token"]
    added = add(client, toys, kol)
    listed = client.get("/v1/sources").text + json.dumps(added)
    listed += client.get("/v1/audit").text
    assert secret not in listed
    until(lambda: toys.requests)
    assert toys.requests[0].headers["Authorization"] == f"Bearer {secret}"
    everything = b"".join(one.read_bytes() for one in folder.glob("test.db*"))
    assert secret.encode() not in everything
    assert (folder / "source.key").stat().st_mode & 0o777 == 0o600


def test_a_secret_may_be_named_by_a_variable(
    client: TestClient, toys: ToyPlatform, kol: str
) -> None:
    settings = toys.settings() | {"token": "env:GROUNDSWELL_SOURCE_OTHER"}
    body = {"type": "toy", "name": "Robot", "kol_id": kol, "settings": settings}
    refused = client.post("/v1/sources", json=body)
    assert refused.status_code == 422
    assert "GROUNDSWELL_SOURCE_OTHER is not set" in refused.json()["detail"]
    other = body | {"settings": settings | {"token": "env:PATH"}}
    assert "begin with GROUNDSWELL_SOURCE_" in client.post("/v1/sources", json=other).text
    right = body | {"settings": settings | {"token": "env:GROUNDSWELL_SOURCE_TOY"}}
    assert client.post("/v1/sources", json=right).status_code == 201
    until(lambda: toys.requests)
    assert toys.requests[0].headers["Authorization"] == "Bearer from-the-environment"


def test_pause_resume_change_and_remove(client: TestClient, toys: ToyPlatform, kol: str) -> None:
    source_id = add(client, toys, kol)["source_id"]
    until(lambda: toys.requests)
    paused = client.post(f"/v1/sources/{source_id}/pause").json()
    assert paused["state"] == "paused"
    asked = len(toys.requests)
    toys.publish(*published(3))
    assert client.get("/v1/sources").json()["items"][0]["state"] == "paused"
    assert len(toys.requests) == asked
    client.post(f"/v1/sources/{source_id}/resume")
    until(lambda: len(stored(client, kol)) == 3)
    bad = client.patch(f"/v1/sources/{source_id}", json={"settings": {"toy": ""}})
    assert bad.status_code == 422
    assert bad.json()["field"] == "settings.toy"
    news = {"name": "Toy robot", "settings": {"token": "another-token"}}
    assert client.patch(f"/v1/sources/{source_id}", json=news).json()["name"] == "Toy robot"
    until(lambda: toys.requests[-1].headers["Authorization"] == "Bearer another-token")
    assert client.delete(f"/v1/sources/{source_id}").status_code == 204
    assert client.get(f"/v1/sources/{source_id}").status_code == 404
    assert len(stored(client, kol)) == 3


def test_a_source_that_hangs_or_raises_blocks_no_other(
    client: TestClient, toys: ToyPlatform, kol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = ToySource.poll

    async def fail(self: ToySource, cursor: Any) -> Any:
        if self._toy == "broken":
            raise RuntimeError("a bug")
        return await poll(self, cursor)

    monkeypatch.setattr(ToySource, "poll", fail)
    toys.publish(*published(5))
    settings = toys.settings() | {"toy": "broken"}
    body = {"type": "toy", "name": "Broken", "kol_id": kol, "settings": settings}
    broken = client.post("/v1/sources", json=body).json()
    add(client, toys, kol)
    until(lambda: len(stored(client, kol)) == 5)
    until(lambda: source(client, broken["source_id"])["error_kind"] == "unexpected")
    assert source(client, broken["source_id"])["state"] == "failing"  # it may pass
    assert 'groundswell_worker_errors_total{worker="source"}' in client.get("/metrics").text


def test_comments_that_cannot_be_taken_are_counted(
    client: TestClient, toys: ToyPlatform, kol: str
) -> None:
    good, bad = published(2)
    toys.publish(good, replace(bad, created_at=bad.created_at.replace(tzinfo=None)))
    source_id = add(client, toys, kol)["source_id"]
    until(lambda: len(stored(client, kol)) == 1)
    shown = until(lambda: (one := source(client, source_id))["rejected"] and one)
    assert "zone" in shown["rejected_why"]


def test_a_source_is_started_anew_only_if_it_means_something_else() -> None:
    running = SourceRecord(
        "s1", "toy", "Robot", "lena", "toy", {}, None, "t", 1, None, "mai", datetime.now(UTC)
    )
    assert is_same(running, replace(running, cursor={"poll": 1}, accepted=7))
    for changes in ({"generation": 2}, {"kol_id": "mina"}, {"name": "Toy"}):
        assert not is_same(running, replace(running, **changes))
    assert not is_same(running, None)


def sent(client: TestClient, url: str, call: Any) -> httpx.Response:
    answer: httpx.Response = client.post(
        url.removeprefix("https://pr.example.com"), content=call.body, headers=dict(call.headers)
    )
    return answer


def test_a_webhook_verifies_commits_and_refuses_replays(client: TestClient, kol: str) -> None:
    program = SendingProgram(SystemClock())
    program.begin()
    client.put(f"/v1/kols/{kol}", json={"name": "Lena", "handles": {"forum": "lena-park"}})
    body = {"type": "webhook", "name": "Forum", "settings": program.settings()}
    url = client.post("/v1/sources", json=body).json()["webhook_url"]
    program.publish(*published(2))
    first, second = program.deliveries()
    assert sent(client, url, first).status_code == 200
    assert len(stored(client, kol)) == 1  # the answer came after the commit
    assert sent(client, url, second).status_code == 200
    program.edit("c0", "all right now")
    (edit,) = program.deliveries()
    assert sent(client, url, edit).status_code == 200
    assert sent(client, url, first).status_code == 200  # the platform did not see the answer
    assert {one["text"] for one in stored(client, kol)} == {"all right now", "comment 1"}
    forged = replace(first, body=first.body + b" ")
    stranger = sent(client, "/v1/webhooks/unknown", first)
    assert stranger.status_code == sent(client, url, forged).status_code == 404
    assert stranger.json() == sent(client, url, forged).json()
    assert sent(client, url, program.delivery(b"[")).status_code == 400
    client.post(f"/v1/sources/{client.get('/v1/sources').json()['items'][0]['source_id']}/pause")
    assert sent(client, url, first).json() == stranger.json()
    program.end()
