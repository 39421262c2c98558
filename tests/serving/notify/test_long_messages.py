"""Long messages arrive within each receiver's limits, and a refusal is final."""

import json
from dataclasses import replace
from typing import Any

import pytest

from serving.notify.channels.base import Channel, Rejected
from serving.notify.render import content
from serving.notify.render.parts import byte_length, split, utf16_length
from tests.serving.notify.conftest import World, build_channel, notification, transition
from tests.serving.notify.receiver import Answer, Request, answer, receiving
from tests.serving.notify.test_dispatcher import drain

LONG = " ".join(f"từ{number:04}" for number in range(1500))[:10_000]
apprise = pytest.importorskip("apprise")


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every message has a sentence of 10,000 characters."""
    real = content._content
    monkeypatch.setattr(content, "_content", lambda *given: replace(real(*given), sentence=LONG))


def strings(found: Any) -> list[str]:
    if isinstance(found, dict):
        return [text for value in found.values() for text in strings(value)]
    if isinstance(found, list):
        return [text for value in found for text in strings(value)]
    return [found] if isinstance(found, str) else []


def discord(body: bytes) -> bool:
    return utf16_length(json.loads(body).get("content", "")) <= 2000


def telegram(body: bytes) -> bool:
    return utf16_length(json.loads(body)["text"]) <= 4096


def ntfy(body: bytes) -> bool:
    return byte_length(json.loads(body)["message"]) <= 4096


def slack(body: bytes) -> bool:
    blocks = json.loads(body)["blocks"]
    ok = len(blocks) <= 50
    for block in blocks:
        longest = {"header": 150, "section": 3000}.get(block["type"], 2000)
        ok &= utf16_length(block.get("text", {}).get("text", "")) <= longest
        ok &= all(utf16_length(field["text"]) <= 2000 for field in block.get("fields", []))
    return ok


def teams(body: bytes) -> bool:
    return len(body) <= 28 * 1024


def anything(_: bytes) -> bool:
    return True


KINDS = {
    "discord": ("apprise", "discord://123456789012345678/t0kent0kent0kent0ken", discord),
    "telegram": ("apprise", f"tgram://123456789:{'abcde' * 7}/987654321/", telegram),
    "ntfy": ("apprise", "ntfy://127.0.0.1:{port}/topic", ntfy),
    "slack": ("slack", "{url}/services/T/B/x", slack),
    "teams": ("teams", "{url}/workflows/7", teams),
    "webhook": ("webhook", "{url}/hook", anything),
    "alertmanager": ("alertmanager", "{url}", anything),
}  # fmt: skip


def built(name: str, url: str, port: int, patch: pytest.MonkeyPatch) -> Channel:
    kind, form, _ = KINDS[name]
    from apprise.plugins.discord import NotifyDiscord
    from apprise.plugins.telegram import NotifyTelegram

    patch.setattr(NotifyDiscord, "notify_url", f"{url}/webhooks")
    patch.setattr(NotifyTelegram, "notify_url", f"{url}/bot")
    more: dict[str, Any] = {"secret_env": "SECRET"} if kind == "webhook" else {}
    local = name in ("discord", "telegram")  # their URLs name no host
    return build_channel(
        kind,
        form.format(url=url, port=port),
        secret="0123456789abcdef",
        allow_private=local,
        **more,
    )


@pytest.mark.usefixtures("long")
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("count", [1, 2, 10])
async def test_a_message_of_10000_characters_is_taken(
    name: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = KINDS[name][2]

    def enforce(request: Request) -> Answer:
        if request.path.startswith("/api/v2") and not request.body:
            return answer(200, b"[]")
        taken = fits(request.body)
        return answer(200, b'{"ok": true}') if taken else answer(400, b"message is too long")

    async with receiving() as receiver:
        receiver.otherwise = enforce
        channel = built(name, receiver.url, receiver.port, monkeypatch)
        some = [notification(alert_id=f"a{n}") for n in range(count)][: channel.most]
        await channel.send(some)
    assert receiver.requests
    if name in ("discord", "telegram", "ntfy") and count == 1:  # in parts, and nothing is lost
        said = " ".join(text for one in receiver.requests for text in strings(json.loads(one.body)))
        assert all(word in said for word in LONG.split())


@pytest.mark.parametrize("name", KINDS)
async def test_a_refusal_is_dead_at_once_in_the_receivers_words_and_stops_no_other(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choosy(request: Request) -> Answer:
        bad = b"badkol" in request.body
        return answer(400, b"Bad Request: message is too long") if bad else answer(200, b"{}")

    async with receiving() as receiver:
        receiver.otherwise = choosy
        channel = built(name, receiver.url, receiver.port, monkeypatch)
        await world.commit(
            transition(kol_id="badkol"),
            transition(alert_id="b2", kol_id="good"),
            transition(alert_id="c3", kol_id="good"),
        )
        await drain(world, world.dispatcher({"crm": channel}, attempts=5, timeout=5))
    bad, *good = await world.rows()
    assert (bad.state, bad.attempts) == ("dead", 1)
    assert bad.error == "answered 400: Bad Request: message is too long"
    assert [(row.state, row.attempts) for row in good] == [("delivered", 1)] * 2


async def test_a_batch_that_a_receiver_keeps_failing_on_is_sent_one_by_one(world: World) -> None:
    def choosy(request: Request) -> Answer:
        return answer(500, b"bug") if b"badkol" in request.body else answer(200, b"ok")

    async with receiving() as receiver:
        receiver.otherwise = choosy
        channel = build_channel("slack", f"{receiver.url}/services/T/B/x")
        await world.commit(
            transition(alert_id="b2", kol_id="good"),
            transition(kol_id="badkol"),
            transition(alert_id="c3", kol_id="good"),
        )
        await drain(world, world.dispatcher({"crm": channel}, attempts=8, timeout=5), most=400)
    assert await world.states() == ["delivered", "dead", "delivered"]


async def test_apprise_does_not_follow_redirects_nor_connect_to_private_addresses() -> None:
    async with receiving() as inner, receiving(answer(302, Location=inner.url)) as receiver:
        channel = build_channel("apprise", f"ntfy://127.0.0.1:{receiver.port}/topic")
        with pytest.raises(Rejected, match="redirects are not followed"):
            await channel.send([notification()])
    assert inner.requests == []


@pytest.mark.parametrize("size", [utf16_length, byte_length])
@pytest.mark.parametrize("text", [LONG, "x" * 5000, "😀" * 700, "a\n\nb\n" * 900, "đ " * 2000])
def test_parts_fit_and_lose_nothing(text: str, size: Any) -> None:
    parts = split(text, 500, size, most=100)
    assert max(map(size, parts)) <= 500
    assert "".join("".join(parts).split()) == "".join(text.split())
    cut = split(text, 500, size, most=2)
    assert len(cut) == 2
    assert max(map(size, cut)) <= 500
    assert cut[-1].endswith("…")


async def test_one_message_that_is_too_long_for_teams_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = content._content
    monkeypatch.setattr(
        content, "_content", lambda *given: replace(real(*given), sentence="ừ" * 10_000)
    )
    async with receiving() as receiver:
        await built("teams", receiver.url, receiver.port, monkeypatch).send([notification()])
    (request,) = receiver.requests
    assert teams(request.body)
    assert "ừ" * 1900 in request.body.decode()
