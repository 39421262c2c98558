"""What is sent again, after which pause, and with which key."""

import asyncio
import re

import httpx
import pytest

from groundswell_client._async import connection
from groundswell_client.errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    RateLimitError,
    ServiceRefused,
    ServiceUnavailableError,
    ServiceUnreachable,
)
from groundswell_client.models.kols import KolProfile
from groundswell_client.retry_policy import RetryPolicy
from tests.client.fake_service import STATUS, FakeService, until_error

LOG = {"last_seq": 1, "processed_seq": 1, "backlog": 0}
DONE = httpx.Response(200, json={"action": None, "triage": {}, "muted": None})
BUSY = httpx.Response(503, json={"detail": "the service is stopping"})


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses take no time, and are recorded."""
    taken: list[float] = []

    async def sleep(seconds: float) -> None:
        taken.append(seconds)

    monkeypatch.setattr(connection, "asyncio", type("", (), {"sleep": sleep}))
    return taken


def answering(*answers: httpx.Response | Exception) -> tuple[FakeService, list[httpx.Request]]:
    """A service that gives these answers, the last one for ever."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        given = answers[min(len(seen), len(answers)) - 1]
        if isinstance(given, Exception):
            raise given
        return given

    return FakeService(answer), seen


async def test_a_change_is_sent_again_with_its_key_until_it_is_answered(
    pauses: list[float],
) -> None:
    revoked = httpx.Response(204)
    service, seen = answering(httpx.ReadError("reset"), BUSY, revoked)
    client = service.client(retries=2)
    await client.brands.delete("lumen")
    keys = [request.headers["Idempotency-Key"] for request in seen]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert re.fullmatch(r'"[0-9a-f-]{36}"', keys[0])
    assert 0.25 <= pauses[0] <= 0.5 <= pauses[1] <= 1.0
    await client.brands.delete("lumen")
    assert seen[-1].headers["Idempotency-Key"] != keys[0]


async def test_a_read_is_sent_without_a_key() -> None:
    service, seen = answering(httpx.Response(200, json=STATUS | {"log": LOG}))
    await service.client().status()
    assert "Idempotency-Key" not in seen[0].headers


async def test_a_change_names_the_version_that_was_read() -> None:
    stale = httpx.Response(412, json={"detail": "edited"})
    service, seen = answering(stale)
    client = service.client(retries=3)
    for change in (
        client.kols.put("mira", KolProfile(), if_match='"a"'),
        client.kols.delete("mira", if_match='"a"'),
        client.brands.put("lumen", [], if_match='"a"'),
        client.brands.delete("lumen", if_match='"a"'),
    ):
        with pytest.raises(PreconditionFailedError):
            await change
    assert [request.headers["If-Match"] for request in seen] == ['"a"'] * 4


async def test_a_brand_is_created_only_if_there_is_none() -> None:
    service, seen = answering(httpx.Response(412, json={"detail": "there is one"}))
    with pytest.raises(PreconditionFailedError):
        await service.client().brands.create("lumen", ["mira"])
    assert (seen[0].method, seen[0].headers["If-None-Match"]) == ("PUT", "*")


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("refused"), BUSY, httpx.Response(502), httpx.Response(504)]
)
async def test_it_gives_up_after_as_many_retries_as_it_was_given(
    failure: httpx.Response | Exception,
) -> None:
    for retries in (0, 2):
        service, seen = answering(failure)
        with pytest.raises((ServiceUnreachable, ServiceUnavailableError)):
            await service.client(retries=retries).status()
        assert len(seen) == retries + 1


async def test_it_waits_as_long_as_a_busy_service_asks(pauses: list[float]) -> None:
    busy = httpx.Response(429, headers={"Retry-After": "7"}, json={"detail": "too many"})
    service, seen = answering(busy, busy, httpx.Response(200, json=STATUS | {"log": LOG}))
    await service.client(retries=0).status()
    assert (pauses, len(seen)) == ([7.0, 7.0], 3)


async def test_it_waits_while_the_same_request_is_carried_out(pauses: list[float]) -> None:
    running = httpx.Response(
        409, headers={"Retry-After": "1"}, json={"code": "request_in_progress"}
    )
    service, _ = answering(running, httpx.Response(204))
    await service.client(retries=0).brands.delete("lumen")
    assert pauses == [1.0]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (412, PreconditionFailedError),
        (422, InvalidRequestError),
        (500, ServiceRefused),
    ],
)
async def test_other_errors_are_final_and_have_a_type(
    status: int, kind: type[ServiceRefused], pauses: list[float]
) -> None:
    problem = {"detail": "say which", "code": "some_code", "field": "name"}
    service, seen = answering(httpx.Response(status, json=problem))
    with pytest.raises(kind, match=f"{status}: say which") as caught:
        await service.client(retries=3).status()
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.field, error.detail) == (
        status,
        "some_code",
        "name",
        "say which",
    )
    assert (len(seen), pauses) == (1, [])


async def test_patience_ends() -> None:
    busy = httpx.Response(429, headers={"Retry-After": "100"}, json={"detail": "log is full"})
    service, seen = answering(busy)
    with pytest.raises(RateLimitError, match="429: log is full"):
        await service.client().status()
    assert len(seen) == 4


def test_pauses_grow_with_jitter_up_to_a_bound() -> None:
    state = RetryPolicy(retries=40).start()
    pauses = [state.after_failure() or 0.0 for _ in range(40)]
    assert state.after_failure() is None
    assert all(0.25 <= pause <= 10.0 for pause in pauses)
    assert len({pause for pause in pauses if pause > 5.0}) > 20


async def test_a_read_that_has_not_changed_is_not_sent_again() -> None:
    body = httpx.Response(200, json=STATUS | {"log": LOG}, headers={"ETag": '"a"'})
    service, seen = answering(body, httpx.Response(304), body)
    client = service.client()
    first, second = await client.status(), await client.status()
    assert first == second
    assert second.etag == '"a"'
    assert "If-None-Match" not in seen[0].headers
    assert seen[1].headers["If-None-Match"] == '"a"'


async def test_a_stream_continues_after_the_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    head = {"Content-Type": "text/event-stream"}
    service, seen = answering(
        httpx.Response(200, text="event: alert\nid: 5\ndata: {}\n\n", headers=head),
        httpx.ConnectError("refused"),
        httpx.Response(200, text="event: alert\nid: 6\ndata: {}\n\n", headers=head),
        httpx.Response(403, json={"detail": "the key is revoked"}),
    )

    async def sleep(_: float) -> None:
        return

    monkeypatch.setattr(asyncio, "sleep", sleep)
    events, error = await until_error(service.client(retries=2).stream())
    assert isinstance(error, PermissionDeniedError)
    assert [(event.name, event.event_id) for event in events] == [
        ("open", None),
        ("alert", "5"),
        ("open", "5"),
        ("alert", "6"),
    ]
    assert [request.headers.get("Last-Event-ID") for request in seen] == [None, "5", "5", "6"]
