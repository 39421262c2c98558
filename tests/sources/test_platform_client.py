"""What a platform answers, and which fault in plain words that is."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from serving.clock import TestClock
from serving.sources.faults import (
    AccountGone,
    BadAnswer,
    FaultKind,
    Misconfigured,
    PlatformUnavailable,
    QuotaSpent,
    SourceFault,
)
from serving.sources.platform_client import ClockSkew, PlatformAnswer, PlatformClient
from serving.sources.quota import MemoryQuotaStore, Quota, QuotaBudget
from serving.sources.quota_period import QuotaPeriod

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)


class Platform:
    """Answers each request with what is set."""

    def __init__(self, answer: httpx.Response | Exception, units: int = 100) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []
        self.skew = ClockSkew()
        clock = TestClock(NOW)
        quota = Quota("s", QuotaBudget(units, QuotaPeriod()), MemoryQuotaStore(), clock)
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))
        self.client = PlatformClient(
            http, "https://api.example.com/v1/", clock, quota, self.skew, {"X-Token": "t"}, _read
        )

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def _read(answer: PlatformAnswer) -> SourceFault | None:
    return AccountGone("renamed") if b"code 190" in answer.content else None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, FaultKind.TOKEN_EXPIRED),
        (403, FaultKind.PERMISSION_LOST),
        (404, FaultKind.ACCOUNT_GONE),
        (410, FaultKind.ACCOUNT_GONE),
        (429, FaultKind.RATE_LIMITED),
        (500, FaultKind.PLATFORM_UNAVAILABLE),
        (503, FaultKind.PLATFORM_UNAVAILABLE),
        (400, FaultKind.BAD_ANSWER),
        (302, FaultKind.MISCONFIGURED),
    ],
)
async def test_a_status_is_a_fault(status: int, kind: FaultKind) -> None:
    with pytest.raises(SourceFault) as found:
        await Platform(httpx.Response(status, text="no")).client.get("/x")
    assert found.value.kind is kind
    assert "api.example.com" in str(found.value)


async def test_a_body_may_say_more_than_the_status() -> None:
    with pytest.raises(AccountGone, match="renamed"):
        await Platform(httpx.Response(400, text="code 190")).client.get("/x")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("37", 37),
        ("0.5", 0.5),
        ("Mon, 30 Nov 2026 14:01:00 GMT", 60),
        ("Mon, 30 Nov 2026 13:00:00 GMT", 0),
        ("1e12", 86_400),
        ("-5", 0),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_the_pause_that_a_platform_wants(written: str, seconds: float | None) -> None:
    with pytest.raises(SourceFault) as found:
        await Platform(httpx.Response(429, headers={"Retry-After": written})).client.get("/x")
    assert found.value.retry_after == seconds


async def test_a_link_to_another_server_gets_no_token() -> None:
    platform = Platform(httpx.Response(200, json={}))
    for url in (
        "https://evil.example.com/v1/next",
        "http://api.example.com/v1/next",
        "https://api.example.com:444/next",
        "https://api.example.com@evil.example.com/",
    ):
        with pytest.raises(BadAnswer, match="another server"):
            await platform.client.get(url)
    assert platform.requests == []
    await platform.client.get("https://api.example.com/v1/next?page=2", {"limit": 5})
    assert str(platform.requests[0].url) == "https://api.example.com/v1/next?page=2&limit=5"


async def test_params_headers_and_conditions() -> None:
    platform = Platform(httpx.Response(304, headers={"ETag": "e2"}))
    answer = await platform.client.get(
        "/x", {"a": None, "b": True, "c": 1}, etag="e1", modified_since="yesterday"
    )
    assert answer.not_modified
    assert answer.etag == "e2"
    (request,) = platform.requests
    assert str(request.url) == "https://api.example.com/v1/x?b=true&c=1"
    assert request.headers["If-None-Match"] == "e1"
    assert request.headers["If-Modified-Since"] == "yesterday"
    assert request.headers["X-Token"] == "t"


async def test_what_fails_costs_its_units_and_nothing_is_sent_without_them() -> None:
    platform = Platform(httpx.ConnectError("refused"), units=5)
    with pytest.raises(PlatformUnavailable, match="cannot be reached: refused"):
        await platform.client.get("/x", cost=3)
    with pytest.raises(QuotaSpent):
        await platform.client.get("/x", cost=3)
    assert len(platform.requests) == 1


@pytest.mark.parametrize("body", [b"", b'{"a": ', b"<html>", b"\xff", b"[" * 100_000])
async def test_what_is_no_whole_json_is_a_bad_answer(body: bytes) -> None:
    answer = await Platform(httpx.Response(200, content=body)).client.get("/x")
    with pytest.raises(BadAnswer):
        answer.object()


async def test_an_address_that_cannot_be_is_a_setting_that_is_wrong() -> None:
    platform = Platform(httpx.UnsupportedProtocol("no"))
    with pytest.raises(Misconfigured):
        await platform.client.get("/x")
    with pytest.raises(Misconfigured):
        await platform.client.get("/\x00")


async def test_the_platforms_clock_is_learnt() -> None:
    date = "Mon, 30 Nov 2026 14:00:30 GMT"
    platform = Platform(httpx.Response(200, headers={"Date": date}))
    for _ in range(3):
        await platform.client.get("/x")
    assert platform.skew.seconds == pytest.approx(30.5)
    assert platform.skew.platform_time(NOW) == NOW + timedelta(seconds=30.5)
    platform.skew.observe("nonsense", NOW)
    assert platform.skew.seconds == pytest.approx(30.5)
