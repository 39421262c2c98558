"""Checkpoints as rows of their table and back."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.checkpoints import Checkpoint
from serving.storage.tables import checkpoints
from serving.storage.upsert import insert


async def checkpoint_up_to(
    connection: AsyncConnection, kol_id: str, minute: int
) -> Checkpoint | None:
    """The last checkpoint of a KOL from which `minute` (since 1970 UTC) can be judged again."""
    statement = (
        select(checkpoints)
        .where(checkpoints.c.kol_id == kol_id, checkpoints.c.minute <= minute)
        .order_by(checkpoints.c.minute.desc())
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Checkpoint(row.kol_id, row.minute, row.snapshot)


async def write_checkpoints(
    connection: AsyncConnection, found: Sequence[Checkpoint], kept: timedelta
) -> None:
    """Write checkpoints, and delete those that no comment within the horizon needs any more.

    Args:
        connection: the transaction.
        found: the new ones.
        kept: how far behind a KOL's newest checkpoint others are kept.
    """
    if not found:
        return
    statement = insert(connection, checkpoints)
    statement = statement.on_conflict_do_update(
        index_elements=["kol_id", "minute"], set_={"snapshot": statement.excluded.snapshot}
    )
    newest: dict[str, int] = {}
    for one in found:
        newest[one.kol_id] = max(one.minute, newest.get(one.kol_id, one.minute))
    reach = {kol_id: minute - kept // timedelta(minutes=1) for kol_id, minute in newest.items()}
    rows = [
        {"kol_id": one.kol_id, "minute": one.minute, "snapshot": one.snapshot}
        for one in _needed(found, reach)
    ]
    await connection.execute(statement, rows)
    # The last one before the bound stays: what lies right behind the bound starts from it.
    of_kol = checkpoints.c.kol_id == bindparam("of_kol")
    last = select(func.max(checkpoints.c.minute)).where(
        of_kol, checkpoints.c.minute <= bindparam("bound")
    )
    await connection.execute(
        delete(checkpoints).where(of_kol, checkpoints.c.minute < last.scalar_subquery()),
        [{"of_kol": kol_id, "bound": bound} for kol_id, bound in reach.items()],
    )


async def drop_checkpoints(connection: AsyncConnection, kol_id: str, after: int) -> None:
    """Delete the checkpoints of a KOL after a minute: minutes before them have changed."""
    await connection.execute(
        delete(checkpoints).where(checkpoints.c.kol_id == kol_id, checkpoints.c.minute > after)
    )


def _needed(found: Sequence[Checkpoint], reach: dict[str, int]) -> list[Checkpoint]:
    """Those within reach and, of each KOL, the last before; an import brings years of them."""
    before: dict[str, Checkpoint] = {}
    within = list[Checkpoint]()
    for one in found:
        if one.minute > reach[one.kol_id]:
            within.append(one)
        else:
            before[one.kol_id] = one
    return [*before.values(), *within]
