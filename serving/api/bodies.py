"""Reads JSON of request bodies piece by piece. Every kind of fault has its own error code.

Bytes, items, values and nesting were counted before: serving/access/.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from starlette.requests import Request

from serving.access.bounded_body import BoundedBody
from serving.access.bounds import MAX_LINE_BYTES
from serving.errors import InvalidRequest
from serving.slices import Slices


@dataclass(frozen=True, slots=True)
class SplitJson:
    """A JSON body whose list of items is parsed one by one.

    Attributes:
        outer: the body, with that list empty.
        body: its text.
        cuts: where the list opens, its commas, and where it closes; empty if there is no list.
    """

    outer: Any
    body: bytes | bytearray
    cuts: Sequence[int] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is a list, with nothing in it."""
        return len(self.cuts) == 2 and not self.body[self.cuts[0] + 1 : self.cuts[1]].strip()

    async def items(self) -> AsyncIterator[Any]:
        """The items of the list; where there is none, the body itself.

        Raises:
            InvalidRequest: an item is not JSON.
        """
        if not self.cuts:
            yield self.outer
        if self.is_empty:
            return
        slices = Slices()
        for number, (start, end) in enumerate(pairwise(self.cuts)):
            yield parse_json(self.body[start + 1 : end], f" of item {number}")
            await slices.pause()


def parse_json(raw: bytes | bytearray, where: str = "") -> Any:
    """The JSON value in `raw`.

    Args:
        raw: the text.
        where: what it is a part of, for messages.

    Raises:
        InvalidRequest: `invalid_utf8` or `malformed_json`, with its position.
    """
    try:
        return json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            "invalid_utf8", f"byte {error.start}{where} is not UTF-8; send JSON in UTF-8"
        ) from None
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            "malformed_json",
            f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}{where}",
        ) from None
    except (RecursionError, ValueError) as error:  # nested too deep; an endless number
        raise InvalidRequest("malformed_json", f"cannot be read as JSON{where}: {error}") from None


async def read_json(request: Request) -> SplitJson:
    """The request's body as JSON.

    Raises:
        InvalidRequest: it is out of bounds, not UTF-8 or not JSON.
    """
    body: bytes | bytearray = b""
    async for chunk in request.stream():
        body = body + chunk if body and chunk else body or chunk  # it comes as a whole: no copy
    bounded: BoundedBody = request.state.body
    scan = bounded.scan
    if scan is None or not scan.cuts:
        return SplitJson(parse_json(body), body)
    if not scan.closed:
        raise InvalidRequest("malformed_json", "not JSON: the list of items does not end")
    outer = parse_json(body[: scan.cuts[0] + 1] + body[scan.cuts[-1] :])
    return SplitJson(outer, body, scan.cuts)


async def read_lines(request: Request) -> AsyncIterator[bytes | None]:
    """The lines of the body without line ends; None for one longer than `MAX_LINE_BYTES`."""
    rest, skipping, slices = b"", False, Slices()
    async for chunk in request.stream():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield None if skipping or len(line) > MAX_LINE_BYTES else line
            skipping = False
            await slices.pause()
        if len(rest) > MAX_LINE_BYTES:
            rest, skipping = b"", True
    if rest or skipping:
        yield None if skipping else rest
