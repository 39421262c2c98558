"""An answer that lasts ends when its key does, or when what the key may see changes."""

from collections.abc import Callable

import pytest
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from serving.access.authentication import Authentication
from serving.access.limit_version import LimitVersion
from serving.access.principal import Principal, PrincipalKind
from serving.access.scope import Scope as Right
from serving.api import problems
from serving.kol_limit import EVERY_KOL, KolLimit


class EndingKey:
    """A key that can be revoked."""

    def __init__(self, kols: KolLimit) -> None:
        self.valid = True
        self.principal = Principal(PrincipalKind.KEY, "k", "tool", frozenset({Right.READ}), kols)

    async def authenticate(self, _connection: HTTPConnection) -> Principal | None:
        return self.principal

    def is_current(self, _principal: Principal) -> bool:
        return self.valid


async def sent(
    kols: KolLimit,
    change: Callable[[EndingKey, LimitVersion], None],
    media_type: bytes = b"text/event-stream; charset=utf-8",
) -> list[Message]:
    """What an answer sends that goes on after the change."""
    key, version, messages = EndingKey(kols), LimitVersion(), list[Message]()
    headers = [(b"content-type", media_type)]

    async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"before", "more_body": True})
        change(key, version)
        await send({"type": "http.response.body", "body": b"after", "more_body": True})

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    app = Authentication(
        stream,
        authenticators=lambda: [key],
        limit_version=lambda: version,
        refuse=problems.answer_to,
    )
    scope = {"type": "http", "path": "/v1/stream", "headers": [], "method": "GET"}
    await app(scope, receive, send)
    return messages


@pytest.mark.parametrize("kols", [EVERY_KOL, KolLimit(frozenset({"lena"}))])
async def test_a_stream_of_a_revoked_key_ends_before_its_next_event(kols: KolLimit) -> None:
    def revoke(key: EndingKey, _version: LimitVersion) -> None:
        key.valid = False

    messages = await sent(kols, revoke)
    assert [message.get("body") for message in messages[1:]] == [b"before", b""]
    assert messages[-1]["more_body"] is False


async def test_a_stream_of_a_limited_key_ends_when_limits_change() -> None:
    limited = KolLimit(frozenset({"lena"}))
    messages = await sent(limited, lambda _key, version: version.add())
    assert [message.get("body") for message in messages[1:]] == [b"before", b""]
    messages = await sent(EVERY_KOL, lambda _key, version: version.add())
    assert [message.get("body") for message in messages[1:]] == [b"before", b"after"]


async def test_a_file_of_a_revoked_key_is_not_ended_as_if_it_were_whole() -> None:
    def revoke(key: EndingKey, _version: LimitVersion) -> None:
        key.valid = False

    messages = await sent(EVERY_KOL, revoke, b"text/csv")
    assert [message.get("body") for message in messages[1:]] == [b"before"]
    assert messages[-1]["more_body"] is True
