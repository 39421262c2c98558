"""Carries a request out once, however often it is sent with the same `Idempotency-Key`.

The row of a request is written in the transaction of its first change (`write_mark.py`). So after a
kill a repeat is carried out if nothing was changed, and refused if something was; the answer is
stored in a second transaction, before it is sent.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from serving.access.hashed_body import HashedBody
from serving.access.principal import Principal
from serving.clock import Clock
from serving.errors import AlreadyDone, InvalidRequest, RequestInProgress, StoreError
from serving.storage.keyed_request_record import KeyedRequestRecord, StoredAnswer
from serving.storage.keyed_request_store import KeyedRequestStore, mark_request
from serving.storage.write_mark import WriteMark, marking

_log = structlog.get_logger(__name__)
_LONGEST_KEY = 255  # characters
_KEY = re.compile(f'"(?P<quoted>[!#-~]{{1,{_LONGEST_KEY}}})"|(?P<bare>[!#-~]{{1,{_LONGEST_KEY}}})')
_LONGEST_BODY = 64 * 1024  # bytes of an answer that is kept
# Of an answer; those that middleware sets are set again.
_KEPT_HEADERS = ("content-type", "location", "etag", "cache-control")
_REPLAYED = "Idempotency-Replayed"

Run = Callable[[Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class KeyedOperation:
    """The operation that a request asks for.

    Attributes:
        name: of the route.
        remedy: what to do where the answer to the first request is not kept.
        secret: whether answers hold a secret, which is never stored.
    """

    name: str
    remedy: str
    secret: bool


class IdempotencyKeys:
    """Requests that are being carried out, and those that were."""

    def __init__(self, store: KeyedRequestStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._running: set[str] = set()

    async def once(
        self,
        principal: Principal,
        operation: KeyedOperation,
        run: Run,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> bool:
        """Answer a request that names a key: carry it out, or send the first answer again.

        Returns:
            False if it names none; nothing was done then.

        Raises:
            InvalidRequest: the key cannot be read, or was used for another request.
            RequestInProgress: the same request is being carried out.
            AlreadyDone: the same request was carried out, and its answer is not kept.
        """
        key = _key_of(scope)
        if key is None:
            return False
        sender = f"{principal.kind}:{principal.id}"
        request_id = _hash(sender.encode(), key.encode())
        if request_id in self._running:
            raise RequestInProgress(
                "a request with this Idempotency-Key is being carried out; send it again later"
            )
        self._running.add(request_id)
        try:
            body = HashedBody(receive, key, scope)
            await body.begin()
            record = KeyedRequestRecord(
                request_id=request_id,
                principal=sender,
                operation=operation.name,
                fingerprint="",
                limited_to=_limit_of(principal),
                at=self._clock.now(),
            )
            found = await self._store.find(request_id)
            if found is None:
                await self._carry_out(record, operation, run, body, send)
            else:
                await body.drain()
                await _repeat(found, replace(record, fingerprint=body.fingerprint), operation, send)
        finally:
            self._running.discard(request_id)
        return True

    async def _carry_out(
        self,
        record: KeyedRequestRecord,
        operation: KeyedOperation,
        run: Run,
        body: HashedBody,
        send: Send,
    ) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        mark = WriteMark(
            lambda connection: mark_request(
                connection, replace(record, fingerprint=body.fingerprint)
            )
        )
        with marking(mark):
            await run(body.receive, keep)
        status = messages[0]["status"]
        if status < 400 or (mark.committed and status < 500):
            answer = None if operation.secret else _answer_in(messages)
            try:
                await self._store.save(replace(record, fingerprint=body.fingerprint, answer=answer))
            except StoreError as error:
                # What was done is done and marked: a repeat is refused, or changes nothing again.
                _log.warning("answer_not_kept", operation=operation.name, error=str(error))
        for message in messages:
            await send(message)


async def _repeat(
    found: KeyedRequestRecord, asked: KeyedRequestRecord, operation: KeyedOperation, send: Send
) -> None:
    if found.fingerprint != asked.fingerprint:
        raise InvalidRequest(
            "idempotency_key_reused",
            "this Idempotency-Key was used for another request; use a new key for each request, "
            "and the same address and body for each repeat of it",
        )
    if found.answer is None or found.limited_to != asked.limited_to:
        raise AlreadyDone(
            f"this request was carried out at {found.at:%Y-%m-%dT%H:%M:%SZ}, and its answer is "
            f"not kept; {operation.remedy}"
        )
    start: Message = {"type": "http.response.start", "status": found.answer.status, "headers": []}
    headers = MutableHeaders(scope=start)
    headers.update(found.answer.headers)
    headers["Content-Length"] = str(len(found.answer.body))
    headers[_REPLAYED] = "true"
    await send(start)
    await send({"type": "http.response.body", "body": found.answer.body})


def _key_of(scope: Scope) -> str | None:
    """The idempotency key of a request: a string of RFC 8941, or the same without quotes.

    Raises:
        InvalidRequest: it cannot be read.
    """
    given = Headers(scope=scope).getlist("idempotency-key")
    if not given:
        return None
    found = _KEY.fullmatch(given[0].strip()) if len(given) == 1 else None
    if found is None:
        raise InvalidRequest(
            "invalid_idempotency_key",
            f"Idempotency-Key must be one string of at most {_LONGEST_KEY} visible ASCII "
            "characters without quotes in it, for example a UUID",
        )
    return found["quoted"] or found["bare"]


def _limit_of(principal: Principal) -> str:
    """What stands for the KOLs that a principal sees; its answers show no others."""
    kol_ids = principal.kols.kol_ids
    return "" if kol_ids is None else _hash(*(kol.encode() for kol in sorted(kol_ids)))


def _hash(*parts: bytes) -> str:
    hashed = hashlib.blake2b(digest_size=24)
    for part in parts:
        hashed.update(len(part).to_bytes(4) + part)
    return hashed.hexdigest()


def _answer_in(messages: list[Message]) -> StoredAnswer | None:
    """The answer in messages; None if it is too long to be kept."""
    body = b"".join(message.get("body", b"") for message in messages[1:])
    if len(body) > _LONGEST_BODY:
        return None
    headers = Headers(raw=messages[0]["headers"])
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    return StoredAnswer(messages[0]["status"], kept, body)
