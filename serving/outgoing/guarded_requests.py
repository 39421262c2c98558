"""Bounds the answers that the library `requests` reads inside `run_guarded`.

It has no bound of its own: it reads a whole answer into memory, however long that is.
"""

import io
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from serving.outgoing.guarded_thread import ThreadGuard, current_guard

_MOST_BYTES = 1_000_000
_PART = 65_536


@dataclass(frozen=True, slots=True)
class ReceivedAnswer:
    """An answer that was received.

    Attributes:
        status: of the answer.
        words: its first bytes as text, on one line.
        retry_after: the header of that name; empty if there is none.
    """

    status: int
    words: str
    retry_after: str = ""


@dataclass(slots=True)
class RequestsGuard(ThreadGuard):
    """A guard that also keeps what was answered.

    Attributes:
        answers: in order.
    """

    answers: list[ReceivedAnswer] = field(default_factory=list)


@cache
def bound_requests() -> None:
    """Have `requests` keep to the guard of its thread, if there is one; done once."""
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def bounded(self: HTTPAdapter, request: Any, stream: bool = False, **more: Any) -> Any:
        guard = current_guard()
        if not isinstance(guard, RequestsGuard):
            return send(self, request, stream=stream, **more)
        answer = send(self, request, stream=True, **more)
        try:
            body = _read(answer.raw)
        finally:
            answer.raw.close()
        words = " ".join(body[:_PART].decode("utf-8", "replace").split())
        again = answer.headers.get("Retry-After", "")
        guard.answers.append(ReceivedAnswer(answer.status_code, words, again))
        answer.raw = io.BytesIO(body)
        return answer

    setattr(HTTPAdapter, "send", bounded)  # noqa: B010 - its type has every argument by name


def _read(raw: Any) -> bytes:
    """A body, up to the bound; what is longer is cut, because nobody needs it."""
    found = bytearray()
    while len(found) < _MOST_BYTES and (part := raw.read1(_PART, decode_content=True)):
        found += part
    return bytes(found[:_MOST_BYTES])
