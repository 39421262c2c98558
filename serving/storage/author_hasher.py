"""Opens the key of author ids, and hashes the ids that were stored before it was chosen."""

import asyncio
import os
import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.errors import StoreError
from serving.storage.author_ids import HASHED, AuthorIds
from serving.storage.database import Database
from serving.storage.erasure_record import Erasure, ErasureKind, ErasurePhase
from serving.storage.erasure_rows import begin_erasure, save_erasure, to_erasure
from serving.storage.erasure_store import without_answers
from serving.storage.evidence_samples import with_author_ids
from serving.storage.stored_facts import AUTHOR_KEY, read_fact, write_fact
from serving.storage.tables import alert_events, alerts, comments, erasures, notification_payloads

_LOOKED_AT = 2000  # comments in one step
_EVIDENCE_AT_ONCE = 50
_KEY_BYTES = 32


async def open_author_ids(database: Database, key_file: Path | None, now: datetime) -> AuthorIds:
    """The author ids of a database.

    Args:
        database: knows whether its author ids are hashed, and a check value of the key.
        key_file: the key; made if it is not there and the database has no hashed ids yet. None
            stores ids as they are.
        now: the instant.

    Raises:
        StoreError: the ids of the database are hashed, and this is not its key.
    """
    async with database.read() as connection:
        known = await read_fact(connection, AUTHOR_KEY)
    if key_file is None:
        if known is not None:
            raise StoreError(
                f"the author ids in {database.label} are hashed; set GROUNDSWELL_AUTHOR_IDS=hashed"
                " and GROUNDSWELL_AUTHOR_KEY_FILE, for new ones must be hashed as well"
            )
        return AuthorIds()
    ids = AuthorIds(await asyncio.to_thread(_read_key, key_file, make=known is None))
    if known is None:
        async with database.write() as connection:
            await write_fact(connection, AUTHOR_KEY, ids.check_value)
            await begin_erasure(connection, ErasureKind.HASHING, (), "author_ids=hashed", now)
    elif known != ids.check_value:
        raise StoreError(
            f"{key_file} is not the key that the author ids in {database.label} are hashed with;"
            " authors would not be recognised any more: put the former file back"
        )
    return ids


def _read_key(path: Path, *, make: bool) -> bytes:
    try:
        if make and not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(_KEY_BYTES) + "\n")
                file.flush()
                os.fsync(descriptor)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise StoreError(f"author_key_file {path} cannot be read: {error}") from None
    if len(key) < _KEY_BYTES:
        raise StoreError(f"author_key_file {path} must hold at least {2 * _KEY_BYTES} hex digits")
    return key


class AuthorHasher:
    """Hashes the author ids that were stored as they were sent, step by step."""

    def __init__(self, database: Database, ids: AuthorIds) -> None:
        self._database = database
        self._ids = ids

    async def is_due(self) -> bool:
        """Whether there is something to do."""
        return await self._work() is not None

    async def _work(self) -> Erasure | None:
        statement = select(erasures).where(
            erasures.c.kind == ErasureKind.HASHING, erasures.c.finished_at.is_(None)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).first()
        return None if row is None else to_erasure(row)

    async def advance(self, now: datetime) -> bool:
        """Do one step; False if there is nothing to do."""
        if (work := await self._work()) is None:
            return False
        async with self._database.write() as connection:
            if work.phase is ErasurePhase.COMMENTS:
                after = await self._hash_comments(connection, work)
            elif work.phase is ErasurePhase.ANSWERS:
                after = await without_answers(connection, work)
            else:
                after = await self._hash_samples(connection, work)
            if after.phase is ErasurePhase.DONE:
                after = replace(after, secret="", finished_at=now)
            await save_erasure(connection, after)
        return True

    async def _hash_comments(self, connection: AsyncConnection, work: Erasure) -> Erasure:
        until = work.reached + _LOOKED_AT
        statement = select(comments.c.seq, comments.c.author_id).where(
            comments.c.seq > work.reached,
            comments.c.seq <= until,
            comments.c.erased.is_(None),
            comments.c.author_id.is_not(None),
            ~comments.c.author_id.startswith(HASHED),
        )
        rows = (await connection.execute(statement)).all()
        if rows:
            await connection.execute(
                update(comments)
                .where(comments.c.seq == bindparam("of_seq"))
                .values(author_id=bindparam("hashed")),
                [{"of_seq": seq, "hashed": self._ids.hashed(name)} for seq, name in rows],
            )
        last = await connection.scalar(select(func.max(comments.c.seq))) or 0
        count = work.comments + len(rows)
        if until >= last:
            return replace(work, reached=0, comments=count, phase=work.phase.next)
        return replace(work, reached=until, comments=count)

    async def _hash_samples(self, connection: AsyncConnection, work: Erasure) -> Erasure:
        of_events = work.phase is ErasurePhase.EVENTS
        table = alert_events if of_events else notification_payloads
        key = table.c.event_id if of_events else table.c.payload_id
        statement = (
            select(key.label("place"), table.c.alert_id, table.c.evidence)
            .where(key > work.reached)
            .order_by(key)
            .limit(_EVIDENCE_AT_ONCE)
        )
        rows = (await connection.execute(statement)).all()
        count = 0
        for row in rows:
            count += await self._write(connection, key, row.place, row.evidence)
        if of_events and rows:
            named = select(alerts.c.alert_id, alerts.c.evidence).where(
                alerts.c.alert_id.in_({row.alert_id for row in rows})
            )
            for alert_id, evidence in (await connection.execute(named)).all():
                count += await self._write(connection, alerts.c.alert_id, alert_id, evidence)
        samples = work.samples + count
        if len(rows) < _EVIDENCE_AT_ONCE:
            return replace(work, reached=0, samples=samples, phase=work.phase.next)
        return replace(work, reached=rows[-1].place, samples=samples)

    async def _write(
        self, connection: AsyncConnection, key: Any, place: object, evidence: dict[str, Any] | None
    ) -> int:
        changed, count = with_author_ids(evidence, self._hashed)
        if count:
            statement = update(key.table).where(key == place).values(evidence=changed)
            await connection.execute(statement)
        return count

    def _hashed(self, author_id: str) -> str:
        return author_id if author_id.startswith(HASHED) else self._ids.hashed(author_id)
