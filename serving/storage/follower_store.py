"""How many followers KOLs had over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.database import Database
from serving.storage.instants import from_micros, to_micros
from serving.storage.tables import kol_followers, kols
from serving.storage.upsert import insert


@dataclass(frozen=True, slots=True)
class FollowerCount:
    """How many followers a KOL had at an instant, over all platforms.

    Attributes:
        at: when they were counted, aware, UTC.
        followers: how many.
    """

    at: datetime
    followers: int


class FollowerStore:
    """The `kol_followers` table; the newest count of a KOL is in its profile too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, kol_id: str, counts: Sequence[FollowerCount]) -> None:
        """Add counts of a KOL; one of the same instant is replaced."""
        async with self._database.write() as connection:
            await add_counts(connection, kol_id, counts)

    async def page(
        self, kol_id: str, *, before: datetime | None, limit: int
    ) -> list[FollowerCount]:
        """Counts of a KOL, newest first, those before an instant."""
        statement = (
            select(kol_followers.c.at, kol_followers.c.followers)
            .where(kol_followers.c.kol_id == kol_id)
            .order_by(kol_followers.c.at.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(kol_followers.c.at < to_micros(before))
        async with self._database.read() as connection:
            rows = await connection.execute(statement)
            return [FollowerCount(from_micros(at), followers) for at, followers in rows]


async def add_counts(
    connection: AsyncConnection, kol_id: str, counts: Sequence[FollowerCount]
) -> None:
    """Add counts of a KOL inside a transaction, and show the newest in its profile."""
    statement = insert(connection, kol_followers)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kol_id", "at"], set_={"followers": statement.excluded.followers}
        ),
        [
            {"kol_id": kol_id, "at": to_micros(count.at), "followers": count.followers}
            for count in counts
        ],
    )
    newest = (
        select(kol_followers.c.followers)
        .where(kol_followers.c.kol_id == kol_id)
        .order_by(kol_followers.c.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    await connection.execute(update(kols).where(kols.c.kol_id == kol_id).values(followers=newest))
