"""What every route takes: one table of media types, bytes, items, values and answers at once.

docs/security.md and docs/errors.md say the same in words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from serving.access.json_scan import JsonBounds
from serving.settings import Settings

MAX_LINE_BYTES = 1024 * 1024
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
ANY = "*"
_SMALL = 256 * 1024  # bytes of a request that changes one thing
_CALLBACK = 64 * 1024  # bytes that a chat service says of a pressed button
_FORM_BYTES = 64 * 1024  # a remark of 2000 characters, percent-encoded, is at most 24 KB
_VALUES_OF_AN_ITEM = 400  # on average, over a list


@dataclass(frozen=True, slots=True)
class BodyBounds:
    """What a body of one media type may be.

    Attributes:
        size: in bytes; None for a stream that is worked on as it comes.
        advice: what to do with a larger one.
        json: what it may hold, if it is JSON. It is then read as a whole before the route gets it.
    """

    size: int | None
    advice: str = "send less at once"
    json: JsonBounds | None = None


@dataclass(frozen=True, slots=True)
class RouteBounds:
    """What requests of a route may bring.

    Attributes:
        bodies: by media type; `*` is any.
        at_once: answers that may go on at the same time; None for any number.
    """

    bodies: Mapping[str, BodyBounds] = field(default_factory=dict)
    at_once: int | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    method: str
    path: re.Pattern[str]
    bounds: RouteBounds


class BoundsTable:
    """The bounds of every route."""

    def __init__(self, settings: Settings) -> None:
        items, size = settings.max_items, settings.max_body_bytes
        values = max(items * _VALUES_OF_AN_ITEM, JsonBounds().values)
        split, lines = "send fewer items at once", "send fewer items at once, or NDJSON"
        a_list = JsonBounds(items=items, values=values)
        texts = JsonBounds(items=items, values=values, list_depth=2, field="texts")
        file = "split it, or use 'groundswell import'"
        stream = dict.fromkeys(NDJSON, BodyBounds(None))
        self._rows = (
            _row("POST", "/v1/comments", {JSON: BodyBounds(size, lines, a_list), **stream}),
            _row("POST", "/v1/posts", {JSON: BodyBounds(size, split, a_list)}),
            _row("POST", "/v1/score", {JSON: BodyBounds(size, split, texts)}),
            _row("POST", "/v1/imports", {ANY: BodyBounds(settings.max_import_bytes, file)}),
            _row("POST", "/v1/lark/callback", {JSON: BodyBounds(_CALLBACK, json=JsonBounds())}),
            _row("GET", "/v1/stream", {}, at_once=settings.max_subscribers),
            _row("POST", "/v1/webhooks/[^/]*", {ANY: BodyBounds(MAX_LINE_BYTES)}),
            _row(None, "/v1/.*", {JSON: BodyBounds(_SMALL, json=JsonBounds())}),
            _row(None, ".*", {FORM: BodyBounds(_FORM_BYTES)}),
        )

    def of(self, method: str, path: str) -> RouteBounds:
        """The bounds of a request: those of the first row that it fits."""
        return next(
            row.bounds
            for row in self._rows
            if row.method in ("", method) and row.path.fullmatch(path)
        )


def _row(
    method: str | None,
    path: str,
    bodies: Mapping[str, BodyBounds],
    *,
    at_once: int | None = None,
) -> _Row:
    return _Row(method or "", re.compile(path, re.DOTALL), RouteBounds(bodies, at_once))
