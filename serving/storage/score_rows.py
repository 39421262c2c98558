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


async def rescore(
    connection: AsyncConnection, rescored: Sequence[tuple[int, ScoredComment]], model: str
) -> None:
    """Replace the scores of comments whose texts have changed, and correct their minutes' sums.

    A comment that had none before gets some. One that was removed stays out of the sums.

    Args:
        connection: the transaction.
        rescored: places and scored comments; each place once.
        model: id of the weights that scored.
    """
    if not rescored:
        return
    places = [seq for seq, _ in rescored]
    statement = (
        select(comments.c.seq, comments.c.removed_at, scores.c.negative, scores.c.positive)
        .outerjoin(scores, scores.c.seq == comments.c.seq)
        .where(comments.c.seq.in_(places))
    )
    before = {row.seq: row for row in (await connection.execute(statement)).all()}
    sums: defaultdict[tuple[str, int], MinuteSums] = defaultdict(MinuteSums)
    for seq, one in rescored:
        if before[seq].removed_at is not None:
            continue
        minute = sums[_minute_of(one.comment)]
        if before[seq].negative is not None:
            minute.take_out(before[seq].negative, before[seq].positive)
        minute.add(one.negative, one.positive)
    await connection.execute(delete(scores).where(scores.c.seq.in_(places)))
    await write_scores(connection, rescored, model)
    await change_minutes(connection, sums)


async def withdraw(connection: AsyncConnection, places: Sequence[int]) -> None:
    """Take comments that were removed out of the sums of their minutes, and count them there."""
    if not places:
        return
    statement = (
        select(comments.c.kol_id, comments.c.created_at, scores.c.negative, scores.c.positive)
        .outerjoin(scores, scores.c.seq == comments.c.seq)
        .where(comments.c.seq.in_(places))
    )
    sums: defaultdict[tuple[str, int], MinuteSums] = defaultdict(MinuteSums)
    for row in (await connection.execute(statement)).all():
        minute = sums[row.kol_id, row.created_at - row.created_at % _MINUTE]
        minute.removed += 1
        if row.negative is not None:
            minute.take_out(row.negative, row.positive)
    await change_minutes(connection, sums)


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
