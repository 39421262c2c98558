"""Closed minutes that have changed: their KOLs are to be judged again."""

from sqlalchemy import case
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.tables import reruns
from serving.storage.upsert import insert


async def add_rerun(
    connection: AsyncConnection, kol_id: str, first_minute: int, last_minute: int
) -> None:
    """Have a KOL judged again from a minute on, inside the transaction that changed its comments.

    Args:
        connection: the transaction.
        kol_id: whose comments changed.
        first_minute: the first minute with a change, since 1970 UTC …
        last_minute: … and the last.
    """
    statement = insert(connection, reruns).values(
        kol_id=kol_id, first_minute=first_minute, last_minute=last_minute
    )
    new = statement.excluded
    first, last = reruns.c.first_minute, reruns.c.last_minute
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kol_id"],
            set_={
                "first_minute": case((new.first_minute < first, new.first_minute), else_=first),
                "last_minute": case((new.last_minute > last, new.last_minute), else_=last),
            },
        )
    )
