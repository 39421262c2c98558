"""When sources saw nothing: opened, ended, read."""

from datetime import datetime

from sqlalchemy import RowMapping, or_, select, update

from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.database import Database
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.kol_filter import within
from serving.storage.source_record import SourceOutage, SourceRecord
from serving.storage.source_tables import source_outages


class OutageStore:
    """The table `source_outages`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(
        self,
        source: SourceRecord,
        *,
        kind: str,
        cause: str,
        remedy: str,
        since: datetime,
        now: datetime,
    ) -> SourceOutage:
        """Store that a source sees nothing; one that is open gets the new cause."""
        said = {"kind": kind, "cause": cause, "remedy": remedy}
        is_open = (
            source_outages.c.source_id == source.source_id,
            source_outages.c.ended_at.is_(None),
        )
        async with self._database.write() as connection:
            changed = update(source_outages).where(*is_open).values(**said)
            row = (await connection.execute(changed.returning(source_outages))).mappings().first()
            if row is None:
                added = source_outages.insert().values(
                    **said,
                    source_id=source.source_id,
                    source_name=source.name,
                    platform=source.platform,
                    kol_id=source.kol_id,
                    since=to_micros(since),
                    opened_at=to_micros(now),
                    caught_up=0,
                )
                found = await connection.execute(added.returning(source_outages))
                row = found.mappings().one()
        return _outage(row)

    async def end(self, source_id: str, now: datetime) -> SourceOutage | None:
        """Store that a source sees again; None if it was not blind."""
        statement = (
            update(source_outages)
            .where(source_outages.c.source_id == source_id, source_outages.c.ended_at.is_(None))
            .values(ended_at=to_micros(now))
            .returning(source_outages)
        )
        async with self._database.write() as connection:
            row = (await connection.execute(statement)).mappings().first()
        return None if row is None else _outage(row)

    async def catch_up(self, outage_id: int, comments: int) -> None:
        """Count comments of the time of an outage that came after it."""
        statement = (
            update(source_outages)
            .where(source_outages.c.outage_id == outage_id)
            .values(caught_up=source_outages.c.caught_up + comments)
        )
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def open_of(self, source_id: str) -> SourceOutage | None:
        """The outage that a source is in; None if it sees."""
        statement = select(source_outages).where(
            source_outages.c.source_id == source_id, source_outages.c.ended_at.is_(None)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).mappings().first()
        return None if row is None else _outage(row)

    async def page(
        self,
        *,
        before: int | None,
        limit: int,
        open_only: bool = False,
        visible: KolLimit = EVERY_KOL,
    ) -> list[SourceOutage]:
        """Outages, last opened first; those before the one with the id `before`.

        Within a limit, those of sources that bring comments of its KOLs alone.
        """
        statement = (
            select(source_outages)
            .where(*within(source_outages.c.kol_id, visible))
            .order_by(source_outages.c.outage_id.desc())
            .limit(limit)
        )
        if open_only:
            statement = statement.where(source_outages.c.ended_at.is_(None))
        if before is not None:
            statement = statement.where(source_outages.c.outage_id < before)
        async with self._database.read() as connection:
            return [_outage(row) for row in (await connection.execute(statement)).mappings()]

    async def between(
        self, since: datetime, until: datetime, kol_id: str | None = None
    ) -> list[SourceOutage]:
        """Outages that overlap [since, until), in order; of sources of a KOL and of all KOLs."""
        ended_at, of_kol = source_outages.c.ended_at, source_outages.c.kol_id
        statement = (
            select(source_outages)
            .where(
                source_outages.c.since < to_micros(until),
                or_(ended_at.is_(None), ended_at > to_micros(since)),
            )
            .order_by(source_outages.c.since, source_outages.c.outage_id)
        )
        if kol_id is not None:
            statement = statement.where(or_(of_kol == kol_id, of_kol.is_(None)))
        async with self._database.read() as connection:
            return [_outage(row) for row in (await connection.execute(statement)).mappings()]


def _outage(row: RowMapping) -> SourceOutage:
    return SourceOutage(
        outage_id=row["outage_id"],
        source_id=row["source_id"],
        source_name=row["source_name"],
        platform=row["platform"],
        kol_id=row["kol_id"],
        kind=row["kind"],
        cause=row["cause"],
        remedy=row["remedy"],
        since=from_micros(row["since"]),
        opened_at=from_micros(row["opened_at"]),
        ended_at=optional_from_micros(row["ended_at"]),
        caught_up=row["caught_up"],
    )
