"""A webhook on loopback that keeps what it was sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class HookMessage:
    """A notification that was taken.

    Attributes:
        key: its idempotency key.
        body: what it says.
    """

    key: str
    body: dict[str, Any]

    @property
    def news(self) -> tuple[str, ...]:
        """What it is about: alert, transition, severity and event time."""
        return tuple(str(self.body[name]) for name in ("alert_id", "reason", "severity", "at"))


@dataclass(slots=True)
class HookReceiver:
    """What was taken, in order.

    Attributes:
        url: where it listens.
        messages: every message, those of one key as often as they came.
    """

    url: str = ""
    messages: list[HookMessage] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[HookReceiver]:
    """Take every message, for as long as the context lasts."""
    receiver = HookReceiver()

    class HookHandler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.messages.append(HookMessage(self.headers["Idempotency-Key"], json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), HookHandler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
