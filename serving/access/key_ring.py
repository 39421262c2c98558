"""The API keys of a running service: checked, made, revoked, rotated."""

import asyncio
import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NoReturn

import structlog
from starlette.requests import HTTPConnection

from serving.access.key import ApiKey, new_key, parse_key
from serving.access.principal import Principal, PrincipalKind
from serving.access.rate_limiter import RateLimiter
from serving.access.refused_requests import RefusedRequests
from serving.access.scope import Scope
from serving.clock import Clock
from serving.errors import Conflict, NotFound, RateLimited, StoreError, Unauthenticated
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.key_record import KeyLimit, KeyRecord
from serving.storage.key_store import KeyStore
from serving.storage.person_record import name_key

_log = structlog.get_logger(__name__)
_NO_HASH = hashlib.sha256(b"no key has this").hexdigest()
_USE_INTERVAL = 60.0  # seconds between two times that the last use of keys is stored


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """A key that is to be made.

    Attributes:
        name: what people call it; no two usable keys have the same.
        limit: the KOLs and brands that it sees; None for all.
        expires_at: from when on it is refused, aware; None for never.
    """

    name: str
    scopes: frozenset[Scope]
    limit: KeyLimit | None = None
    expires_at: datetime | None = None


class KeyRing:
    """An authenticator of `Authorization: Bearer gsk_…`.

    It holds every key, so that a request costs no query, and a key that is revoked is refused at
    once. One process writes to a database, and changes of keys go through its ring.
    """

    def __init__(
        self, store: KeyStore, clock: Clock, refusals: RefusedRequests, *, requests_per_minute: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._refusals = refusals
        self._limiter = RateLimiter(requests_per_minute)
        self._keys: dict[str, KeyRecord] = {}
        self._used: dict[str, datetime] = {}
        self._changing = asyncio.Lock()
        self._noting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read the keys, and begin to note when each is used."""
        self._keys = {key.key_id: key for key in await self._store.all()}
        self._noting = asyncio.create_task(self._note_use(), name="key_ring")

    async def stop(self) -> None:
        """Store when keys were last used."""
        if self._noting is not None:
            self._noting.cancel()
            with suppress(asyncio.CancelledError):
                await self._noting
        await self._store_use()

    @property
    def is_empty(self) -> bool:
        """Whether no key was ever made."""
        return not self._keys

    async def authenticate(self, connection: HTTPConnection) -> Principal | None:
        """The key of a request as a principal; None if it has no `Authorization` header."""
        given = connection.headers.get("authorization")
        if given is None:
            return None
        scheme, _, written = given.partition(" ")
        key = parse_key(written.strip()) if scheme.lower() == "bearer" else None
        record = None if key is None else self._keys.get(key.key_id)
        # The same work for an id that nobody has, so that time does not tell which there are.
        secret_hash = _NO_HASH if record is None else record.secret_hash
        matches = key is not None and key.matches(secret_hash)
        if record is None or not matches:
            await self._refuse(connection, key, "the key is not valid")
        now = self._clock.now()
        if record.revoked_at is not None:
            await self._refuse(connection, key, "the key was revoked")
        if not record.is_usable(now):
            await self._refuse(connection, key, "the key has expired")
        if wait := self._limiter.take(record.key_id):
            raise RateLimited(
                f"the key {record.name!r} sends too many requests; wait, or send more in each",
                retry_after=wait,
            )
        self._used[record.key_id] = now
        return Principal(
            kind=PrincipalKind.KEY,
            id=record.key_id,
            name=record.name,
            scopes=_scopes(record.scopes),
            kols=EVERY_KOL
            if record.limit is None
            else KolLimit(await self._store.visible_kols(record.key_id)),
        )

    def is_current(self, principal: Principal) -> bool:
        """Whether a key is neither revoked nor expired."""
        if principal.kind is not PrincipalKind.KEY:
            return True
        record = self._keys.get(principal.id)
        return record is not None and record.is_usable(self._clock.now())

    def is_named(self, name: str) -> bool:
        """Whether a usable key has this name, or one that people take for the same."""
        key, now = name_key(name), self._clock.now()
        return any(name_key(one.name) == key and one.is_usable(now) for one in self._keys.values())

    async def get(self, key_id: str) -> KeyRecord:
        """One key, with its last use and what it is limited to now.

        Raises:
            NotFound: there is no such key.
        """
        record = self._keys.get(key_id)
        if record is None:
            raise NotFound(f"there is no key {key_id!r}; GET /v1/keys lists them")
        limit = None if record.limit is None else await self._store.limit_of(key_id)
        used = self._used.get(key_id, record.last_used_at)
        return replace(record, limit=limit, last_used_at=used)

    async def create(
        self, order: KeyOrder, actor: str, *, key: ApiKey | None = None
    ) -> tuple[ApiKey, KeyRecord]:
        """Make a key. Its secret is in the result and nowhere else.

        Args:
            order: what it may do.
            actor: who makes it.
            key: its id and secret, if they are given; they must be random.

        Raises:
            Conflict: a usable key has this name, or any key this id.
        """
        key = key or new_key()
        async with self._changing:
            now = self._clock.now()
            if any(one.name == order.name and one.is_usable(now) for one in self._keys.values()):
                raise Conflict(
                    f"there is a key {order.name!r}; choose another name, or rotate that key",
                    field="name",
                )
            if key.key_id in self._keys:
                raise Conflict(f"there is a key with the id {key.key_id}")
            record = KeyRecord(
                key_id=key.key_id,
                secret_hash=key.secret_hash,
                name=order.name,
                scopes=frozenset(order.scopes),
                limit=order.limit,
                created_by=actor,
                created_at=now,
                expires_at=order.expires_at,
            )
            await self._store.add(record)
            self._keys[key.key_id] = record
        return key, record

    async def revoke(self, key_id: str, actor: str, *, other_admin: bool = False) -> KeyRecord:
        """Refuse a key from now on; one that was revoked before stays as it was.

        Args:
            key_id: the key.
            actor: who revokes it.
            other_admin: whether a person is an admin, so that no key need be.

        Raises:
            NotFound: there is no such key.
            Conflict: it is the last one with the scope `admin`, and nobody else is an admin.
        """
        async with self._changing:
            record, now = await self.get(key_id), self._clock.now()
            if record.revoked_at is None:
                if not other_admin:
                    self._check_not_last_admin(record, now)
                await self._store.revoke(key_id, actor, now)
                self._keys[key_id] = replace(record, revoked_by=actor, revoked_at=now)
        return await self.get(key_id)

    async def rotate(self, key_id: str, actor: str, grace: timedelta) -> tuple[ApiKey, KeyRecord]:
        """Make a key that replaces another: the same name, scopes, limits and end.

        Args:
            key_id: the former key.
            actor: who rotates it.
            grace: how long the former key may be used still.

        Raises:
            NotFound: there is no such key.
            Conflict: it is revoked or expired.
        """
        key = new_key()
        async with self._changing:
            former, now = await self.get(key_id), self._clock.now()
            if not former.is_usable(now):
                raise Conflict(f"the key {former.name!r} cannot be used any more; make a new one")
            ends = now + grace if former.expires_at is None else min(former.expires_at, now + grace)
            record = replace(
                former,
                key_id=key.key_id,
                secret_hash=key.secret_hash,
                created_by=actor,
                created_at=now,
                rotated_from=key_id,
                last_used_at=None,
            )
            await self._store.rotate(key_id, record, ends)
            self._keys[key_id] = replace(former, expires_at=ends)
            self._keys[key.key_id] = record
        return key, record

    def _check_not_last_admin(self, record: KeyRecord, now: datetime) -> None:
        if Scope.ADMIN not in record.scopes or not record.is_usable(now):
            return
        others = (one for one in self._keys.values() if one.key_id != record.key_id)
        if not any(Scope.ADMIN in one.scopes and one.is_usable(now) for one in others):
            raise Conflict(
                f"{record.name!r} is the last key with the scope 'admin', and no admin can sign "
                "in; create another first, or rotate this one"
            )

    async def _refuse(self, connection: HTTPConnection, key: ApiKey | None, why: str) -> NoReturn:
        detail = {"why": why} if key is None else {"why": why, "key_id": key.key_id}
        await self._refusals.bad_credentials(connection, "use_key", detail)
        raise Unauthenticated(f"{why}; an admin can make a new one with 'groundswell keys create'")

    async def _note_use(self) -> None:
        while True:
            await asyncio.sleep(_USE_INTERVAL)
            await self._store_use()

    async def _store_use(self) -> None:
        used, self._used = self._used, {}
        for key_id, at in used.items():
            self._keys[key_id] = replace(self._keys[key_id], last_used_at=at)
        if not used:
            return
        try:
            await self._store.note_use(used)
        except StoreError as error:
            _log.warning("key_use_not_stored", error=str(error))


def _scopes(words: Iterable[str]) -> frozenset[Scope]:
    """The scopes that this version knows; a word that it does not know permits nothing."""
    return frozenset(Scope(word) for word in words if word in {*Scope})
