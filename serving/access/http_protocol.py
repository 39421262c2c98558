"""HTTP connections that may not be slow, large or many without end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from starlette.responses import Response
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from model.errors import GroundswellError
from serving.access.refusals import Refuse
from serving.access.response_headers import RESPONSE_HEADERS
from serving.errors import InvalidRequest, TooManyConnections
from serving.metrics import Metrics

MAX_HEADER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """What connections may take.

    Attributes:
        connections: open at the same time.
        per_address: of them from one address.
        is_proxy: whether an address is that of a trusted proxy, whose connections are everybody's.
        header_timeout: seconds from the first byte of a request, or the start of the connection, to
            the end of the headers.
        write_timeout: seconds in which a reader must take something of what waits for it.
    """

    connections: int
    per_address: int
    is_proxy: Callable[[str], bool]
    header_timeout: float
    write_timeout: float


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol within bounds.

    One connection more than there may be, in all or of an address, takes the place of the one that
    has sent no request for the longest time. If all are at work, it is refused.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        bounds: ConnectionBounds,
        refuse: Refuse,
        metrics: Metrics,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = bounds
        self._refuse = refuse
        self._closed = metrics.connections_closed
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._in_headers = False
        self._header_bytes = 0
        self._ended = False  # nothing more is read
        self.idle_since = self.loop.time()
        self.address = ""

    @property
    def at_work(self) -> bool:
        """Whether a request is here whose answer is not complete."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it."""
        super().connection_made(transport)
        self.address = (transport.get_extra_info("peername") or ("",))[0]
        mine = self._of_address()
        if len(mine) > self._bounds.per_address and not self._make_room(mine):
            where = f"too many connections are open from {self.address}"
            self._end("too_many", TooManyConnections(f"{where}; use fewer, or each for longer"))
        elif len(self.connections) > self._bounds.connections and not self._make_room(
            self._others()
        ):
            error = TooManyConnections("too many connections are open; try again later")
            self._end("too_many", error)
        else:
            self._time_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_timers()
        self._ended = True
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a request whose headers do not end is refused."""
        if self._ended:
            return
        if not self.at_work and self._header_timer is None:
            self._time_headers()
        super().data_received(data)
        if self._in_headers and not self._ended:
            self._header_bytes += len(data)
            self._check_headers(self._header_bytes)

    def on_message_begin(self) -> None:
        """Start to count the headers."""
        if self._ended:
            return
        self._in_headers, self._header_bytes = True, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Read the address."""
        if not self._ended:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header."""
        if not self._ended:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request."""
        if self._ended:
            return
        self._in_headers = False
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if self._check_headers(size):
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Read a piece of the body."""
        if not self._ended:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        if not self._ended:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self.idle_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for the reader, but not for ever."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._bounds.write_timeout, self._stop_writing)

    def resume_writing(self) -> None:
        """Go on: the reader has taken something."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        if not self._ended:
            self._end(
                "malformed", InvalidRequest("malformed_request", "the request is not HTTP/1.1")
            )

    def give_way(self) -> None:
        """Make room for another connection."""
        self.connections.discard(self)
        self._end("replaced", None)

    def _others(self) -> list["BoundedProtocol"]:
        return [one for one in self.connections if isinstance(one, BoundedProtocol)]

    def _of_address(self) -> list["BoundedProtocol"]:
        """The connections of this one's address; none of a proxy's."""
        if len(self.connections) <= self._bounds.per_address or self._bounds.is_proxy(self.address):
            return []
        return [one for one in self._others() if one.address == self.address]

    def _make_room(self, among: list["BoundedProtocol"]) -> bool:
        """Whether another connection gave way."""
        others = [one for one in among if one is not self and not one.at_work]
        if not others:
            return False
        min(others, key=lambda one: one.idle_since).give_way()
        return True

    def _time_headers(self) -> None:
        self.idle_since = self.loop.time()
        self._header_timer = self.loop.call_later(self._bounds.header_timeout, self._stop_waiting)

    def _stop_waiting(self) -> None:
        self._header_timer = None
        if self.at_work or self._ended:
            return
        error = None
        if self._in_headers:
            error = InvalidRequest(
                "request_timeout",
                f"the headers did not arrive in {self._bounds.header_timeout:g} seconds",
            )
        self._end("slow_headers", error)

    def _stop_writing(self) -> None:
        self._closed.labels("slow_reader").inc()
        self._ended = True
        self.transport.abort()

    def _check_headers(self, size: int) -> bool:
        if size <= MAX_HEADER_BYTES:
            return True
        self._end(
            "large_headers",
            InvalidRequest(
                "headers_too_large",
                f"address and headers are larger than {MAX_HEADER_BYTES} bytes; shorten them",
            ),
        )
        return False

    def _end(self, reason: str, error: GroundswellError | None) -> None:
        """Close the connection, with an answer if there is an error."""
        self._ended = True
        self._closed.labels(reason).inc()
        self._stop_timers()
        self._unset_keepalive_if_required()
        if error is not None and not self.at_work:
            self.transport.write(_raw(self._refuse(error)))
        self.transport.close()

    def _stop_timers(self) -> None:
        for timer in (self._header_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        self._header_timer = self._write_timer = None


def protocol(bounds: ConnectionBounds, refuse: Refuse, metrics: Metrics) -> type[asyncio.Protocol]:
    """What uvicorn makes for each connection."""

    def make(**of_uvicorn: Any) -> BoundedProtocol:
        return BoundedProtocol(**of_uvicorn, bounds=bounds, refuse=refuse, metrics=metrics)

    return cast("type[asyncio.Protocol]", make)


def _raw(response: Response) -> bytes:
    for name, value in RESPONSE_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Connection"] = "close"
    phrase = HTTPStatus(response.status_code).phrase
    head = [f"HTTP/1.1 {response.status_code} {phrase}".encode()]
    head += [name + b": " + value for name, value in response.raw_headers]
    return b"\r\n".join([*head, b"", bytes(response.body)])
