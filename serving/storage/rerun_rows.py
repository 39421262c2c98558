"""Closed minutes that have changed: their KOLs are to be judged again."""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.alert_revision_rows import rewrite_alert, write_alert_ids
from serving.storage.checkpoint_rows import drop_checkpoints
from serving.storage.pipeline_step import ChangedMinutes, RerunResult
from serving.storage.tables import engine_snapshots, engine_states, minute_scores, reruns


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
    await add_reruns(connection, [ChangedMinutes(kol_id, first_minute, last_minute)])


async def add_reruns(connection: AsyncConnection, changed: Sequence[ChangedMinutes]) -> None:
    """Have KOLs judged again; see `add_rerun`."""
    rows = [
        {"kol_id": one.kol_id, "first_minute": one.first, "last_minute": one.last}
        for one in changed
    ]
    if rows:
        await connection.execute(reruns.insert(), rows)


async def write_rerun(connection: AsyncConnection, result: RerunResult) -> None:
    """Write what a re-run came to, inside its step's transaction.

    What has changed of its KOL meanwhile stays asked for.
    """
    await connection.execute(
        delete(reruns).where(reruns.c.kol_id == result.kol_id, reruns.c.rerun_id <= result.up_to_id)
    )
    await drop_checkpoints(connection, result.kol_id, result.since)
    if result.empty:
        for table in (engine_states, engine_snapshots, minute_scores):
            await connection.execute(delete(table).where(table.c.kol_id == result.kol_id))
    await write_alert_ids(connection, result.alert_ids)
    for alert in result.alerts:
        await rewrite_alert(connection, alert)
