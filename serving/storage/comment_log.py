"""The comment log: append, read on, look up. A comment is unique by (platform, comment id)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, and_, func, or_, select

from monitoring.events import Comment, ScoredComment
from serving.storage.database import Database
from serving.storage.instants import from_micros, to_micros
from serving.storage.tables import comments, kols, scores
from serving.storage.upsert import insert

_COMMENT_COLUMNS = tuple(c for c in comments.c if c.name not in {"seq", "received_at"})


@dataclass(frozen=True, slots=True)
class LoggedComment:
    """A comment at its place in the log.

    Attributes:
        seq: the place; later comments have greater ones.
        received_at: when it was committed, aware, UTC.
        comment: what was written.
    """

    seq: int
    received_at: datetime
    comment: Comment


@dataclass(frozen=True, slots=True)
class CommentScores:
    """What the model says of a comment.

    Attributes:
        negative: P(negative), in [0, 1].
        neutral: P(neutral).
        positive: P(positive).
        offensive: P(offensive); None where the model has no such head.
    """

    negative: float
    neutral: float
    positive: float
    offensive: float | None


@dataclass(frozen=True, slots=True)
class ListedComment:
    """A comment of the log with what the model says of it.

    Attributes:
        logged: the comment.
        scores: None until it has been processed.
    """

    logged: LoggedComment
    scores: CommentScores | None


@dataclass(frozen=True, slots=True)
class CommentFilter:
    """Which comments of a KOL to list; None sets no bound."""

    kol_id: str
    since: datetime | None = None
    until: datetime | None = None
    sentiment: str | None = None
    post_id: str | None = None
    author_id: str | None = None


class CommentLog:
    """The `comments` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, batch: Sequence[Comment], received_at: datetime) -> list[bool]:
        """Commit comments in one transaction and register their KOLs.

        Returns:
            For each comment, True if it is new, False if the log (or an earlier place of the
            batch) had it. Repeats are counted with their KOL.
        """
        fresh: dict[tuple[str, str], int] = {}
        for index, comment in enumerate(batch):
            fresh.setdefault((comment.platform, comment.comment_id), index)
        chosen = [batch[index] for index in fresh.values()]
        inserted: set[tuple[str, str]] = set()
        now = to_micros(received_at)
        async with self._database.write() as connection:
            if chosen:
                statement = (
                    insert(connection, comments)
                    .on_conflict_do_nothing()
                    .returning(comments.c.platform, comments.c.comment_id)
                )
                rows = [_row(comment, now) for comment in chosen]
                result = await connection.execute(statement, rows)
                inserted.update((row.platform, row.comment_id) for row in result)
            new = [
                fresh[comment.platform, comment.comment_id] == index
                and (comment.platform, comment.comment_id) in inserted
                for index, comment in enumerate(batch)
            ]
            repeats = dict.fromkeys((comment.kol_id for comment in batch), 0)
            for comment, is_new in zip(batch, new, strict=True):
                repeats[comment.kol_id] += not is_new
            for kol_id, count in repeats.items():
                await connection.execute(
                    insert(connection, kols)
                    .values(kol_id=kol_id, handles={}, registered_at=now, duplicates=count)
                    .on_conflict_do_update(
                        index_elements=["kol_id"],
                        set_={"duplicates": kols.c.duplicates + count},
                    )
                )
        return new

    async def after(self, seq: int, limit: int) -> list[LoggedComment]:
        """The next comments of the log after `seq`, oldest first, at most `limit`."""
        statement = (
            select(comments).where(comments.c.seq > seq).order_by(comments.c.seq).limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_logged(row) for row in rows]

    async def last_seq(self) -> int:
        """The greatest place of the log; 0 when it is empty."""
        async with self._database.read() as connection:
            return await connection.scalar(select(func.max(comments.c.seq))) or 0

    async def count_after(self, seq: int) -> int:
        """How many comments follow a place."""
        statement = select(func.count()).select_from(comments).where(comments.c.seq > seq)
        async with self._database.read() as connection:
            return await connection.scalar(statement) or 0

    async def scored_between(
        self, kol_id: str, since: datetime, until: datetime, *, up_to_seq: int, limit: int
    ) -> list[ScoredComment]:
        """Scored comments of a KOL written in [since, until), the latest `limit`, oldest first.

        Only places up to `up_to_seq` count, so that asking again later answers the same.
        """
        statement = (
            select(*_COMMENT_COLUMNS, *_SCORES)
            .join(scores, scores.c.seq == comments.c.seq)
            .where(
                comments.c.kol_id == kol_id,
                comments.c.created_at >= to_micros(since),
                comments.c.created_at < to_micros(until),
                comments.c.seq <= up_to_seq,
            )
            .order_by(comments.c.created_at.desc(), comments.c.seq.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [
            ScoredComment(to_comment(r), r["negative"], r["neutral"], r["positive"], r["offensive"])
            for r in reversed(rows)
        ]

    async def page(
        self, wanted: CommentFilter, *, before: tuple[datetime, int] | None, limit: int
    ) -> list[ListedComment]:
        """Comments with their scores, newest first.

        Args:
            wanted: the filter.
            before: keyset (created_at, seq) of the last comment of the page before.
            limit: most comments.
        """
        statement = (
            select(comments, *_SCORES)
            .outerjoin(scores, scores.c.seq == comments.c.seq)
            .where(*_conditions(wanted))
            .order_by(comments.c.created_at.desc(), comments.c.seq.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(_before(statement, before))).mappings()
            return [_listed(row) for row in rows]


_SCORES = (scores.c.negative, scores.c.neutral, scores.c.positive, scores.c.offensive)


def _row(comment: Comment, received_at: int) -> dict[str, Any]:
    return {column.name: getattr(comment, column.name) for column in _COMMENT_COLUMNS} | {
        "created_at": to_micros(comment.created_at),
        "received_at": received_at,
    }


def _logged(row: RowMapping) -> LoggedComment:
    return LoggedComment(row["seq"], from_micros(row["received_at"]), to_comment(row))


def _listed(row: RowMapping) -> ListedComment:
    found = None
    if row["negative"] is not None:
        found = CommentScores(row["negative"], row["neutral"], row["positive"], row["offensive"])
    return ListedComment(_logged(row), found)


def to_comment(row: RowMapping) -> Comment:
    """A row of `comments` as the record."""
    fields = {column.name: row[column.name] for column in _COMMENT_COLUMNS}
    return Comment(**fields | {"created_at": from_micros(row["created_at"])})


def _conditions(wanted: CommentFilter) -> list[Any]:
    conditions: list[Any] = [comments.c.kol_id == wanted.kol_id]
    if wanted.since is not None:
        conditions.append(comments.c.created_at >= to_micros(wanted.since))
    if wanted.until is not None:
        conditions.append(comments.c.created_at < to_micros(wanted.until))
    if wanted.post_id is not None:
        conditions.append(comments.c.post_id == wanted.post_id)
    if wanted.author_id is not None:
        conditions.append(comments.c.author_id == wanted.author_id)
    if wanted.sentiment is not None:
        chosen = scores.c[wanted.sentiment]
        others = (scores.c[name] for name in ("negative", "neutral", "positive"))
        conditions.append(and_(*(chosen >= other for other in others)))
    return conditions


def _before(statement: Select[Any], before: tuple[datetime, int] | None) -> Select[Any]:
    if before is None:
        return statement
    created_at, seq = to_micros(before[0]), before[1]
    return statement.where(
        or_(
            comments.c.created_at < created_at,
            and_(comments.c.created_at == created_at, comments.c.seq < seq),
        )
    )
