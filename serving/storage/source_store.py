"""Sources: added, changed, removed, read; and what they spent of their budgets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from serving.errors import Conflict, NotFound, StoreError
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.database import Database
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.kol_filter import within
from serving.storage.source_record import SourceRecord
from serving.storage.source_tables import source_deliveries, source_quotas, sources
from serving.storage.upsert import insert


class SourceStore:
    """The tables `sources` and `source_quotas`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, source: SourceRecord) -> None:
        """Add a source.

        Raises:
            Conflict: another one has its name.
        """
        row = {
            "source_id": source.source_id,
            "type": source.type,
            "name": source.name,
            "kol_id": source.kol_id,
            "platform": source.platform,
            "settings": dict(source.settings),
            "sealed": source.sealed,
            "webhook_token": source.webhook_token,
            "generation": source.generation,
            "created_by": source.created_by,
            "created_at": to_micros(source.created_at),
            "limited": source.limited,
            "accepted": 0,
            "rejected": 0,
        }
        await self._write_named(source.name, lambda: sources.insert().values(**row))

    async def change(
        self,
        source_id: str,
        *,
        name: str,
        kol_id: str | None,
        platform: str,
        settings: Mapping[str, Any],
        sealed: bytes | None,
        limited: bool,
        restart: bool,
    ) -> None:
        """Replace what was set up of a source.

        Args:
            source_id: of the source.
            name: its new name.
            kol_id: whose comments it brings from now on.
            platform: of its comments.
            settings: all that are no secrets.
            sealed: all secrets, encrypted.
            limited: whether it may bring nothing of other KOLs.
            restart: whether it reads something else, so that its cursor means nothing any more.

        Raises:
            Conflict: another one has its name.
        """
        news: dict[str, Any] = {
            "name": name,
            "kol_id": kol_id,
            "platform": platform,
            "settings": dict(settings),
            "sealed": sealed,
            "limited": limited,
            "generation": sources.c.generation + 1,
        }
        if restart:
            news["cursor"] = None
        named = sources.c.source_id == source_id
        await self._write_named(name, lambda: update(sources).where(named).values(**news))

    async def seal(self, source_id: str, sealed: bytes) -> None:
        """Replace the secrets of a source with what its platform gave out; it works on."""
        async with self._database.write() as connection:
            await connection.execute(
                update(sources).where(sources.c.source_id == source_id).values(sealed=sealed)
            )

    async def pause(self, source_id: str, actor: str, now: datetime) -> None:
        """Stop a source until it is resumed; one that is paused stays as it is."""
        running = and_(sources.c.source_id == source_id, sources.c.paused_at.is_(None))
        async with self._database.write() as connection:
            await connection.execute(
                update(sources).where(running).values(paused_by=actor, paused_at=to_micros(now))
            )

    async def resume(self, source_id: str) -> None:
        """Start a source again, from where it was."""
        async with self._database.write() as connection:
            await connection.execute(
                update(sources)
                .where(sources.c.source_id == source_id)
                .values(paused_by=None, paused_at=None)
            )

    async def delete(self, source_id: str) -> None:
        """Remove a source; its comments and its outages stay."""
        async with self._database.write() as connection:
            for table in (sources, source_quotas, source_deliveries):
                await connection.execute(delete(table).where(table.c.source_id == source_id))

    async def get(self, source_id: str, visible: KolLimit = EVERY_KOL) -> SourceRecord:
        """One source.

        Raises:
            NotFound: there is none of the limit.
        """
        wanted = sources.c.source_id == source_id, *within(sources.c.kol_id, visible)
        found = await self._select(*wanted)
        if not found:
            raise NotFound(f"there is no source {source_id!r}; GET /v1/sources lists them")
        return found[0]

    async def all(self, visible: KolLimit = EVERY_KOL) -> list[SourceRecord]:
        """Every source of the limit, by name."""
        return await self._select(*within(sources.c.kol_id, visible))

    async def spend(
        self, source_id: str, units: int, *, most: int, period_start: datetime
    ) -> int | None:
        """Add units to what a source spent in a period, and commit that; see `QuotaStore`."""
        key = {"source_id": source_id, "period_start": to_micros(period_start)}
        if units > most:
            return None
        async with self._database.write() as connection:
            statement = insert(connection, source_quotas).values(**key, spent=units)
            spent = source_quotas.c.spent + statement.excluded.spent
            upsert = statement.on_conflict_do_update(
                index_elements=list(key), set_={"spent": spent}, where=spent <= most
            )
            row = (await connection.execute(upsert.returning(source_quotas.c.spent))).first()
            older = source_quotas.c.period_start < key["period_start"]
            of_source = source_quotas.c.source_id == source_id
            await connection.execute(delete(source_quotas).where(of_source, older))
        return None if row is None else most - int(row[0])

    async def spent(self, source_id: str, period_start: datetime) -> int:
        """What a source spent in a period."""
        statement = select(func.coalesce(func.sum(source_quotas.c.spent), 0)).where(
            source_quotas.c.source_id == source_id,
            source_quotas.c.period_start == to_micros(period_start),
        )
        async with self._database.read() as connection:
            return int(await connection.scalar(statement) or 0)

    async def _select(self, *wanted: ColumnElement[bool]) -> list[SourceRecord]:
        statement = select(sources).where(*wanted).order_by(sources.c.name)
        async with self._database.read() as connection:
            return [_record(row) for row in (await connection.execute(statement)).mappings()]

    async def _write_named(self, name: str, statement: Any) -> None:
        try:
            async with self._database.write() as connection:
                await connection.execute(statement())
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                raise Conflict(
                    f"there is a source named {name!r}; choose another name", field="name"
                ) from None
            raise


def _record(row: RowMapping) -> SourceRecord:
    return SourceRecord(
        source_id=row["source_id"],
        type=row["type"],
        name=row["name"],
        kol_id=row["kol_id"],
        platform=row["platform"],
        settings=row["settings"],
        sealed=row["sealed"],
        webhook_token=row["webhook_token"],
        generation=row["generation"],
        cursor=row["cursor"],
        created_by=row["created_by"],
        created_at=from_micros(row["created_at"]),
        limited=row["limited"],
        paused_by=row["paused_by"],
        paused_at=optional_from_micros(row["paused_at"]),
        success_at=optional_from_micros(row["success_at"]),
        comment_at=optional_from_micros(row["comment_at"]),
        accepted=row["accepted"],
        rejected=row["rejected"],
    )
