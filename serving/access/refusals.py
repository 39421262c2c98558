"""Answers what the middleware below refuses, and what a stop of the service interrupts."""

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model.errors import GroundswellError
from serving.errors import NotReady

_DRAIN = 5.0  # seconds in which the rest of a body is read and thrown away

Refuse = Callable[[GroundswellError], Response]


class Refusals:
    """ASGI middleware. Turns errors of ours into answers, if nothing was answered yet.

    The server cancels requests that are not answered when it stops; their senders get 503, so that
    they try again.
    """

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer it if it is refused."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except GroundswellError as error:
            if exchange.answered:
                raise
            slow = error.code == "request_timeout"
            await exchange.answer(self._refuse(error), drain=not slow)
        except asyncio.CancelledError:
            if exchange.answered:
                raise
            stopping = NotReady("the service is stopping; send this again")
            await exchange.answer(self._refuse(stopping), drain=False)


class _Exchange:
    """A request and its answer; knows how far both are."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._received = False
        self.answered = False

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):
            self._received = True
        return message

    async def send(self, message: Message) -> None:
        self.answered = True
        await self._send(message)

    async def answer(self, response: Response, *, drain: bool) -> None:
        """Send the whole answer, then let the sender finish: one that still writes would see a
        broken connection instead of the answer.
        """
        response.headers["Connection"] = "close"
        await self.send(
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": response.raw_headers,
            }
        )
        body = {"type": "http.response.body", "body": response.body, "more_body": True}
        await self._send(body)
        if drain:
            try:
                async with asyncio.timeout(_DRAIN):
                    while not self._received:
                        await self.receive()
            except TimeoutError:
                pass
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
