"""Writes the scores of comments and the sums of minutes, inside a step's transaction."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.events import ScoredComment
from serving.storage.instants import to_micros
from serving.storage.tables import minutes, scores
from serving.storage.upsert import insert

_MINUTE = 60_000_000
MILLIONTHS = 1_000_000  # the unit of the sums of minutes


async def write_scores(
    connection: AsyncConnection, scored: Sequence[tuple[int, ScoredComment]], model: str
) -> None:
    """Write the scores of comments, by their places in the log."""
    if not scored:
        return
    await connection.execute(
        scores.insert(),
        [
            {
                "seq": seq,
                "negative": one.negative,
                "neutral": one.neutral,
                "positive": one.positive,
                "offensive": one.offensive,
                "model": model,
            }
            for seq, one in scored
        ],
    )


async def add_to_minutes(
    connection: AsyncConnection, scored: Sequence[tuple[int, ScoredComment]]
) -> None:
    """Add scored comments to the sums of their minutes."""
    sums: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for _, one in scored:
        created_at = to_micros(one.comment.created_at)
        entry = sums[one.comment.kol_id, created_at - created_at % _MINUTE]
        entry[0] += 1
        entry[1] += round(one.negative * MILLIONTHS)
        entry[2] += round(one.positive * MILLIONTHS)
    if not sums:
        return
    statement = insert(connection, minutes)
    statement = statement.on_conflict_do_update(
        index_elements=["kol_id", "start"],
        set_={
            name: minutes.c[name] + statement.excluded[name]
            for name in ("comments", "negative", "positive")
        },
    )
    await connection.execute(
        statement,
        [
            {"kol_id": kol, "start": start, "comments": n, "negative": neg, "positive": pos}
            for (kol, start), (n, neg, pos) in sums.items()
        ],
    )
