"""Whether the log is being processed again."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.tables import progress

PIPELINE = "pipeline"  # how far the log has been processed
REBUILT = "rebuilt"  # how far it had been when the derived tables were last cleared


async def is_rebuilding(connection: AsyncConnection) -> bool:
    """Whether the log is processed where it had been processed before, inside a transaction.

    Until that is over, the alerts are those of an earlier time.
    """
    statement = select(progress.c.name, progress.c.seq, progress.c.mark)
    rows = {row.name: (row.seq, row.mark) for row in await connection.execute(statement)}
    now, then = rows.get(PIPELINE, (0, 0)), rows.get(REBUILT, (0, 0))
    return bool(now[0] < then[0] or now[1] < then[1])
