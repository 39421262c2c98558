"""A body that is hashed as it is read."""

import hashlib

from starlette.types import Message, Receive, Scope

_OF_REQUEST = ("method", "path", "query_string")


class HashedBody:
    """The `receive` of a request with an idempotency key.

    The hash is keyed with the idempotency key, which is not stored: what is in a body cannot be
    guessed from it.
    """

    def __init__(self, receive: Receive, key: str, scope: Scope) -> None:
        self._receive = receive
        self._hash = hashlib.blake2b(
            key=hashlib.blake2b(key.encode(), digest_size=32).digest(), digest_size=24
        )
        for name in _OF_REQUEST:
            part = scope[name]
            part = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
            self._hash.update(len(part).to_bytes(4) + part)
        self._first: Message | None = None
        self._ended = False

    @property
    def fingerprint(self) -> str:
        """The hash of what was read so far."""
        return self._hash.hexdigest()

    async def begin(self) -> None:
        """Read the first piece, which is all of a JSON body; it is received later all the same."""
        self._first = await self._next()

    async def receive(self) -> Message:
        """The next message of the request."""
        if self._first is not None:
            message, self._first = self._first, None
            return message
        return await self._receive() if self._ended else await self._next()

    async def drain(self) -> None:
        """Read the rest, for its hash."""
        while not self._ended:
            await self._next()

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request":
            self._ended = True
            return message
        self._hash.update(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        return message
