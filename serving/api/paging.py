"""Keyset pagination: a cursor names the last row of a page, so new rows never shift the pages."""

import base64
import json
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import WithJsonSchema

from serving.errors import InvalidRequest
from serving.ingest.comment import storable

Limit = Annotated[int, Query(ge=1, le=1000, description="Maximum number of items per page.")]
_CursorText = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]{2,}$"})]
Cursor = Annotated[_CursorText | None, Query(description="`next_cursor` of the previous page.")]

_Key = TypeVar("_Key", int, str)


def encode_cursor(*key: int | str) -> str:
    """An opaque cursor for a row's sort key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> tuple[int | str, ...]:
    """The sort key in a cursor.

    Args:
        cursor: a value of `next_cursor`.
        types: the types of the key's parts.

    Raises:
        InvalidRequest: it is not a cursor of this list.
    """
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if [type(part) for part in key] == list(types) and all(
            abs(part) < 2**63 if isinstance(part, int) else storable(part) == part for part in key
        ):
            return tuple(key)
    except (ValueError, TypeError, RecursionError):
        pass
    raise _invalid()


def encode_instant_cursor(at: datetime, then: int | str) -> str:
    """An opaque cursor for a list that is sorted by an aware instant and a second key."""
    return encode_cursor(at.isoformat(), then)


def decode_instant_cursor(cursor: str, then: type[_Key]) -> tuple[datetime, _Key]:
    """The instant and the second key of a cursor of `encode_instant_cursor`.

    Args:
        cursor: a value of `next_cursor`.
        then: type of the second key.

    Raises:
        InvalidRequest: it is not a cursor of this list.
    """
    at, second = decode_cursor(cursor, str, then)
    try:
        instant = datetime.fromisoformat(str(at))
    except ValueError:
        raise _invalid() from None
    if instant.tzinfo is None:
        raise _invalid()
    return instant, then(second)


def _invalid() -> InvalidRequest:
    return InvalidRequest(
        "invalid_cursor", "cursor must be an unchanged next_cursor of this list", field="cursor"
    )
