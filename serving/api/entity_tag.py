"""ETags: answers that need not be sent again, and changes that overwrite nobody's.

An ETag is `"<digest>"`, or `"<version>-<digest>"` where people edit what is shown. The version is
that of what they edit, the digest that of the whole answer. `If-None-Match` compares both,
`If-Match` the version alone: a KOL that got a comment can still be edited.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, ClassVar

from fastapi import Depends, Header
from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send

from serving.api.edit_locks import edit_lock
from serving.errors import NotFound, PreconditionFailed

_LONGEST = 4 * 1024 * 1024  # bytes of an answer that gets an ETag
_HASHED = 8  # bytes


class Edited(BaseModel):
    """A schema of something that people edit."""

    edited_fields: ClassVar[tuple[str, ...]]
    """The fields that they edit, or that say that somebody did."""


class TaggedAnswer:
    """The `send` of a request: adds an ETag to an answer, or leaves the body out (304)."""

    def __init__(self, scope: Scope, send: Send, model: Any) -> None:
        """Prepare to answer.

        Args:
            scope: of the request.
            send: of the server.
            model: what the route answers with.
        """
        self._send = send
        self._reads = scope["method"] == "GET"
        is_edited = isinstance(model, type) and issubclass(model, Edited)
        self._fields: tuple[str, ...] = model.edited_fields if is_edited else ()
        self._known = Headers(scope=scope).get("if-none-match", "") if self._reads else ""
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        """Send a message of the answer; its start waits for its body."""
        if message["type"] == "http.response.start" and self._wants_tag(message):
            self._start = message
            return
        if self._start is None:
            await self._send(message)
            return
        start, self._start = self._start, None
        body = message.get("body", b"")
        if message.get("more_body") or len(body) > _LONGEST:
            await self._send(start)
            await self._send(message)
            return
        etag = self._etag(body)
        headers = MutableHeaders(scope=start)
        headers["ETag"] = etag
        if _is_known(etag, self._known):
            start["status"] = 304
            del headers["content-length"], headers["content-type"]
            message = {"type": "http.response.body", "body": b""}
        await self._send(start)
        await self._send(message)

    def _wants_tag(self, start: Message) -> bool:
        headers = Headers(raw=start["headers"])
        return (
            start["status"] == 200
            and (self._reads or bool(self._fields))
            and "etag" not in headers
            and headers.get("content-type") == "application/json"
        )

    def _etag(self, body: bytes) -> str:
        version = f"{_version(json.loads(body), self._fields)}-" if self._fields else ""
        return f'"{version}{_digest(body)}"'


def _is_known(etag: str, known: str) -> bool:
    """Whether an ETag is among those of `If-None-Match`."""
    return known.strip() == "*" or etag in {
        one.strip().removeprefix("W/") for one in known.split(",")
    }


class IfMatch:
    """What the header `If-Match` of a change says."""

    def __init__(
        self,
        if_match: Annotated[
            str | None,
            Header(
                description="ETag of what you have read: 412 if somebody has edited it since. "
                "Left out, the change is made in any case.",
                max_length=1000,
            ),
        ] = None,
    ) -> None:
        self._given = if_match

    @asynccontextmanager
    async def editing(
        self, name: str, current: Callable[[], Awaitable[Edited]]
    ) -> AsyncIterator[None]:
        """Make a change, while nobody else makes one of the same.

        Args:
            name: of what is edited.
            current: what a reader gets of it.

        Raises:
            PreconditionFailed: it is not what the header says.
        """
        async with edit_lock(name):
            if self._given is not None:
                await self._check(name, self._given, current)
            yield

    async def _check(self, name: str, given: str, current: Callable[[], Awaitable[Edited]]) -> None:
        try:
            found = await current()
        except NotFound:
            raise PreconditionFailed(
                f"there is no {name} any more, or not yet; leave If-Match out to make it",
                etag=None,
            ) from None
        body = found.model_dump(mode="json", by_alias=True)
        version = _version(body, found.edited_fields)
        # A proxy that compresses answers makes ETags weak.
        tags = [one.strip().removeprefix("W/").strip('"') for one in given.split(",")]
        if given.strip() == "*" or version in {tag.partition("-")[0] for tag in tags}:
            return
        shown = {field: body[field] for field in found.edited_fields}
        raise PreconditionFailed(
            f"somebody has edited the {name} since you read it; read it again, and repeat your "
            f"change if it is still right. Now it is {_short(shown)}",
            etag=f'"{version}-{_digest(json.dumps(body).encode())}"',
        )


Matching = Annotated[IfMatch, Depends()]


def _version(body: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    return _digest(json.dumps({field: body[field] for field in fields}, sort_keys=True).encode())


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=_HASHED).hexdigest()


def _short(shown: Mapping[str, Any]) -> str:
    text = json.dumps(shown, ensure_ascii=False)
    return text if len(text) <= 1000 else text[:999] + "…"
