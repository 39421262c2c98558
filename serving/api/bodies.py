"""Reads request bodies of bounded size. Every kind of fault has its own error code."""

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request

from serving.errors import InvalidRequest

MAX_LINE_BYTES = 1024 * 1024


def parse_json(raw: bytes) -> Any:
    """The JSON value in `raw`.

    Raises:
        InvalidRequest: `invalid_utf8` or `malformed_json`, with its position.
    """
    try:
        return json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            "invalid_utf8", f"byte {error.start} is not UTF-8; send JSON in UTF-8"
        ) from None
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            "malformed_json",
            f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
        ) from None
    except (RecursionError, ValueError) as error:  # nested too deep; an endless number
        raise InvalidRequest("malformed_json", f"cannot be read as JSON: {error}") from None


async def read_json(request: Request, max_bytes: int) -> Any:
    """The request's body as JSON.

    Raises:
        InvalidRequest: it is too large, not UTF-8 or not JSON.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise InvalidRequest(
                "body_too_large",
                f"the body is larger than {max_bytes} bytes; send fewer items at once, or NDJSON",
            )
    return parse_json(bytes(body))


async def read_lines(request: Request) -> AsyncIterator[bytes | None]:
    """The lines of the body without line ends; None for one longer than `MAX_LINE_BYTES`."""
    rest, skipping = b"", False
    async for chunk in request.stream():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield None if skipping or len(line) > MAX_LINE_BYTES else line
            skipping = False
        if len(rest) > MAX_LINE_BYTES:
            rest, skipping = b"", True
    if rest or skipping:
        yield None if skipping else rest
