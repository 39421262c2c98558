"""What is replayed of the log on the snapshots of KOLs after a start, in order."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, select

from monitoring.events import ScoredComment
from serving.storage.comment_rows import to_comment
from serving.storage.comment_update import FormerCount
from serving.storage.database import Database
from serving.storage.instants import from_micros
from serving.storage.pipeline_step import IdleMark, LoggedIdleMark, LogPlace
from serving.storage.tables import comment_changes, comments, idle_marks, scores

_SCORES = (scores.c.negative, scores.c.neutral, scores.c.positive, scores.c.offensive)


@dataclass(frozen=True, slots=True)
class ReplayedComment:
    """A comment as the engine observed it.

    Attributes:
        seq: its place in the log.
        received_at: when it was committed, aware, UTC.
        scored: the comment, with what the model said of it.
    """

    seq: int
    received_at: datetime
    scored: ScoredComment


class ReplayStore:
    """Reads comments that were processed, and idle marks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def former(self, after: LogPlace, comment_change: int) -> dict[int, FormerCount]:
        """The comments after a place that have changed since they were observed.

        Args:
            after: the place.
            comment_change: changes up to this id have been taken over.

        Returns:
            By the places of the comments, what was counted of them.
        """
        statement = (
            select(comment_changes.c.seq, comment_changes.c.former)
            .where(
                comment_changes.c.change_id > comment_change,
                comment_changes.c.seq > after.seq,
                comment_changes.c.former.is_not(None),
            )
            .order_by(comment_changes.c.change_id.desc())
        )
        async with self._database.read() as connection:
            return {
                row.seq: FormerCount(tuple(row.former["fingerprint"]), row.former["has_author"])
                for row in await connection.execute(statement)
            }

    async def comments(self, after: int, up_to: int, limit: int) -> list[ReplayedComment]:
        """Scored comments with a place in (after, up_to], oldest first."""
        statement = (
            select(comments, *_SCORES)
            .join(scores, scores.c.seq == comments.c.seq)
            .where(comments.c.seq > after, comments.c.seq <= up_to)
            .order_by(comments.c.seq)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_replayed(row) for row in rows]

    async def marks(self, after: int, up_to: int, limit: int) -> list[LoggedIdleMark]:
        """Idle marks with an id in (after, up_to], oldest first."""
        statement = (
            select(idle_marks)
            .where(idle_marks.c.id > after, idle_marks.c.id <= up_to)
            .order_by(idle_marks.c.id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [
            LoggedIdleMark(row.id, row.after_seq, IdleMark(row.kol_id, from_micros(row.reached)))
            for row in rows
        ]


def _replayed(row: RowMapping) -> ReplayedComment:
    scored = ScoredComment(
        to_comment(row), row["negative"], row["neutral"], row["positive"], row["offensive"]
    )
    return ReplayedComment(row["seq"], from_micros(row["received_at"]), scored)
