"""The KOLs: who they are, and how the engine last saw them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, select

from serving.errors import NotFound
from serving.storage.database import Database
from serving.storage.instants import to_micros
from serving.storage.tables import engine_states, kols
from serving.storage.upsert import insert


class KolStore:
    """The `kols` table beside the engine's last status of each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, *, after: str | None, limit: int) -> list[RowMapping]:
        """KOLs by id, those after `after`."""
        statement = _with_status().order_by(kols.c.kol_id).limit(limit)
        if after is not None:
            statement = statement.where(kols.c.kol_id > after)
        async with self._database.read() as connection:
            return list((await connection.execute(statement)).mappings())

    async def get(self, kol_id: str) -> RowMapping:
        """One KOL.

        Raises:
            NotFound: nobody by that id has been registered or commented on.
        """
        async with self._database.read() as connection:
            found = await connection.execute(_with_status().where(kols.c.kol_id == kol_id))
            row: RowMapping | None = found.mappings().one_or_none()
        if row is None:
            raise NotFound(f"there is no KOL {kol_id!r}; PUT it, or send a comment for it")
        return row

    async def put(self, kol_id: str, profile: Mapping[str, Any], now: datetime) -> None:
        """Register a KOL, or replace its profile; its comments and alerts stay."""
        async with self._database.write() as connection:
            await connection.execute(
                insert(connection, kols)
                .values(kol_id=kol_id, registered_at=to_micros(now), **profile)
                .on_conflict_do_update(index_elements=["kol_id"], set_=dict(profile))
            )

    async def count(self) -> int:
        """How many KOLs are registered."""
        async with self._database.read() as connection:
            return await connection.scalar(select(func.count()).select_from(kols)) or 0


def _with_status() -> Select[Any]:
    return select(kols, engine_states.c.status).outerjoin(
        engine_states, engine_states.c.kol_id == kols.c.kol_id
    )
