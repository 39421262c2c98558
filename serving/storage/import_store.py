"""Imports: added, kept up to date, read; and their rejected rows."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, RowMapping, func, select, update

from serving.errors import NotFound
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.database import Database
from serving.storage.import_record import ImportCount, ImportRecord, ImportState, RejectedRow
from serving.storage.import_tables import import_rejections, imports
from serving.storage.instants import from_micros, to_micros
from serving.storage.kol_filter import is_within

_INTERRUPTED = (
    "the service stopped before the import was finished; send the file again: comments that were "
    "accepted count as duplicates"
)
_PAGE = 1000


class ImportStore:
    """The `imports` and `import_rejections` tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, name: str, now: datetime, limit: KolLimit = EVERY_KOL) -> int:
        """Store an import that waits; returns its id.

        Args:
            name: of the file.
            now: the instant.
            limit: of whoever sent it.
        """
        statement = (
            imports.insert()
            .values(
                name=name,
                state=ImportState.WAITING,
                fraction=0.0,
                count=_count_json(ImportCount()),
                created_at=to_micros(now),
                updated_at=to_micros(now),
                limited_to=None if limit.kol_ids is None else sorted(limit.kol_ids),
            )
            .returning(imports.c.import_id)
        )
        async with self._database.write() as connection:
            import_id: int = (await connection.execute(statement)).scalar_one()
        return import_id

    async def save(
        self,
        import_id: int,
        now: datetime,
        *,
        state: ImportState,
        fraction: float,
        count: ImportCount,
        rejected: Sequence[RejectedRow] = (),
        last_seq: int | None = None,
        error: str | None = None,
    ) -> None:
        """Store how far an import is, and the rows that were refused since the last time."""
        async with self._database.write() as connection:
            await connection.execute(
                update(imports)
                .where(imports.c.import_id == import_id)
                .values(
                    state=state,
                    fraction=fraction,
                    count=_count_json(count),
                    last_seq=last_seq,
                    error=error,
                    updated_at=to_micros(now),
                )
            )
            if rejected:
                rows = [_rejection(import_id, row) for row in rejected]
                await connection.execute(import_rejections.insert(), rows)

    async def fail(self, import_id: int, now: datetime, error: str) -> None:
        """Store that an import failed, unless it is over; what it came to stays."""
        under_way = imports.c.state.in_([state for state in ImportState if not state.over])
        statement = (
            update(imports)
            .where(imports.c.import_id == import_id, under_way)
            .values(state=ImportState.FAILED, error=error, updated_at=to_micros(now))
        )
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def interrupt(self, now: datetime) -> int:
        """Mark the imports that an earlier run of the service left behind; returns how many."""
        statement = (
            update(imports)
            .where(imports.c.state.in_([state for state in ImportState if not state.over]))
            .values(state=ImportState.INTERRUPTED, error=_INTERRUPTED, updated_at=to_micros(now))
        )
        async with self._database.write() as connection:
            return (await connection.execute(statement)).rowcount

    async def get(self, import_id: int, visible: KolLimit = EVERY_KOL) -> ImportRecord:
        """One import.

        Raises:
            NotFound: there is no such import; within a limit, none that was sent with that limit
                or a narrower one.
        """
        statement = select(imports).where(imports.c.import_id == import_id, *_sent_within(visible))
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"there is no import {import_id}")
        return _record(row)

    async def page(
        self, *, before: int | None, limit: int, visible: KolLimit = EVERY_KOL
    ) -> list[ImportRecord]:
        """Imports, last received first; those before the one with the id `before`."""
        statement = (
            select(imports)
            .where(*_sent_within(visible))
            .order_by(imports.c.import_id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(imports.c.import_id < before)
        async with self._database.read() as connection:
            return [_record(row) for row in (await connection.execute(statement)).mappings()]

    async def rejected(self, import_id: int) -> AsyncIterator[RejectedRow]:
        """The rows of an import that were refused and kept, in order."""
        after = 0
        while True:
            statement = (
                select(import_rejections)
                .where(
                    import_rejections.c.import_id == import_id, import_rejections.c.place > after
                )
                .order_by(import_rejections.c.place)
                .limit(_PAGE)
            )
            async with self._database.read() as connection:
                rows = (await connection.execute(statement)).mappings().all()
            for row in rows:
                yield RejectedRow(0, row["number"], row["field"], row["reason"], row["code"])
            if len(rows) < _PAGE:
                return
            after = rows[-1]["place"]

    async def count_unfinished(self) -> int:
        """How many imports wait or are under way."""
        statement = (
            select(func.count())
            .select_from(imports)
            .where(imports.c.state.in_([state for state in ImportState if not state.over]))
        )
        async with self._database.read() as connection:
            return await connection.scalar(statement) or 0


def _sent_within(visible: KolLimit) -> tuple[ColumnElement[bool], ...]:
    """Whether whoever sent an import saw no other KOLs."""
    if visible.is_everything:
        return ()
    return imports.c.limited_to.is_not(None), *is_within(imports.c.limited_to, visible)


def _rejection(import_id: int, row: RejectedRow) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "number": row.number,
        "field": row.field,
        "reason": row.reason,
        "code": row.code,
    }


def _count_json(count: ImportCount) -> Any:
    return msgspec.to_builtins(count)


def _record(row: RowMapping) -> ImportRecord:
    return ImportRecord(
        import_id=row["import_id"],
        name=row["name"],
        state=ImportState(row["state"]),
        fraction=row["fraction"],
        count=msgspec.convert(row["count"], ImportCount),
        last_seq=row["last_seq"],
        error=row["error"],
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
    )
