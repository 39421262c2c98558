"""Whether what a pipeline goes on with is all there."""

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.rebuild import PIPELINE
from serving.storage.tables import (
    comments,
    engine_snapshots,
    engine_states,
    kols,
    progress,
    reruns,
    scores,
)

REMEDY = "'groundswell db rebuild' computes everything again from the comments"


async def missing_state(connection: AsyncConnection) -> str | None:
    """What is missing of the pipeline's state, inside a transaction; None if it is complete.

    A KOL whose comments were processed has a state, unless it is about to be judged again.
    """
    reached = await connection.scalar(select(progress.c.seq).where(progress.c.name == PIPELINE))
    if reached is None:
        for table in (scores, engine_states):
            if (await connection.execute(select(table.c[0]).limit(1))).first() is not None:
                return "the row that says how far the comments have been processed is missing"
        return None
    processed = (
        select(scores.c.seq)
        .join(comments, comments.c.seq == scores.c.seq)
        .where(comments.c.kol_id == kols.c.kol_id, comments.c.seq <= reached)
        .correlate(kols)
    )
    statement = (
        select(kols.c.kol_id)
        .where(
            or_(
                ~exists().where(engine_states.c.kol_id == kols.c.kol_id),
                ~exists().where(engine_snapshots.c.kol_id == kols.c.kol_id),
            ),
            ~exists().where(reruns.c.kol_id == kols.c.kol_id),
            processed.exists(),
        )
        .order_by(kols.c.kol_id)
        .limit(1)
    )
    kol_id = await connection.scalar(statement)
    return None if kol_id is None else f"the state of KOL {kol_id!r} is missing"
