"""Whether what the service knows is behind what it knew before."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.tables import progress

PIPELINE = "pipeline"  # how far the log has been worked off
REBUILT = "rebuilt"  # how far it had been when what was derived was forgotten last


async def derives_again(connection: AsyncConnection) -> bool:
    """Whether the log is worked off where it had been before, inside a transaction.

    Until that is over, alerts stand as they once did, and not as they do.
    """
    statement = select(progress.c.name, progress.c.seq, progress.c.mark)
    rows = {row.name: (row.seq, row.mark) for row in await connection.execute(statement)}
    now, then = rows.get(PIPELINE, (0, 0)), rows.get(REBUILT, (0, 0))
    return bool(now[0] < then[0] or now[1] < then[1])
