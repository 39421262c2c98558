"""Sessions of people who are signed in: started, found by their cookie, ended.

All are in memory, and every change is stored first. The value of a cookie is 32 random bytes, of
which only the hash is kept. It is replaced at every sign-in and then from time to time; the one
before is valid for a moment longer, because a browser sends several requests at once, and an answer
with a new value may be lost.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from serving.clock import Clock
from serving.errors import StoreError
from serving.storage.session_record import SessionRecord, TokenRecord
from serving.storage.session_store import SessionStore

ROTATED_AFTER = timedelta(minutes=15)
OVERLAP = timedelta(minutes=1)  # for which a value is valid after a newer one was used
_NOTED_EVERY = timedelta(minutes=1)
MOST_OF_A_PERSON = 20
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Kept:
    """A session in memory, with the hashes of its cookie's values, oldest first."""

    record: SessionRecord
    used_at: datetime
    tokens: dict[str, TokenRecord] = field(default_factory=dict)
    is_rotating: bool = False  # a new value is being stored


class Sessions:
    """The sessions that have not ended."""

    def __init__(
        self, store: SessionStore, clock: Clock, *, idle: timedelta, lifetime: timedelta
    ) -> None:
        """Prepare.

        Args:
            store: where sessions are kept.
            clock: the time by which they end.
            idle: the longest time without a request.
            lifetime: the longest time after the sign-in.
        """
        self._store = store
        self._clock = clock
        self._idle = idle
        self._lifetime = lifetime
        self._kept: dict[str, _Kept] = {}
        self._of_token: dict[str, str] = {}

    async def load(self) -> None:
        """Read all sessions, and delete those that have ended; once, before anything else."""
        records, tokens = await self._store.all()
        self._kept = {one.session_id: _Kept(one, one.used_at) for one in records}
        for token in tokens:
            if (kept := self._kept.get(token.session_id)) is not None:
                kept.tokens[token.token_hash] = token
                self._of_token[token.token_hash] = token.session_id
        await self._end(self._over())

    async def start(
        self, person_id: str, *, method: str, address: str, browser: str, former: str | None
    ) -> str:
        """Start a session; returns the value of its cookie.

        Args:
            person_id: who signs in.
            method: how.
            address: from where.
            browser: what the browser calls itself.
            former: the value that the browser's cookie has now. Its session ends, whoever's it is.
        """
        now = self._clock.now()
        ended = set(self._over())
        if former is not None and (old := self._of_token.get(_hash(former))) is not None:
            ended.add(old)
        own = [one for one in self.of_person(person_id) if one.session_id not in ended]
        ended |= {one.session_id for one in own[MOST_OF_A_PERSON - 1 :]}
        record = SessionRecord(
            session_id=secrets.token_hex(8),
            person_id=person_id,
            method=method,
            address=address[:64],
            browser=browser[:200],
            created_at=now,
            used_at=now,
        )
        value, token = _new_token(record.session_id, now)
        await self._store.start(record, token, ended=ended)
        self._drop(ended)
        self._kept[record.session_id] = _Kept(record, now, {token.token_hash: token})
        self._of_token[token.token_hash] = record.session_id
        return value

    async def find(self, value: str) -> SessionRecord | None:
        """The session of a cookie; None if there is none, or it is over. It counts as used."""
        now = self._clock.now()
        token_hash = _hash(value)
        session_id = self._of_token.get(token_hash)
        if session_id is None:
            return None
        kept = self._kept[session_id]
        if self._is_over(kept, now):
            await self._end([session_id])
            return None
        token = kept.tokens[token_hash]
        if token.replaced_at is not None and now - token.replaced_at > OVERLAP:
            # A browser never goes back to a former value: two have the cookie, one is a thief.
            _log.warning("session_value_reused", person=kept.record.person_id)
            await self._end([session_id])
            return None
        older = [
            one
            for one in kept.tokens.values()
            if one.replaced_at is None and one.issued_at < token.issued_at
        ]
        if older:
            await self._store.replace_tokens([one.token_hash for one in older], now)
            for one in older:
                kept.tokens[one.token_hash] = replace(one, replaced_at=now)
        kept.used_at = now
        if now - kept.record.used_at >= _NOTED_EVERY:
            kept.record = replace(kept.record, used_at=now)
            try:
                await self._store.note_use(session_id, now)
            except StoreError as error:  # reading goes on; it only ends earlier after a restart
                _log.warning("session_use_not_stored", error=str(error))
        return kept.record

    async def rotate(self, value: str) -> str | None:
        """A new value for a cookie; None if the one that it has is new enough."""
        now = self._clock.now()
        token_hash = _hash(value)
        kept = self._kept.get(self._of_token.get(token_hash, ""))
        if kept is None or kept.is_rotating:
            return None
        newest = max(one.issued_at for one in kept.tokens.values())
        if (
            now - kept.tokens[token_hash].issued_at < ROTATED_AFTER
            or kept.tokens[token_hash].replaced_at is not None
            or now - newest < OVERLAP
        ):
            return None
        session_id = kept.record.session_id
        new, token = _new_token(session_id, now)
        kept.is_rotating = True
        try:
            await self._store.add_token(token)
        finally:
            kept.is_rotating = False
        if session_id not in self._kept:  # signed out meanwhile
            await self._store.end([session_id])
            return None
        kept.tokens[token.token_hash] = token
        self._of_token[token.token_hash] = session_id
        return new

    def is_live(self, session_id: str) -> bool:
        """Whether a session has not ended."""
        kept = self._kept.get(session_id)
        return kept is not None and not self._is_over(kept, self._clock.now())

    def of_person(self, person_id: str) -> list[SessionRecord]:
        """The sessions of a person, last used first."""
        now = self._clock.now()
        found = [
            replace(one.record, used_at=one.used_at)
            for one in self._kept.values()
            if one.record.person_id == person_id and not self._is_over(one, now)
        ]
        return sorted(found, key=lambda one: one.used_at, reverse=True)

    async def end(self, session_id: str) -> None:
        """End a session: sign out."""
        await self._end([session_id])

    async def end_all(self, person_id: str, *, keep: str | None = None) -> int:
        """End every session of a person but one; returns how many."""
        ended = [
            one.record.session_id
            for one in self._kept.values()
            if one.record.person_id == person_id and one.record.session_id != keep
        ]
        await self._end(ended)
        return len(ended)

    async def _end(self, session_ids: Iterable[str]) -> None:
        ended = set(session_ids)
        self._drop(ended)  # first: whoever was signed out stays so, also if it cannot be stored
        if ended:
            await self._store.end(ended)

    def _drop(self, session_ids: Iterable[str]) -> None:
        for session_id in session_ids:
            if (kept := self._kept.pop(session_id, None)) is not None:
                for token_hash in kept.tokens:
                    self._of_token.pop(token_hash, None)

    def _over(self) -> list[str]:
        now = self._clock.now()
        return [name for name, kept in self._kept.items() if self._is_over(kept, now)]

    def _is_over(self, kept: _Kept, now: datetime) -> bool:
        return now - kept.used_at >= self._idle or now - kept.record.created_at >= self._lifetime


def _new_token(session_id: str, now: datetime) -> tuple[str, TokenRecord]:
    value = secrets.token_urlsafe(32)
    return value, TokenRecord(_hash(value), session_id, now)


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
