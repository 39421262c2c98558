"""One body as it arrives: never more bytes, values or time than its bounds allow."""

import asyncio

from starlette.types import Message, Receive

from serving.access.bounds import BodyBounds
from serving.access.json_scan import JsonScan
from serving.errors import InvalidRequest, ServingError, TooBusy
from serving.slices import Slices

_PIECE = 16 * 1024  # bytes scanned at once; a few milliseconds where all is structure
_LEAST = 1024  # bytes that a stream must bring in `timeout` seconds


class InFlight:
    """Bytes of all bodies that are held in memory.

    Attributes:
        most: limit.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._held = 0

    def take(self, size: int) -> None:
        """Count bytes in.

        Raises:
            TooBusy: there would be too many; none were counted.
        """
        if self._held + size > self.most:
            raise TooBusy("too many large requests are being read; send this again", retry_after=1)
        self._held += size

    def give(self, size: int) -> None:
        """Count bytes out."""
        self._held -= size


class BoundedBody:
    """The `receive` of a request, within bounds.

    Attributes:
        scan: of a JSON body that was received.
        fault: why the body was refused; None as long as it is not.
    """

    def __init__(
        self, receive: Receive, bounds: BodyBounds, *, timeout: float, in_flight: InFlight
    ) -> None:
        """Prepare to receive.

        Args:
            receive: of the server.
            bounds: of the body.
            timeout: seconds in which a JSON body must be here, and a stream must bring 1 KiB.
            in_flight: counts what is held in memory.
        """
        self._receive = receive
        self._bounds = bounds
        self._timeout = timeout
        self._in_flight = in_flight
        self._size = self._held = self._recent = 0
        self._waited = 0.0
        self._ended = False
        self.scan: JsonScan | None = None
        self.fault: ServingError | None = None

    async def receive(self) -> Message:
        """The next message of the request.

        Raises:
            ServingError: the body is out of bounds; so is every later call.
        """
        if self.fault is not None:
            raise self.fault
        if self._ended:
            return await self._receive()
        try:
            if self._bounds.json is None:
                return await self._next()
            self.scan = JsonScan(self._bounds.json)
            return await self._whole(self.scan)
        except ServingError as error:
            self.fault = error
            raise

    def close(self) -> None:
        """Count out what was held."""
        self._in_flight.give(self._held)
        self._held = 0

    async def _whole(self, scan: JsonScan) -> Message:
        """A whole JSON body as one message."""
        body, slices = bytearray(), Slices()
        while not self._ended:
            message = await self._next()
            if message["type"] != "http.request":
                return message
            piece = memoryview(message.get("body", b""))
            self._in_flight.take(len(piece))
            self._held += len(piece)
            for start in range(0, len(piece), _PIECE):
                scan.feed(bytes(piece[start : start + _PIECE]))
                await slices.pause()
            body += piece
        if len(body) > _PIECE:
            await asyncio.sleep(0)  # what reads the body begins a step of its own
        # Not copied into bytes: that takes 10 ms of 16 MB.
        return {"type": "http.request", "body": body, "more_body": False}

    async def _next(self) -> Message:
        now = asyncio.get_running_loop().time
        began = now()
        try:
            async with asyncio.timeout(self._timeout - self._waited):
                message = await self._receive()
        except TimeoutError:
            raise InvalidRequest(
                "request_timeout",
                f"the body did not arrive in {self._timeout:g} seconds; send it faster, or less",
            ) from None
        self._waited += now() - began
        self._count(len(message.get("body", b"")))
        self._ended = not message.get("more_body", False)
        return message

    def _count(self, size: int) -> None:
        self._size += size
        self._recent += size
        if self._bounds.size is not None and self._size > self._bounds.size:
            raise too_large(self._bounds)
        if self._bounds.json is None and self._recent >= _LEAST:
            self._recent, self._waited = 0, 0.0


def too_large(bounds: BodyBounds) -> InvalidRequest:
    """The error for a body of too many bytes."""
    return InvalidRequest(
        "body_too_large", f"the body is larger than {bounds.size} bytes; {bounds.advice}"
    )
