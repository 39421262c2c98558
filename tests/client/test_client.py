"""The client: errors, pages, waiting, events; and that its records are the API's answers."""

import subprocess
import sys

import httpx
import pytest

from groundswell_client import AsyncClient
from groundswell_client._async import client as client_module
from groundswell_client._async import connection
from groundswell_client.errors import (
    ConnectionLost,
    InvalidAddress,
    ServiceRefused,
    ServiceUnreachable,
    UnexpectedAnswer,
)
from tests.client.fake_service import STATUS, FakeService, until_error


async def test_for_ever_busy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(_: float) -> None:
        return

    monkeypatch.setattr(connection.asyncio, "sleep", sleep)
    busy = httpx.Response(429, headers={"Retry-After": "100"}, json={"detail": "log is full"})
    with pytest.raises(ServiceRefused, match="429: log is full"):
        await FakeService(lambda _: busy).client().comments.send([{}])


async def test_errors_of_the_service_carry_their_detail() -> None:
    problem = httpx.Response(503, json={"detail": "the model is not loaded"})
    with pytest.raises(ServiceRefused, match="503: the model is not loaded") as caught:
        await FakeService(lambda _: problem).client().status()
    assert caught.value.status == 503


async def test_nobody_there() -> None:
    async with AsyncClient("http://127.0.0.1:9", retries=0) as client:
        with pytest.raises(ServiceUnreachable, match="no service answers at http"):
            await client.status()


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://here", "http://", "http://[::bad"])
def test_bad_addresses(url: str) -> None:
    with pytest.raises(InvalidAddress, match="is not an address"):
        AsyncClient(url)


async def test_waiting_ends_when_the_backlog_is_processed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_POLL", 0.0)
    service = FakeService()
    service.backlogs = [7, 3, 0]
    service.reruns = [2, 0]
    reports: list[tuple[int, int]] = []
    await service.client().wait_until_processed(lambda last, done: reports.append((last, done)))
    assert reports == [(10, 3), (10, 7), (10, 10), (10, 10)]


async def test_waiting_gives_up_on_a_dead_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(_: float) -> None:
        return

    monkeypatch.setattr(client_module.asyncio, "sleep", sleep)
    log = {"last_seq": 9, "processed_seq": 4, "backlog": 5}
    dead = FakeService(lambda _: httpx.Response(200, json=STATUS | {"log": log, "alive": False}))
    with pytest.raises(ServiceRefused, match="stopped working 5 comments before the end"):
        await dead.client().wait_until_processed()


EVENTS = (
    ": hello\n\n"
    'event: alert\nid: 7\ndata: {"alert_id":\ndata: "a\u2028b"}\n\n'
    'event: mood\ndata: {"mood": 0.5}\n\n'
    'event: alert\ndata: {"cut": '
)


async def test_server_sent_events() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, text=EVENTS, headers={"Content-Type": "text/event-stream"})

    events, error = await until_error(FakeService(answer).client().stream(kol_id="mira"))
    assert isinstance(error, ConnectionLost)
    assert "has closed the stream" in str(error)
    assert [(e.name, e.event_id, e.body) for e in events] == [
        ("open", None, b""),
        ("alert", "7", '{"alert_id":\n"a\u2028b"}'.encode()),
        ("mood", "7", b'{"mood": 0.5}'),
    ]
    assert requests[0].url.params["kol_id"] == "mira"
    with pytest.raises(UnexpectedAnswer, match="missing required field"):
        events[1].alert()


async def test_a_stream_that_is_refused_says_why() -> None:
    refusal = httpx.Response(503, json={"detail": "not ready"})
    with pytest.raises(ServiceRefused, match="503: not ready"):
        async for _ in FakeService(lambda _: refusal).client().stream():
            pass


def silence(number: int) -> dict[str, object]:
    at = "2026-03-01T00:00:00Z"
    return dict.fromkeys(("kols", "kinds", "posts", "max_severity", "expired_by", "expired_at")) | {
        "silence_id": number,
        "state": "active",
        "starts_at": at,
        "ends_at": at,
        "created_at": at,
        "reason": "quiet",
        "created_by": "mai",
        "of_a_later_version": True,
    }


@pytest.mark.parametrize(
    ("limit", "found", "asked"),
    [(None, [1, 2, 3], ["1000", "1000"]), (2, [1, 2], ["2"]), (3, [1, 2, 3], ["3", "1"])],
)
async def test_pages_are_followed_up_to_the_limit(
    limit: int | None, found: list[int], asked: list[str]
) -> None:
    pages: dict[str | None, dict[str, object]] = {
        None: {"items": [silence(1), silence(2)], "next_cursor": "x"},
        "x": {"items": [silence(3)], "next_cursor": None},
    }
    limits: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        limits.append(request.url.params["limit"])
        assert "state" not in request.url.params
        return httpx.Response(200, json=pages[request.url.params.get("cursor")])

    silences = await FakeService(answer).client().silences.list(limit=limit).all()
    assert [one.silence_id for one in silences] == found
    assert [one.raw for one in silences] == [silence(number) for number in found]
    assert limits == asked


async def test_an_answer_of_another_kind_is_an_error_that_says_so() -> None:
    for body in ("<html>", '{"items": []}'):
        service = FakeService(lambda _, body=body: httpx.Response(200, text=body))  # type: ignore[misc]
        with pytest.raises(UnexpectedAnswer, match="versions of client and service may differ"):
            await service.client().silences.list().all()


async def test_a_request_that_is_refused_as_a_whole_is_an_error() -> None:
    problem = httpx.Response(422, json={"detail": "the body is empty"})
    with pytest.raises(ServiceRefused, match="422: the body is empty"):
        await FakeService(lambda _: problem).client().comments.send_lines([])


async def test_ids_cannot_leave_their_place_in_the_path() -> None:
    paths: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(404)

    client = FakeService(answer).client()
    for call in (
        client.alerts.get("a/b?c"),
        client.kols.policy("a/b?c"),
        client.alerts.take_action("a/b?c", "x"),
    ):
        with pytest.raises(ServiceRefused, match="404: Not Found"):
            await call
    assert all(b"/a%2Fb%3Fc" in path for path in paths)


def test_the_client_imports_nothing_of_the_server() -> None:
    code = (
        "import sys; from groundswell_client import AsyncClient, Client;"
        "ours = {n for n in sys.modules if n.split('.')[0] in {'serving', 'model', 'monitoring'}};"
        "heavy = {'fastapi', 'pydantic', 'sqlalchemy', 'typer'} & set(sys.modules);"
        "print(sorted(ours | heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
