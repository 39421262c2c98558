"""The webhook, Alertmanager and apprise against a real server on loopback, well-behaved or not."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitoring.kinds import AlertState
from serving.notify.channels.base import Channel, Rejected, Unavailable
from serving.notify.channels.http_post import post
from serving.notify.render.plain import render
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import WORDS, build_channel, notification
from tests.serving.notify.receiver import Receiver, answer, endless, never, receiving

SECRET = "0123456789abcdef"
DOC = Path(__file__).parents[3] / "docs" / "notifications.md"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5) as client:
        yield client


def webhook(http: httpx.AsyncClient, receiver: Receiver) -> Channel:
    url = f"{receiver.url}/hook?token=s3cr3t"
    return build_channel("webhook", url, http=http, secret=SECRET, secret_env="CRM_SECRET")


def ntfy(http: httpx.AsyncClient, receiver: Receiver) -> Channel:
    return build_channel("apprise", f"ntfy://127.0.0.1:{receiver.port}/top5ecret", http=http)


def alertmanager(http: httpx.AsyncClient, receiver: Receiver) -> Channel:
    return build_channel("alertmanager", f"{receiver.url}/", http=http)


async def test_a_webhook_is_signed_as_documented(http: httpx.AsyncClient) -> None:
    (example,) = re.findall(r"```python\n(.+?)```", DOC.read_text(), re.DOTALL)
    scope: dict[str, Any] = {}
    exec(example, scope)
    verify = scope["verify"]
    assert len(example.strip().splitlines()) <= 12
    async with receiving() as receiver:
        channel = webhook(http, receiver)
        await channel.send([notification(kol_name="Lêna 😡")])
        await channel.send([notification(kol_name="Lêna 😡")])
    first, second = receiver.requests
    assert first.path == "/hook?token=s3cr3t"
    assert (first.body, first.headers["idempotency-key"]) == (
        second.body,
        second.headers["idempotency-key"],
    )
    header, now = first.headers["groundswell-signature"], NOW.timestamp()
    assert verify(SECRET, header, first.body, now=now)
    assert not verify(SECRET, header, first.body + b" ", now=now)
    assert not verify("another secret", header, first.body, now=now)
    assert not verify(SECRET, header, first.body, now=now + 301)
    later = header.replace(f"t={int(now)}", f"t={int(now) + 1}")
    assert not verify(SECRET, later, first.body, now=now)
    sent = json.loads(first.body)
    assert sent["key"] == "a1-opened-1-crm"
    assert (sent["event"], sent["kol_name"]) == ("alert.opened", "Lêna 😡")
    assert sent["subject"].startswith("CRITICAL · Lêna 😡")
    assert sent["evidence"]["comments"] == 1240
    late = ("state", "ended_at", "found_at", "late_comments")
    assert [sent[name] for name in late] == ["open", None, None, None]


async def test_a_webhook_says_what_was_found_late_and_what_was_withdrawn(
    http: httpx.AsyncClient,
) -> None:
    found = {"found_at": NOW, "ended_at": NOW - timedelta(minutes=2)}
    gone = {"reason": "revised", "state": AlertState.REVISED, "late_comments": 212}
    async with receiving() as receiver:
        channel = webhook(http, receiver)
        await channel.send([notification(**found)])
        await channel.send([notification(**gone, found_at=NOW)])
    late, withdrawn = (json.loads(request.body) for request in receiver.requests)
    assert late["found_at"] == "2026-03-10T12:00:00+00:00"
    assert late["ended_at"] == "2026-03-10T11:58:00+00:00"
    assert withdrawn["event"] == "alert.revised"
    assert (withdrawn["state"], withdrawn["late_comments"]) == ("revised", 212)
    assert withdrawn["subject"].startswith("WITHDRAWN")


@pytest.mark.parametrize(
    ("status", "headers", "error", "message", "pause"),
    [
        (301, {"Location": "http://127.0.0.1:9/else"}, Rejected, "redirects are not", None),
        (307, {"Location": "/else"}, Rejected, "redirects are not followed", None),
        (400, {}, Rejected, "answered 400: no such thing", None),
        (401, {}, Rejected, "answered 401", None),
        (404, {}, Rejected, "answered 404", None),
        (410, {}, Rejected, "answered 410", None),
        (408, {}, Unavailable, "answered 408", None),
        (429, {}, Unavailable, "answered 429", None),
        (429, {"Retry_After": "17"}, Unavailable, "answered 429", 17),
        (503, {"Retry_After": "999999999999"}, Unavailable, "answered 503", 3600),
        (503, {"Retry_After": "tomorrow"}, Unavailable, "answered 503", None),
        (500, {}, Unavailable, "answered 500: no such thing", None),
    ],
)
async def test_the_status_of_an_answer_decides_the_error(
    http: httpx.AsyncClient,
    status: int,
    headers: dict[str, str],
    error: type[Unavailable | Rejected],
    message: str,
    pause: int | None,
) -> None:
    async with receiving(answer(status, b"no such\nthing", **headers)) as receiver:
        with pytest.raises(error, match=message) as raised:
            await webhook(http, receiver).send([notification()])
    assert len(receiver.requests) == 1
    if isinstance(raised.value, Unavailable):
        wanted = None if pause is None else timedelta(seconds=pause)
        assert raised.value.retry_after == wanted


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (endless, "answered 500: x+$"),
        (b"HTTP/1.1 500 Failed\r\nContent-Length: 50\r\n\r\nshort", "peer closed|incomplete"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "."),
        (b"", "disconnected"),
    ],
)
async def test_a_server_that_answers_nonsense_or_without_end_is_unavailable(
    http: httpx.AsyncClient, reply: Any, error: str
) -> None:
    async with receiving(reply) as receiver, asyncio.timeout(5):
        with pytest.raises(Unavailable, match=error) as raised:
            await webhook(http, receiver).send([notification()])
    assert len(str(raised.value)) < 300


async def test_a_status_of_success_counts_whatever_the_body_is(http: httpx.AsyncClient) -> None:
    lie = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\nsome"
    async with receiving(lie) as receiver, asyncio.timeout(5):
        await webhook(http, receiver).send([notification()])


async def test_a_slow_or_dead_server_is_unavailable() -> None:
    async with httpx.AsyncClient(timeout=0.1) as http:
        async with receiving(never) as receiver:
            with pytest.raises(Unavailable, match="Timeout"):
                await webhook(http, receiver).send([notification()])
        with pytest.raises(Unavailable):
            await webhook(http, receiver).send([notification()])


async def test_an_address_that_cannot_be_used_is_rejected(http: httpx.AsyncClient) -> None:
    with pytest.raises(Rejected):
        await post(http, "http://host:port/", b"{}", {})


async def alerts_of(
    http: httpx.AsyncClient, *notifications: Any, firing: Sequence[tuple[str, str]] = ()
) -> list[Any]:
    """What is sent to an Alertmanager in which alerts of these ids and severities fire."""
    body = json.dumps([{"labels": {"alert_id": i, "severity": s}} for i, s in firing]).encode()
    ending = ("escalated", "resolved")
    asks = any(one.reason in ending or one.withdrawn for one in notifications)
    async with receiving(*[answer(200, body)] * asks) as receiver:
        await alertmanager(http, receiver).send(notifications)
    *asked, request = receiver.requests
    assert [one.path.split("?")[0] for one in asked] == ["/api/v2/alerts"] * asks
    assert request.path == "/api/v2/alerts"
    found: list[Any] = json.loads(request.body)
    return found


async def test_alertmanager_gets_an_alert_that_fires(http: httpx.AsyncClient) -> None:
    (alert,) = await alerts_of(http, notification(severity="warning"))
    assert alert["labels"] == {
        "alertname": "Groundswell",
        "alert_id": "a1",
        "kol": "lena",
        "kind": "backlash",
        "severity": "warning",
    }
    assert datetime.fromisoformat(alert["endsAt"]) > NOW + timedelta(hours=72)
    message = render([notification(severity="warning")], WORDS)
    assert alert["annotations"] == {"summary": message.subject, "description": message.body}
    assert alert["generatorURL"] == notification().link


async def test_alertmanager_gets_the_end_under_the_same_labels(http: httpx.AsyncClient) -> None:
    at = NOW - timedelta(minutes=10)
    (fired,) = await alerts_of(http, notification(severity="warning"))
    later = {"reason": "escalated", "at": at + timedelta(minutes=3)}
    risen, lower = await alerts_of(http, notification(**later), firing=[("a1", "warning")])
    assert risen["labels"]["severity"] == "critical"
    assert datetime.fromisoformat(risen["endsAt"]) > NOW
    assert lower["labels"] == fired["labels"]
    assert datetime.fromisoformat(lower["endsAt"]) == later["at"]
    over = notification(reason="resolved", at=NOW)
    (ended,) = await alerts_of(http, over, firing=[("a1", "critical")])
    assert ended["labels"] == risen["labels"]
    assert datetime.fromisoformat(ended["endsAt"]) == NOW
    stale = await alerts_of(http, over, firing=[("a1", "critical"), ("a1", "warning")])
    assert {datetime.fromisoformat(alert["endsAt"]) for alert in stale} == {NOW}
    assert sorted(alert["labels"]["severity"] for alert in stale) == ["critical", "warning"]
    assert all(alert["startsAt"] <= alert["endsAt"] for alert in [lower, risen, ended, *stale])


async def test_alertmanager_gets_a_withdrawal_as_the_end(http: httpx.AsyncClient) -> None:
    revised = {"reason": "revised", "at": NOW, "found_at": NOW + timedelta(hours=1)}
    gone = notification(**revised, state=AlertState.REVISED)
    ended = await alerts_of(http, gone, firing=[("a1", "critical"), ("a1", "warning")])
    assert sorted(alert["labels"]["severity"] for alert in ended) == ["critical", "warning"]
    assert {datetime.fromisoformat(alert["endsAt"]) for alert in ended} == {NOW}
    assert all(alert["startsAt"] <= alert["endsAt"] for alert in ended)
    assert "Withdrawn: with the comments" in ended[0]["annotations"]["description"]
    assert ended[0]["annotations"]["found_at"] == "2026-03-10T13:00:00+00:00"
    (again,) = await alerts_of(http, notification(**revised))  # its end no longer holds
    assert datetime.fromisoformat(again["endsAt"]) > NOW + timedelta(hours=72)


async def test_alertmanager_gets_the_latest_transition_of_a_group(http: httpx.AsyncClient) -> None:
    group = [notification(severity="warning"), notification(reason="resolved", at=NOW)]
    found = await alerts_of(http, *group, notification(alert_id="b2"))
    assert [(a["labels"]["alert_id"], a["labels"]["severity"]) for a in found] == [
        ("a1", "critical"), ("b2", "critical"),
    ]  # fmt: skip
    assert datetime.fromisoformat(found[0]["endsAt"]) == NOW


@pytest.mark.parametrize("lie", [b'["labels"]', b"<html>", b"[" + b" " * 4_000_001])
async def test_an_alertmanager_that_answers_nonsense_is_unavailable(
    http: httpx.AsyncClient, lie: bytes
) -> None:
    async with receiving(answer(200, lie)) as receiver:
        with pytest.raises(Unavailable, match=r"no list of alerts|more than"):
            await alertmanager(http, receiver).send([notification(reason="resolved")])
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("state", "tone"),
    [(AlertState.REVISED, "apprise-success"), (AlertState.OPEN, "apprise-failure")],
)
async def test_apprise_sends_a_withdrawal_as_good_news(
    http: httpx.AsyncClient, state: AlertState, tone: str
) -> None:
    async with receiving(answer(200, b"{}")) as receiver:
        revised = notification(reason="revised", state=state, found_at=NOW)
        await ntfy(http, receiver).send([revised])
    (request,) = receiver.requests
    assert tone in str(request.headers)


async def test_apprise_sends_a_burst_as_one_message(http: httpx.AsyncClient) -> None:
    async with receiving(answer(200, b"{}")) as receiver:
        await ntfy(http, receiver).send([notification(), notification(kol_name="Mina")])
    (request,) = receiver.requests
    assert "2 alert updates: Lena Vane, Mina" in request.body.decode()
