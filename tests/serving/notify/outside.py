"""The outside on loopback: an HTTP receiver and a mail server that keep what comes, and fail as
they are set to.
"""

import asyncio
import email
import json
import re
import threading
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from functools import partial
from typing import Any, Literal, TypeVar

from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from tests.serving.notify.receiver import Answer, Receiver, Request, answer

Mode = Literal["up", "refusing", "failing", "rejecting", "repeating", "slow"]
MAIL = "mail"
T = TypeVar("T")
_REASONS = {
    "detected": "opened",
    "is over": "resolved",
    "second wave": "aftershock",
    "still open": "still_open",
}
_SAID = re.compile(rf"^[A-Z]+ · .+? (escalated|reopened|{'|'.join(_REASONS)})\b", re.MULTILINE)
_ALERT = re.compile(r"/alerts/(\w+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One attempt that reached a server.

    Attributes:
        way: the path of an HTTP request, or `MAIL`.
        at: when, aware, UTC.
        kept: whether the server took the message; it may have said so too late.
        key: `Idempotency-Key`, or `Message-ID`; empty where there is none.
        subject: of an e-mail, else empty.
        body: as it came; of an e-mail its plain text.
        headers: of an HTTP request, in lower case.
    """

    way: str
    at: datetime
    kept: bool
    key: str
    subject: str
    body: bytes
    headers: dict[str, str]

    @property
    def told(self) -> list[tuple[str, str]]:
        """(alert, transition) of everything that a message of ours tells, as a reader finds it."""
        if self.way != MAIL:
            said = json.loads(self.body)
            return [(said["alert_id"], said["reason"])]
        text = f"{self.subject}\n{self.body.decode()}"
        reasons = [_REASONS.get(said, said) for said in _SAID.findall(text)]
        return list(zip(_ALERT.findall(text), reasons, strict=True))


def once(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """What is left to a receiver that drops a key which it has had."""
    first: dict[str, Arrival] = {}
    for arrival in arrivals:
        first.setdefault(arrival.key, arrival)
    return list(first.values())


class Outside:
    """Both servers, on a loop and a thread of their own.

    Attributes:
        arrivals: every attempt that got through, in order.
        hold: seconds after which a slow server answers; it has taken the message by then.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, hold: float) -> None:
        self.hold = hold
        self.arrivals: list[Arrival] = []
        self._loop = loop
        self._mode: Mode = "refusing"
        self._web = Receiver(otherwise=self._answered)
        self._mail_port = 0
        self._servers: list[asyncio.Server] = []

    @property
    def port(self) -> int:
        """The HTTP receiver's port."""
        return self._web.port

    @property
    def mail_port(self) -> int:
        """The mail server's port."""
        return self._mail_port

    def turn(self, mode: Mode) -> None:
        """Set how the servers behave.

        "up" takes messages; "refusing" refuses connections; "failing" answers 500 and 451,
        "rejecting" 400 and 552, "repeating" 500 and 451 with what was requested in the answer;
        "slow" takes messages and answers too late.
        """
        if mode != self._mode:
            self.do(self._turn(mode))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the servers' loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _turn(self, mode: Mode) -> None:
        self._mode = mode
        if mode == "refusing":
            for server in self._servers:
                server.close()
            self._servers = []
        elif not self._servers:
            smtp = partial(
                SMTP, self, hostname="127.0.0.1", loop=self._loop, auth_require_tls=False,
                authenticator=lambda *_: AuthResult(success=True),
            )  # fmt: skip
            web = await asyncio.start_server(self._web.serve, "127.0.0.1", self._web.port)
            mail = await self._loop.create_server(smtp, "127.0.0.1", self._mail_port)
            self._web.port, self._mail_port = (
                server.sockets[0].getsockname()[1] for server in (web, mail)
            )
            self._servers = [web, mail]

    def _keep(self, way: str, key: str, body: bytes, **more: Any) -> None:
        kept = self._mode in ("up", "slow")
        self.arrivals.append(
            Arrival(way, datetime.now(UTC), kept, key, more.get("subject", ""), body,
                    more.get("headers", {}))
        )  # fmt: skip

    def _answered(self, request: Request) -> Answer:
        key = request.headers.get("idempotency-key", "")
        self._keep(request.path, key, request.body, headers=request.headers)
        if self._mode == "slow":
            return self._late
        if self._mode == "rejecting":
            return answer(400, b"wrong")
        if self._mode == "repeating":
            said = f"no such path: {request.path} {request.headers.get('authorization')}"
            return answer(500, said.encode())
        if self._mode == "failing":
            return answer(500, b"down")
        return answer(200, b'{"code": 0}' if request.path.startswith("/open-apis/") else b"{}")

    async def _late(self, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.hold)
        writer.write(answer(204))

    async def handle_DATA(  # noqa: N802 - aiosmtpd names it
        self, _server: Any, _session: Any, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        text = message.get_body(("plain",))
        assert text is not None
        body = text.get_content().replace("\r\n", "\n").encode()
        self._keep(MAIL, str(message["message-id"]), body, subject=str(message["subject"]))
        if self._mode == "slow":
            await asyncio.sleep(self.hold)
        if self._mode == "rejecting":
            return "552 wrong"
        return "451 down" if self._mode in ("failing", "repeating") else "250 taken"

    async def close(self) -> None:
        """Stop listening, and end what is still under way."""
        await self._turn("refusing")
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def outside(*, hold: float = 30.0) -> Iterator[Outside]:
    """Both servers, up, for as long as the context lasts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    world = Outside(loop, hold)
    try:
        world.turn("up")
        yield world
    finally:
        world.do(world.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
