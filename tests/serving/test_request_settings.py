"""The settings of requests, connections and streams."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from fastapi.testclient import TestClient
from uvicorn.server import ServerState

from model.classifier import SentimentClassifier
from monitoring.engine import KolStatus
from serving.access.principal import LOCAL
from serving.api.stream import stream
from serving.app import create_app
from serving.cli import hosting
from serving.clock import TestClock
from serving.pipeline.broadcast import Broadcast
from serving.pipeline.stream_feed import StreamFeed
from serving.settings import Settings
from tests.serving.shown_settings import shows

T = TypeVar("T")
StartChanged = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def start(settings: Settings, classifier: SentimentClassifier, clock: TestClock) -> StartChanged:
    @contextmanager
    def change(**changed: Any) -> Iterator[TestClient]:
        app = create_app(settings.model_copy(update=changed), classifier=classifier, clock=clock)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client

    return change


@shows("allowed_hosts")
def test_the_service_has_the_names_of_the_settings(start: StartChanged) -> None:
    for names, status in (("a.example, b.example", 200), (None, 421)):
        with start(allowed_hosts=names) as client:
            answer = client.get("/healthz", headers={"host": "b.example:8000"})
            assert answer.status_code == status


@shows("max_connections", "max_connections_per_address", "header_timeout")
async def test_connections_are_bounded_by_the_settings(settings: Settings) -> None:
    changed = settings.model_copy(
        update={
            "max_connections": 7,
            "max_connections_per_address": 3,
            "header_timeout": 1.5,
            "trusted_proxies": "10.0.0.0/8",
        }
    )
    config = hosting.server(create_app(changed)).config
    config.load()
    made: Any = config.http_protocol_class
    bounds = made(config=config, server_state=ServerState(), app_state={})._bounds
    assert (bounds.connections, bounds.per_address, bounds.header_timeout) == (7, 3, 1.5)
    assert [bounds.is_proxy(one) for one in ("10.1.2.3", "127.0.0.1")] == [True, False]


@shows("trusted_proxies")
@pytest.mark.parametrize(
    ("trusted", "peer", "known_as"),
    [
        ("10.1.0.0/16, 127.0.0.1", "10.1.2.3", "203.0.113.9"),
        ("10.1.0.0/16, 127.0.0.1", "10.2.2.3", "10.2.2.3"),
        ("", "127.0.0.1", "127.0.0.1"),
    ],
)
async def test_only_trusted_proxies_say_where_a_request_comes_from(
    settings: Settings, trusted: str, peer: str, known_as: str
) -> None:
    app = create_app(settings.model_copy(update={"trusted_proxies": trusted}))
    config = hosting.server(app).config
    seen: list[str] = []

    async def record(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    config.app = record
    config.load()
    scope = {
        "type": "http",
        "scheme": "http",
        "client": (peer, 1),
        "headers": [(b"x-forwarded-for", b"203.0.113.9")],
    }
    loaded: Any = config.loaded_app
    await loaded(scope, None, None)
    assert seen == [known_as]


@shows("body_timeout", "max_subscribers")
def test_a_request_may_last_as_long_as_the_settings_say(start: StartChanged) -> None:
    async def statuses(client: TestClient, path: str, count: int) -> list[int]:
        """The statuses of requests whose bodies do not come."""
        found: list[int] = []
        sent = asyncio.Event()

        async def send(message: Any) -> None:
            found.append(message.get("status", 0))
            sent.set()

        request = client.build_request("POST" if path == "/v1/score" else "GET", path)
        headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
        scope = {
            "type": "http",
            "method": request.method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [*headers, (b"transfer-encoding", b"chunked")],
            "server": ("testserver", 80),
            "client": ("testclient", 1),
        }
        tasks = []
        for _ in range(count):
            sent.clear()
            tasks.append(asyncio.create_task(client.app(scope, asyncio.Event().wait, send)))
            await asyncio.wait_for(sent.wait(), 5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [status for status in found if status]

    with start(body_timeout=0.1, max_subscribers=2) as client:
        call = client.portal.call  # type: ignore[union-attr]
        assert call(statuses, client, "/v1/score", 1) == [408]
        assert call(statuses, client, "/v1/stream", 3) == [200, 200, 429]


@shows("mood_interval")
async def test_moods_keep_the_interval_of_the_settings() -> None:
    """One mood comes at once, the next after the interval, or as soon as there is one."""

    async def seconds(mood_interval: float) -> float:
        progress, written = SimpleNamespace(step=1), Broadcast()
        status = KolStatus("lena", None, 0, 0, 0, 0, 0, 0, None, None, 0, 0, True)
        alerts: Any = SimpleNamespace(last_event_id=_answers(0), events_after=_answers([]))
        steps: Any = SimpleNamespace(statuses_after=_answers([status]))
        feed = StreamFeed(
            alerts,
            steps,
            written,
            last_step=lambda: progress.step,
            mood_interval=mood_interval,
        )
        service: Any = SimpleNamespace(written=written, alerts=alerts, stream_feed=feed)
        loop = asyncio.get_running_loop()
        moods = aiter(stream(service, LOCAL))
        first = asyncio.ensure_future(anext(moods))
        await asyncio.sleep(0)
        progress.step = 2
        written.notify()
        await first
        begun = loop.time()
        second = asyncio.ensure_future(anext(moods))
        await asyncio.sleep(0)
        progress.step = 3
        written.notify()
        await second
        await moods.aclose()  # type: ignore[attr-defined]
        return loop.time() - begun

    assert await seconds(0.5) >= 0.45
    assert await seconds(0.001) < 0.4


def _answers(value: T) -> Callable[..., Awaitable[T]]:
    async def answer(*_: object, **__: object) -> T:
        return value

    return answer
