"""How values are written into addresses, queries and bodies."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx

from groundswell_client.errors import InvalidAddress

T = TypeVar("T")

Query = Mapping[str, str | int | bool | Sequence[str] | None]


def service_url(address: str) -> str:
    """An address, checked.

    Raises:
        InvalidAddress: it is not an HTTP address.
    """
    try:
        parsed = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise InvalidAddress(f"{address!r} is not an address ({error})") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise InvalidAddress(f"{address!r} is not an address; write it like http://127.0.0.1:8000")
    return address


def iso(time: datetime | None) -> str | None:
    """A time as the API reads it."""
    return None if time is None else time.isoformat()


def part(text: str) -> str:
    """Text as one part of a path."""
    return quote(text, safe="")


def new_key() -> str:
    """An idempotency key, in the quotes that its draft asks for."""
    return f'"{uuid4()}"'


def given(body: Mapping[str, object]) -> dict[str, object]:
    """A body without what is None."""
    return {key: value for key, value in body.items() if value is not None}


async def async_each(items: AsyncIterable[T] | Iterable[T]) -> AsyncIterator[T]:
    """The items of an iterable of either kind."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
        return
    for item in items:
        yield item


def each(items: Iterable[T]) -> Iterator[T]:
    """The twin of `async_each`."""
    return iter(items)


def opened(file: Path | BinaryIO) -> AbstractContextManager[BinaryIO]:
    """A file to read bytes from; one that is open already stays open afterwards."""
    return file.open("rb") if isinstance(file, Path) else nullcontext(file)
