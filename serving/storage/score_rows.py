"""Writes the scores of comments and the sums of minutes, inside a step's transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.events import Comment, ScoredComment
from serving.storage.instants import to_micros
from serving.storage.tables import comments, minutes, scores
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
    connection: AsyncConnection,
    scored: Sequence[tuple[int, ScoredComment]],
    removed: Sequence[Comment] = (),
) -> None:
    """Add scored comments to the sums of their minutes; of removed ones only the number.

    Args:
        connection: the transaction.
        scored: places and scored comments; removed ones among them are left out.
        removed: those that were removed, scored or not.
    """
    sums: defaultdict[tuple[str, int], MinuteSums] = defaultdict(MinuteSums)
    for _, one in scored:
        if not one.comment.removed:
            sums[_minute_of(one.comment)].add(one.negative, one.positive)
    for comment in removed:
        sums[_minute_of(comment)].removed += 1
    await change_minutes(connection, sums)


async def rescore(connection: AsyncConnection, seq: int, scored: ScoredComment, model: str) -> None:
    """Replace the scores of a comment whose text has changed, and correct the sums of its minute.

    A comment that had none before gets some. One that was removed stays out of the sums.
    """
    sums = MinuteSums()
    before = (await connection.execute(select(scores).where(scores.c.seq == seq))).one_or_none()
    if before is not None:
        sums.take_out(before.negative, before.positive)
        await connection.execute(delete(scores).where(scores.c.seq == seq))
    sums.add(scored.negative, scored.positive)
    await write_scores(connection, [(seq, scored)], model)
    statement = select(comments.c.removed_at).where(comments.c.seq == seq)
    if await connection.scalar(statement) is None:
        await change_minutes(connection, {_minute_of(scored.comment): sums})


async def withdraw(connection: AsyncConnection, seq: int) -> None:
    """Take a comment that was removed out of the sums of its minute, and count it there."""
    statement = (
        select(comments.c.kol_id, comments.c.created_at, scores.c.negative, scores.c.positive)
        .outerjoin(scores, scores.c.seq == comments.c.seq)
        .where(comments.c.seq == seq)
    )
    row = (await connection.execute(statement)).one()
    sums = MinuteSums(removed=1)
    if row.negative is not None:
        sums.take_out(row.negative, row.positive)
    minute = row.created_at - row.created_at % _MINUTE
    await change_minutes(connection, {(row.kol_id, minute): sums})


@dataclass(slots=True)
class MinuteSums:
    """What changes in a minute; probabilities in whole millionths."""

    comments: int = 0
    negative: int = 0
    positive: int = 0
    removed: int = 0

    def __neg__(self) -> "MinuteSums":
        return MinuteSums(-self.comments, -self.negative, -self.positive, -self.removed)

    def add(self, negative: float, positive: float) -> None:
        """Count a comment in."""
        self.comments += 1
        self.negative += round(negative * MILLIONTHS)
        self.positive += round(positive * MILLIONTHS)

    def take_out(self, negative: float, positive: float) -> None:
        """Count a comment out."""
        self.comments -= 1
        self.negative -= round(negative * MILLIONTHS)
        self.positive -= round(positive * MILLIONTHS)


def _minute_of(comment: Comment) -> tuple[str, int]:
    created_at = to_micros(comment.created_at)
    return comment.kol_id, created_at - created_at % _MINUTE


async def change_minutes(
    connection: AsyncConnection, sums: Mapping[tuple[str, int], MinuteSums]
) -> None:
    """Add to the sums of minutes, by KOL and start in microseconds."""
    if not sums:
        return
    statement = insert(connection, minutes)
    statement = statement.on_conflict_do_update(
        index_elements=["kol_id", "start"],
        set_={
            name: minutes.c[name] + statement.excluded[name]
            for name in ("comments", "negative", "positive", "removed")
        },
    )
    rows = [
        {"kol_id": kol_id, "start": start, **asdict(change)}
        for (kol_id, start), change in sums.items()
    ]
    await connection.execute(statement, rows)
