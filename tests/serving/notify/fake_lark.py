"""Lark's API on loopback, as far as channels use it.

Built from Lark's documentation (open.larksuite.com/document) as of November 2026: "Get
tenant_access_token (custom app)", "Send message", "Update message card", "Common error codes" and
"Custom bot usage guide". Lark answers errors with a `code` in the body, most of them with HTTP 400.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.serving.notify.receiver import Answer, Receiver, Request, answer, receiving

APP_ID, APP_SECRET, CHAT_ID = "cli_a1b2", "the-secret-of-the-app", "oc_desk"
HOOK = "/open-apis/bot/v2/hook/s3cr3t-t0ken"


def fault(code: int, msg: str = "no", status: int = 400, **headers: str) -> bytes:
    """An answer that says that a request was not carried out."""
    return answer(status, json.dumps({"code": code, "msg": msg}).encode(), **headers)


@dataclass
class FakeLark:
    """A chat, and a bot in it.

    Attributes:
        faults: answered to the next messages, one each.
        tokens: how many tokens were given; the last one is valid.
        lasts: seconds for which a token is valid.
        cards: the messages of the app by id, as they are shown now.
        sent: the bodies of the requests that sent one, those of the custom bot too.
    """

    receiver: Receiver
    faults: list[Answer] = field(default_factory=list)
    tokens: int = 0
    lasts: int = 7200
    cards: dict[str, Any] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        content = json.loads(request.body)
        if request.path.endswith("/tenant_access_token/internal"):
            return self._token(content)
        if self.faults:
            return self.faults.pop(0)
        if request.path == HOOK:
            self.sent.append(content)
            return answer(200, b'{"StatusCode": 0, "code": 0, "data": {}, "msg": "success"}')
        if request.headers.get("authorization") != f"Bearer t-{self.tokens}":
            return fault(99991663, "Invalid access token for authorization.")
        if request.path == "/open-apis/im/v1/messages?receive_id_type=chat_id":
            return self._message(content)
        message_id = request.path.rpartition("/")[2]
        if message_id not in self.cards:
            return fault(230001, "invalid message_id")
        self.cards[message_id] = json.loads(content["content"])
        return answer(200, b'{"code": 0, "data": {}}')

    def _token(self, content: dict[str, Any]) -> Answer:
        if content != {"app_id": APP_ID, "app_secret": APP_SECRET}:
            return fault(10014, "app secret invalid", status=200)
        self.tokens += 1
        given = {"code": 0, "tenant_access_token": f"t-{self.tokens}", "expire": self.lasts}
        return answer(200, json.dumps(given).encode())

    def _message(self, content: dict[str, Any]) -> Answer:
        if content["receive_id"] != CHAT_ID:
            return fault(230002, "Bot/User can NOT be out of the chat.")
        if len(content["content"].encode()) > 30_000:
            return fault(230025, "The length of the message content reaches its limit.")
        self.sent.append(content)
        message_id = f"om_{len(self.cards)}"
        self.cards[message_id] = json.loads(content["content"])
        data = {"code": 0, "data": {"message_id": message_id}}
        return answer(200, json.dumps(data).encode())


@asynccontextmanager
async def lark() -> AsyncIterator[FakeLark]:
    """Lark, for as long as the context lasts."""
    async with receiving() as receiver:
        found = FakeLark(receiver)
        receiver.otherwise = found
        yield found
