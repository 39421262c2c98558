"""Mood over time, from the per-minute sums that the pipeline keeps."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from serving.storage.database import Database
from serving.storage.instants import from_micros, to_micros
from serving.storage.score_rows import MILLIONTHS
from serving.storage.tables import minutes


@dataclass(frozen=True, slots=True)
class MoodPoint:
    """One step of a KOL's mood.

    Attributes:
        start: first instant of the step, aware, UTC.
        comments: how many comments were written in it.
        negative: sum of P(negative) over them.
        positive: sum of P(positive) over them.
    """

    start: datetime
    comments: int
    negative: float
    positive: float


class MoodStore:
    """The `minutes` table, for reading."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def series(
        self, kol_id: str, since: datetime, until: datetime, step: timedelta
    ) -> list[MoodPoint]:
        """Sums over steps of whole minutes in [since, until), oldest first, empty steps left out.

        Steps are counted from 1970 in UTC, so the same step starts at the same instants always.
        """
        width = to_micros(from_micros(0) + step)
        bucket = (minutes.c.start - minutes.c.start % width).label("bucket")
        statement = (
            select(
                bucket,
                func.sum(minutes.c.comments),
                func.sum(minutes.c.negative),
                func.sum(minutes.c.positive),
            )
            .where(
                minutes.c.kol_id == kol_id,
                minutes.c.start >= to_micros(since),
                minutes.c.start < to_micros(until),
                minutes.c.comments > 0,  # all others of the minute were removed
            )
            .group_by(bucket)
            .order_by(bucket)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [
            MoodPoint(from_micros(start), n, int(negative) / MILLIONTHS, int(positive) / MILLIONTHS)
            for start, n, negative, positive in rows
        ]
