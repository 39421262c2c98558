"""The KOLs that are held, and what was set aside; a restart does not forget them."""

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.database import Database
from serving.storage.fault_record import HeldKol, SetAside, SetAsideKind
from serving.storage.fault_tables import held_kols, set_aside
from serving.storage.instants import from_micros, to_micros
from serving.storage.kol_filter import within
from serving.storage.upsert import insert


class FaultStore:
    """Reads the `held_kols` and `set_aside` tables; steps of the pipeline write them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def held(self, visible: KolLimit = EVERY_KOL, limit: int | None = None) -> list[HeldKol]:
        """The KOLs that are held, first those that have been for longest."""
        statement = (
            select(held_kols)
            .where(*within(held_kols.c.kol_id, visible))
            .order_by(held_kols.c.since, held_kols.c.kol_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [HeldKol(row.kol_id, from_micros(row.since), row.error) for row in rows]

    async def set_aside(self, limit: int, visible: KolLimit = EVERY_KOL) -> list[SetAside]:
        """What was set aside, last first."""
        statement = (
            select(set_aside)
            .where(*within(set_aside.c.kol_id, visible))
            .order_by(set_aside.c.at.desc(), set_aside.c.place.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [
            SetAside(SetAsideKind(row.kind), row.place, row.kol_id, from_micros(row.at), row.error)
            for row in rows
        ]

    async def count_set_aside(self, visible: KolLimit = EVERY_KOL) -> int:
        """How much was set aside."""
        statement = (
            select(func.count()).select_from(set_aside).where(*within(set_aside.c.kol_id, visible))
        )
        async with self._database.read() as connection:
            return await connection.scalar(statement) or 0


async def hold(connection: AsyncConnection, held: HeldKol) -> None:
    """Write that a KOL is held, inside the step that does so."""
    row = {"since": to_micros(held.since), "error": held.error}
    statement = insert(connection, held_kols).values(kol_id=held.kol_id, **row)
    await connection.execute(statement.on_conflict_do_update(index_elements=["kol_id"], set_=row))


async def release(connection: AsyncConnection, kol_id: str) -> None:
    """Write that a KOL is held no more, inside the step that has judged it again."""
    await connection.execute(delete(held_kols).where(held_kols.c.kol_id == kol_id))


async def write_set_aside(connection: AsyncConnection, found: SetAside) -> None:
    """Write that something was set aside, inside the step that does so."""
    row = {
        "kol_id": found.kol_id,
        "at": to_micros(found.at),
        "error": found.error,
    }
    statement = insert(connection, set_aside).values(kind=found.kind, place=found.place, **row)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["kind", "place"], set_=row)
    )
