"""What a re-run of a KOL reads: its changed minutes, checkpoints, windows, comments and alerts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, func, or_, select

from monitoring.alerts import AlertEvent
from monitoring.checkpoints import Checkpoint
from monitoring.event_time import moment_of
from monitoring.events import ScoredComment
from monitoring.kinds import AlertState, Reason
from monitoring.matching import AlertTimeline, timelines_of
from monitoring.minute_score import MinuteScore
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.alert_record import to_event
from serving.storage.checkpoint_rows import checkpoint_up_to
from serving.storage.comment_rows import to_comment
from serving.storage.database import Database
from serving.storage.instants import from_micros, to_micros
from serving.storage.kol_filter import within
from serving.storage.minute_score_rows import from_row, replace_minute_scores
from serving.storage.pipeline_step import ChangedMinutes
from serving.storage.tables import (
    alert_events,
    alert_ids,
    alerts,
    comments,
    idle_marks,
    minute_scores,
    reruns,
    scores,
)

_SCORES = (scores.c.negative, scores.c.neutral, scores.c.positive, scores.c.offensive)


@dataclass(frozen=True, slots=True)
class NewestComment:
    """The comment of a KOL that was written last: when, and when it was received."""

    created_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class PendingRerun:
    """A KOL to judge again.

    Attributes:
        changed: its minutes that have changed.
        up_to_id: id of the last change among them.
    """

    changed: ChangedMinutes
    up_to_id: int


class RerunStore:
    """Reads for re-runs; what they come to is committed as a step."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next(self, *, without: Collection[str] = ()) -> PendingRerun | None:
        """The KOL to judge again next: of all but some the one whose first change is the latest."""
        first, last = func.min(reruns.c.first_minute), func.max(reruns.c.last_minute)
        statement = (
            select(reruns.c.kol_id, first, last, func.max(reruns.c.rerun_id))
            .where(reruns.c.kol_id.not_in(without))
            .group_by(reruns.c.kol_id)
            .order_by(first.desc(), reruns.c.kol_id)
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return None if row is None else PendingRerun(ChangedMinutes(*row[:3]), row[3])

    async def count(self, visible: KolLimit = EVERY_KOL) -> int:
        """How many KOLs are to be judged again."""
        statement = select(func.count(reruns.c.kol_id.distinct())).where(
            *within(reruns.c.kol_id, visible)
        )
        async with self._database.read() as connection:
            return await connection.scalar(statement) or 0

    async def checkpoint_up_to(self, kol_id: str, minute: int) -> Checkpoint | None:
        """The last checkpoint from which `minute` can be judged again; None if there is none."""
        async with self._database.read() as connection:
            return await checkpoint_up_to(connection, kol_id, minute)

    async def minute_scores(
        self, kol_id: str, since: int, until: int, limit: int
    ) -> list[MinuteScore]:
        """Closed minutes of a KOL that hold comments, in [since, until), oldest first."""
        statement = (
            select(minute_scores)
            .where(
                minute_scores.c.kol_id == kol_id,
                minute_scores.c.start >= _micros(since),
                minute_scores.c.start < _micros(until),
            )
            .order_by(minute_scores.c.start)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [from_row(row) for row in rows]

    async def replace_minute_scores(
        self, kol_id: str, since: int, until: int, found: Sequence[MinuteScore]
    ) -> None:
        """Write the closed minutes of a KOL in [since, until) anew; ahead of the last step."""
        async with self._database.write() as connection:
            await replace_minute_scores(connection, kol_id, since, until, found)

    async def comments(
        self,
        kol_id: str,
        since: int,
        until: int,
        *,
        up_to_seq: int,
        limit: int,
    ) -> list[ScoredComment]:
        """Scored comments written in the minutes [since, until), by time of writing.

        Args:
            kol_id: whose.
            since: the first minute, since 1970 UTC.
            until: the minute after the last.
            up_to_seq: place in the log up to which comments have been processed.
            limit: most comments.
        """
        statement = (
            select(comments, *_SCORES)
            .join(scores, scores.c.seq == comments.c.seq)
            .where(
                comments.c.kol_id == kol_id,
                comments.c.created_at >= _micros(since),
                comments.c.created_at < _micros(until),
                comments.c.seq <= up_to_seq,
            )
            .order_by(comments.c.created_at, comments.c.seq)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_scored(row) for row in rows]

    async def comments_before(
        self, kol_id: str, minute: int, *, up_to_seq: int, limit: int
    ) -> list[ScoredComment]:
        """The last scored comments written before a minute, newest first, at most `limit`."""
        statement = (
            select(comments, *_SCORES)
            .join(scores, scores.c.seq == comments.c.seq)
            .where(
                comments.c.kol_id == kol_id,
                comments.c.created_at < _micros(minute),
                comments.c.seq <= up_to_seq,
            )
            .order_by(comments.c.created_at.desc(), comments.c.seq.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [_scored(row) for row in rows]

    async def newest(self, kol_id: str, up_to_seq: int) -> NewestComment | None:
        """The comment of a KOL that was written last; None if none was processed."""
        statement = (
            select(comments.c.created_at, comments.c.received_at)
            .join(scores, scores.c.seq == comments.c.seq)
            .where(comments.c.kol_id == kol_id, comments.c.seq <= up_to_seq)
            .order_by(comments.c.created_at.desc(), comments.c.received_at)
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        return NewestComment(from_micros(row.created_at), from_micros(row.received_at))

    async def silent_until(self, kol_id: str, up_to_mark: int) -> datetime | None:
        """Up to when a KOL was declared silent; None if it never was."""
        statement = select(func.max(idle_marks.c.reached)).where(
            idle_marks.c.kol_id == kol_id, idle_marks.c.id <= up_to_mark
        )
        async with self._database.read() as connection:
            reached = await connection.scalar(statement)
        return None if reached is None else from_micros(reached)

    async def timelines(
        self, kol_id: str, minute: int, alert_ids: Collection[str]
    ) -> list[AlertTimeline]:
        """The alerts of a KOL to which something happened after a minute, or that were open then.

        Revisions are left out, and alerts that were withdrawn.

        Args:
            kol_id: whose.
            minute: since 1970 UTC.
            alert_ids: of alerts that are wanted in any case.
        """
        touched = select(alerts.c.alert_id).where(
            alerts.c.kol_id == kol_id,
            alerts.c.state != AlertState.REVISED,
            or_(
                alerts.c.state == AlertState.OPEN,
                alerts.c.updated_at > _micros(minute),
                alerts.c.alert_id.in_(alert_ids),
            ),
        )
        statement = (
            select(alert_events)
            .where(alert_events.c.alert_id.in_(touched), alert_events.c.reason != Reason.REVISED)
            .order_by(alert_events.c.event_id)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return timelines_of(
            AlertEvent(
                alert_id=event.alert_id,
                kol_id=event.kol_id,
                kind=event.kind,
                severity=event.severity,
                reason=event.reason,
                at=event.at,
                evidence=event.evidence,
                found_at=event.found_at,
            )
            for event in map(to_event, rows)
        )

    async def alert_ids(self) -> dict[str, str]:
        """Derived id to the id under which an alert is known, where they differ."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(alert_ids))
            return {row.derived_id: row.alert_id for row in rows}


def _micros(minute: int) -> int:
    return to_micros(moment_of(minute))


def _scored(row: RowMapping) -> ScoredComment:
    return ScoredComment(
        to_comment(row), row["negative"], row["neutral"], row["positive"], row["offensive"]
    )
