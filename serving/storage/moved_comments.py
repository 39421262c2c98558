"""Moves comments from the stream of one KOL to that of another, inside a transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, delete, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.event_time import minute_of
from serving.storage.comment_update import ChangeKind
from serving.storage.instants import from_micros
from serving.storage.rebuild import PIPELINE
from serving.storage.rerun_rows import add_rerun
from serving.storage.score_rows import MinuteSums, change_minutes
from serving.storage.tables import comment_changes, comments, minutes, progress, scores

_MINUTE = 60_000_000
_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Move:
    """Which comments go where.

    Attributes:
        source: whose stream they are in.
        target: whose stream they go to.
        sent_to: only those that were sent to one of these ids; None for all.
    """

    source: str
    target: str
    sent_to: Collection[str] | None = None


async def move_comments(connection: AsyncConnection, move: Move) -> int:
    """Move comments with their scores and the sums of their minutes; both KOLs are judged again.

    A comment that the target has already stays where it is.

    Returns:
        How many were moved.
    """
    which = _which(move)
    sums = await _sums(connection, which)
    span = select(
        func.count(), func.min(comments.c.created_at), func.max(comments.c.created_at)
    ).where(which)
    count, first, last = (await connection.execute(span)).one()
    if not count:
        return 0
    sent_to = func.coalesce(comments.c.sent_to, literal(move.source))
    await connection.execute(
        update(comments)
        .where(which)
        .values(kol_id=move.target, sent_to=case((sent_to == move.target, None), else_=sent_to))
    )
    taken = {(move.source, start): -one for start, one in sums.items()}
    given = {(move.target, start): one for start, one in sums.items()}
    await change_minutes(connection, taken)
    await change_minutes(connection, given)
    await connection.execute(
        delete(minutes).where(
            minutes.c.kol_id == move.source, minutes.c.comments == 0, minutes.c.removed == 0
        )
    )
    for kol_id in (move.source, move.target):
        await add_rerun(
            connection, kol_id, minute_of(from_micros(first)), minute_of(from_micros(last))
        )
    return int(count)


def _which(move: Move) -> ColumnElement[bool]:
    same = comments.alias("same")
    taken = (
        select(same.c.seq)
        .where(
            same.c.platform == comments.c.platform,
            same.c.comment_id == comments.c.comment_id,
            same.c.kol_id == move.target,
        )
        .correlate(comments)
        .exists()
    )
    which = and_(comments.c.kol_id == move.source, ~taken)
    if move.sent_to is not None:
        which = and_(which, comments.c.sent_to.in_(move.sent_to))
    return which


async def _sums(
    connection: AsyncConnection, which: ColumnElement[bool]
) -> Mapping[int, MinuteSums]:
    """What comments add to the sums of their minutes, by the minutes' starts.

    A comment that was removed is counted as such once the pipeline has seen that it was.
    """
    done = (await connection.execute(select(progress).where(progress.c.name == PIPELINE))).first()
    seq, change_id = (0, 0) if done is None else (done.seq, done.comment_change)
    unseen = select(comment_changes.c.seq).where(
        comment_changes.c.change_id > change_id, comment_changes.c.kind == ChangeKind.REMOVED
    )
    is_removed = and_(comments.c.removed_at.is_not(None), comments.c.seq.not_in(unseen))
    sums: defaultdict[int, MinuteSums] = defaultdict(MinuteSums)
    last = 0
    while True:
        statement = (
            select(
                comments.c.seq,
                comments.c.created_at,
                is_removed.label("removed"),
                scores.c.negative,
                scores.c.positive,
            )
            .outerjoin(scores, scores.c.seq == comments.c.seq)
            .where(which, comments.c.seq > last, comments.c.seq <= seq)
            .where(or_(is_removed, scores.c.seq.is_not(None)))
            .order_by(comments.c.seq)
            .limit(_AT_ONCE)
        )
        rows = (await connection.execute(statement)).all()
        for row in rows:
            minute = sums[row.created_at - row.created_at % _MINUTE]
            if row.removed:
                minute.removed += 1
            else:
                minute.add(row.negative, row.positive)
        if len(rows) < _AT_ONCE:
            return sums
        last = rows[-1].seq
