"""The comment log: append, read on, look up.

A comment is unique by (platform, comment id, KOL): under a joint post it is one of each KOL's.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Row, RowMapping, Select, and_, func, or_, select

from monitoring.events import Comment, ScoredComment
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.comment_rows import COMMENT_COLUMNS, to_comment
from serving.storage.comment_update import ChangeKind, CommentOutcome
from serving.storage.comment_writer import write_comments
from serving.storage.database import Database
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.kol_filter import within
from serving.storage.source_record import SourceStep
from serving.storage.source_rows import is_repeated, write_step
from serving.storage.tables import comment_changes, comment_versions, comments, scores


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
class LoggedComment:
    """A comment at its place in the log.

    Attributes:
        seq: the place; later comments have greater ones.
        received_at: when it was committed, aware, UTC.
        comment: what was written.
        kept: what the model said of it before it was erased; None if it was not, or had not been
            processed by then.
    """

    seq: int
    received_at: datetime
    comment: Comment
    kept: CommentScores | None = None

    @property
    def removed(self) -> bool:
        """Whether it was deleted, before or after it was committed."""
        return self.comment.removed

    @property
    def judged(self) -> bool:
        """Whether it says something of the mood: its text or its scores are known."""
        if self.comment.erased:
            return self.kept is not None
        return not self.removed or bool(self.comment.text)


@dataclass(frozen=True, slots=True)
class CommentChange:
    """A change of a comment of the log.

    Attributes:
        change_id: later changes have greater ones.
        seq: the comment's place in the log.
        kind: what happened to it.
        at: when it was committed, aware, UTC.
        comment: the comment as it is now, after later changes too.
    """

    change_id: int
    seq: int
    kind: ChangeKind
    at: datetime
    comment: Comment


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
class CommentVersion:
    """A text of a comment that is not its newest.

    Attributes:
        text: what was written.
        edited_at: when the comment was given this text, aware, UTC; None where nobody said.
        at: when it was replaced, or arrived although there was a newer one.
    """

    text: str
    edited_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class CommentHistory:
    """A comment of the log with the other texts it had.

    Attributes:
        listed: the comment as it is.
        versions: its other texts, in the order in which they were replaced or arrived.
    """

    listed: ListedComment
    versions: tuple[CommentVersion, ...]


@dataclass(frozen=True, slots=True)
class CommentFilter:
    """Which comments of a KOL to list; None sets no bound.

    Attributes:
        author_ids: the forms in which the id of an author may be stored.
        removed: list those that were removed instead of those that were not.
    """

    kol_id: str
    since: datetime | None = None
    until: datetime | None = None
    sentiment: str | None = None
    post_id: str | None = None
    author_ids: Collection[str] | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Comments that are committed together.

    Attributes:
        comments: in order.
        step: what else is written with them, if a source brought them.
    """

    comments: Sequence[Comment]
    step: SourceStep | None = None


class CommentLog:
    """The `comments` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, batch: Sequence[Comment], received_at: datetime) -> list[CommentOutcome]:
        """Commit comments in one transaction and register their KOLs.

        Returns:
            For each comment what became of it. One that the log (or an earlier place of the batch)
            had is updated where it brings something new, else a duplicate; duplicates are counted
            with their KOL.
        """
        (outcomes,) = await self.append_entries([LogEntry(batch)], received_at)
        return outcomes

    async def append_entries(
        self, entries: Sequence[LogEntry], received_at: datetime
    ) -> list[list[CommentOutcome]]:
        """Commit entries in one transaction, as `append` does, each with the step of its source.

        Returns:
            For each comment of each entry what became of it. If an entry is a delivery that was
            committed before, nothing of it is written, and its comments are duplicates.
        """
        async with self._database.write() as connection:
            kept = [
                entry.step is None or not await is_repeated(connection, entry.step)
                for entry in entries
            ]
            batch = [
                comment
                for entry, is_kept in zip(entries, kept, strict=True)
                if is_kept
                for comment in entry.comments
            ]
            written = iter(await write_comments(connection, batch, to_micros(received_at)))
            outcomes = []
            for entry, is_kept in zip(entries, kept, strict=True):
                count = len(entry.comments)
                if not is_kept:
                    outcomes.append([CommentOutcome.DUPLICATE] * count)
                    continue
                found = list(islice(written, count))
                outcomes.append(found)
                if entry.step is not None:
                    accepted = found.count(CommentOutcome.ACCEPTED)
                    await write_step(connection, entry.step, accepted)
            return outcomes

    async def after(self, seq: int, limit: int) -> list[LoggedComment]:
        """The next comments of the log after `seq`, oldest first, at most `limit`."""
        statement = (
            select(comments).where(comments.c.seq > seq).order_by(comments.c.seq).limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_logged(row) for row in rows]

    async def changes_after(self, change_id: int, limit: int) -> list[CommentChange]:
        """The next changes of comments of the log, oldest first, at most `limit`."""
        statement = (
            select(comment_changes, *COMMENT_COLUMNS)
            .join(comments, comments.c.seq == comment_changes.c.seq)
            .where(comment_changes.c.change_id > change_id)
            .order_by(comment_changes.c.change_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [
            CommentChange(
                change_id=row["change_id"],
                seq=row["seq"],
                kind=ChangeKind(row["kind"]),
                at=from_micros(row["at"]),
                comment=to_comment(row),
            )
            for row in rows
        ]

    async def last_seq(self) -> int:
        """The greatest place of the log; 0 when it is empty."""
        async with self._database.read() as connection:
            return await connection.scalar(select(func.max(comments.c.seq))) or 0

    async def count_after(self, seq: int, visible: KolLimit = EVERY_KOL) -> int:
        """How many comments follow a place."""
        statement = (
            select(func.count())
            .select_from(comments)
            .where(comments.c.seq > seq, *within(comments.c.kol_id, visible))
        )
        async with self._database.read() as connection:
            return await connection.scalar(statement) or 0

    async def scored_between(
        self, kol_id: str, since: datetime, until: datetime, *, up_to_seq: int, limit: int
    ) -> list[ScoredComment]:
        """Scored comments of a KOL written in [since, until), the latest `limit`, oldest first.

        Those that were removed are left out. Only places up to `up_to_seq` count, so that asking
        again later answers the same; the order of arrival does not.
        """
        statement = (
            select(*COMMENT_COLUMNS, *_SCORES)
            .join(scores, scores.c.seq == comments.c.seq)
            .where(
                comments.c.kol_id == kol_id,
                comments.c.created_at >= to_micros(since),
                comments.c.created_at < to_micros(until),
                comments.c.seq <= up_to_seq,
                comments.c.removed_at.is_(None),
            )
            .order_by(
                comments.c.created_at.desc(),
                comments.c.platform.desc(),
                comments.c.comment_id.desc(),
            )
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

    async def history(
        self, platform: str, comment_id: str, visible: KolLimit = EVERY_KOL
    ) -> list[CommentHistory]:
        """A comment in the stream of each KOL that it was sent for, with its other texts."""
        statement = (
            select(comments, *_SCORES)
            .outerjoin(scores, scores.c.seq == comments.c.seq)
            .where(
                comments.c.platform == platform,
                comments.c.comment_id == comment_id,
                comments.c.erased.is_(None),
                *within(comments.c.kol_id, visible),
            )
            .order_by(comments.c.kol_id)
        )
        versions: defaultdict[int, list[CommentVersion]] = defaultdict(list)
        async with self._database.read() as connection:
            found = (await connection.execute(statement)).mappings().all()
            former = select(comment_versions).where(
                comment_versions.c.seq.in_([row["seq"] for row in found])
            )
            order = comment_versions.c.version_id
            for row in await connection.execute(former.order_by(order)):
                versions[row.seq].append(_version(row))
        return [CommentHistory(_listed(row), tuple(versions[row["seq"]])) for row in found]


def _version(row: Row[Any]) -> CommentVersion:
    return CommentVersion(row.text, optional_from_micros(row.edited_at), from_micros(row.at))


_SCORES = (scores.c.negative, scores.c.neutral, scores.c.positive, scores.c.offensive)


def _logged(row: RowMapping) -> LoggedComment:
    scores = (row["erased"] or {}).get("scores")
    kept = None if scores is None else CommentScores(*scores)
    return LoggedComment(row["seq"], from_micros(row["received_at"]), to_comment(row), kept)


def _listed(row: RowMapping) -> ListedComment:
    found = None
    if row["negative"] is not None:
        found = CommentScores(row["negative"], row["neutral"], row["positive"], row["offensive"])
    return ListedComment(_logged(row), found)


def _conditions(wanted: CommentFilter) -> list[Any]:
    removed_at = comments.c.removed_at
    conditions: list[Any] = [
        comments.c.kol_id == wanted.kol_id,
        comments.c.erased.is_(None),
        removed_at.is_not(None) if wanted.removed else removed_at.is_(None),
    ]
    if wanted.since is not None:
        conditions.append(comments.c.created_at >= to_micros(wanted.since))
    if wanted.until is not None:
        conditions.append(comments.c.created_at < to_micros(wanted.until))
    if wanted.post_id is not None:
        conditions.append(comments.c.post_id == wanted.post_id)
    if wanted.author_ids is not None:
        conditions.append(comments.c.author_id.in_(wanted.author_ids))
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
