"""One late comment: the time from its commit to that of the re-run."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter

import numpy as np
from sqlalchemy import func, select

from benchmarks.crisis.comments import Pool
from benchmarks.crisis.stream import EPOCH
from benchmarks.late.audience import GivenScorer
from benchmarks.late.measured import MeasuredPipeline
from monitoring.event_time import moment_of
from monitoring.events import Comment
from monitoring.policy import Policy
from serving.clock import TestClock
from serving.storage.comment_log import CommentLog
from serving.storage.database import Database
from serving.storage.instants import to_micros
from serving.storage.tables import minute_scores

LEAST, MOST = timedelta(minutes=3), timedelta(days=6)  # before the newest comment
_AT_ONCE = 500
_POSITIVE = 0.6  # share of the comments
_PROMPTLY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class SteadyKol:
    """A KOL with comments at a steady rate.

    Attributes:
        kol_id: its id.
        a_day: comments a day.
        days: days of history.
        late: number of late comments to send.
    """

    kol_id: str
    a_day: int
    days: int
    late: int


@dataclass(frozen=True, slots=True)
class LateCosts:
    """What late comments on one KOL came to.

    Attributes:
        kol: the KOL.
        milliseconds: of each comment, from its commit to that of the re-run.
        windows: of each, the minutes with comments that were judged again.
    """

    kol: SteadyKol
    milliseconds: list[float] = field(default_factory=list)
    windows: list[int] = field(default_factory=list)


class CommentWriter:
    """Writes comments on any KOL, each with an id of its own."""

    def __init__(self, pool: Pool, seed: int) -> None:
        """Prepare.

        Args:
            pool: the source of the texts.
            seed: of all that is drawn.
        """
        self.rng = np.random.default_rng([seed, 10])
        self._pool = pool
        self._written = 0

    def write(self, kol_id: str, created_at: datetime) -> Comment:
        """One comment with a random text and author."""
        self._written += 1
        label = "positive" if self.rng.random() < _POSITIVE else "neutral"
        return Comment(
            platform="simulated",
            comment_id=str(self._written),
            kol_id=kol_id,
            text=self._pool.texts[int(self.rng.choice(self._pool.rows[label]))],
            created_at=created_at,
            author_id=str(int(self.rng.integers(2_000))),
        )

    def history(self, kol: SteadyKol) -> Iterator[list[Comment]]:
        """A KOL's prompt comments, oldest first, in parts."""
        count = kol.a_day * kol.days
        seconds = np.sort(np.floor(self.rng.uniform(0, 86_400 * kol.days, count))).tolist()
        for first in range(0, count, _AT_ONCE):
            yield [
                self.write(kol.kol_id, EPOCH + timedelta(seconds=at))
                for at in seconds[first : first + _AT_ONCE]
            ]


@dataclass(frozen=True, slots=True)
class LateWorld:
    """A pipeline with a clock in hand, and comments for it.

    Attributes:
        database: where it works.
        pipeline: on it.
        clock: its clock.
        writer: of comments.
        newest: of each KOL with a history, when its newest prompt comment was written.
    """

    database: Database
    pipeline: MeasuredPipeline
    clock: TestClock
    writer: CommentWriter
    newest: dict[str, datetime] = field(default_factory=dict)

    async def receive(self, comments: list[Comment]) -> None:
        """Commit comments to the log."""
        await CommentLog(self.database).append(comments, self.clock.now())
        self.pipeline.wake()

    async def receive_history(self, kol: SteadyKol) -> None:
        """Process a KOL's prompt comments."""
        for part in self.writer.history(kol):
            reached = part[-1].created_at + _PROMPTLY
            self.clock.advance(max(reached - self.clock.now(), timedelta()))
            await self.receive(part)
            await self.pipeline.process()
            self.newest[kol.kol_id] = part[-1].created_at

    def late_comment(self, kol: SteadyKol) -> Comment:
        """A comment that was written at a random time before the KOL's newest."""
        newest = self.newest[kol.kol_id]
        most = min(MOST, newest - EPOCH)
        back = LEAST + (most - LEAST) * float(self.writer.rng.random())
        return self.writer.write(kol.kol_id, newest - back)


def new_world(url: str, pool: Pool, seed: int) -> LateWorld:
    """A world on an empty database."""
    database, clock = Database(url), TestClock(EPOCH)
    pipeline = MeasuredPipeline(database, scorer=GivenScorer.of(pool), policy=Policy(), clock=clock)
    return LateWorld(database, pipeline, clock, CommentWriter(pool, seed))


async def measure(world: LateWorld, kol: SteadyKol) -> LateCosts:
    """Send late comments on a KOL with a history, one after another.

    Raises:
        RuntimeError: one had no re-run, so it was not late.
    """
    costs, pipeline = LateCosts(kol), world.pipeline
    for _ in range(kol.late):
        before = len(pipeline.reruns)
        await world.receive([world.late_comment(kol)])
        begun = perf_counter()
        while len(pipeline.reruns) == before:
            if not await pipeline.step() and len(pipeline.reruns) == before:
                raise RuntimeError(f"a late comment on {kol.kol_id} had no re-run")
        costs.milliseconds.append(1000 * (perf_counter() - begun))
        costs.windows.append(await _windows(world, kol, pipeline.reruns[-1].since))
        await pipeline.process()
    return costs


async def _windows(world: LateWorld, kol: SteadyKol, since: int) -> int:
    """The minutes with comments from `since` on."""
    statement = (
        select(func.count())
        .select_from(minute_scores)
        .where(
            minute_scores.c.kol_id == kol.kol_id,
            minute_scores.c.start >= to_micros(moment_of(since)),
        )
    )
    async with world.database.read() as connection:
        return await connection.scalar(statement) or 0
