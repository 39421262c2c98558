"""The same comments, received promptly and up to an hour late: what is finally derived."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import select

from benchmarks.crisis.bench import policy_for
from benchmarks.crisis.protocol import BUDGETS
from benchmarks.crisis.scoring import KolOutcome, judge
from benchmarks.crisis.stream import EPOCH
from benchmarks.late import audience
from benchmarks.late.arrivals import LateKol, kols, received
from benchmarks.late.measured import MeasuredPipeline
from monitoring.alerts import is_page
from monitoring.kinds import AlertState, Reason
from serving.clock import TestClock
from serving.storage.alert_record import to_event
from serving.storage.comment_log import CommentLog
from serving.storage.database import Database
from serving.storage.instants import from_micros
from serving.storage.tables import alert_events, alerts
from tests.serving.final_state import final

_MINUTE = timedelta(minutes=1)
PARTS = ("minutes", "windows", "alerts", "events")


@dataclass(frozen=True, slots=True)
class CrisisRun:
    """One run to make.

    Attributes:
        database: name of the kind of database.
        url: an empty database.
        seed: of the crisis benchmark.
        kols: number of KOLs per tier.
        days: days per tier.
        delay: most minutes that a comment is late.
        poll: minutes between two polls of the senders.
    """

    database: str
    url: str
    seed: int
    kols: dict[str, int]
    days: dict[str, int]
    delay: float
    poll: int


@dataclass(frozen=True, slots=True)
class FoundAlerts:
    """How the alerts that hold in the end were found.

    Attributes:
        delays: minutes from the event time of the first event to when a re-run found it.
        in_time: number of alerts that were raised when they happened.
        withdrawn: number of alerts that were raised and held no longer.
    """

    delays: Sequence[float]
    in_time: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class CrisisResult:
    """What came of one run.

    Attributes:
        run: which.
        comments: number of comments.
        final: what was finally derived, see `final_state.final`.
        outcomes: of each KOL, by the protocol.
        weeks: KOL-weeks after the warm-up.
        found: how the alerts were found.
        reruns: number of re-runs.
        rerun_seconds: the time that they took.
        seconds: the time of the whole run.
    """

    run: CrisisRun
    comments: int
    final: dict[str, Any]
    outcomes: Sequence[KolOutcome]
    weeks: float
    found: FoundAlerts
    reruns: int
    rerun_seconds: float
    seconds: float

    @property
    def recall(self) -> float:
        """Share of the crises that were caught."""
        delays = [one.delay for outcome in self.outcomes for one in outcome.caught]
        return sum(delay is not None for delay in delays) / max(len(delays), 1)

    @property
    def crises(self) -> int:
        """Number of crises."""
        return sum(len(outcome.caught) for outcome in self.outcomes)

    @property
    def false_pages(self) -> float:
        """False pages per KOL-week."""
        return sum(len(outcome.false) for outcome in self.outcomes) / max(self.weeks, 1e-9)


async def play(run: CrisisRun) -> CrisisResult:
    """Send all comments through the pipeline, with the clock going along."""
    pool = audience.pool(run.seed)
    streams = kols(run.seed, pool, run.kols, run.days)
    clock, database = TestClock(EPOCH), Database(run.url)
    log = CommentLog(database)
    pipeline = MeasuredPipeline(
        database,
        scorer=audience.GivenScorer.of(pool),
        policy=policy_for(BUDGETS[0]),
        clock=clock,
    )
    begun = perf_counter()
    for minute, comments in received(streams, delay=run.delay, poll=run.poll, seed=run.seed):
        clock.advance(EPOCH + minute * _MINUTE - clock.now())
        if comments:
            await log.append(comments, clock.now())
            pipeline.wake()
        if comments or pipeline.is_silence_due():
            await pipeline.process()
    seconds = perf_counter() - begun
    derived = await final(database)
    result = CrisisResult(
        run=run,
        comments=sum(len(kol.comments) for kol in streams),
        final=derived,
        outcomes=[judge(kol.stream, pages(derived, kol)) for kol in streams],
        weeks=sum(kol.weeks for kol in streams),
        found=await found_alerts(database),
        reruns=len(pipeline.reruns),
        rerun_seconds=pipeline.rerun_seconds,
        seconds=seconds,
    )
    await database.close()
    return result


def pages(derived: dict[str, Any], kol: LateKol) -> list[int]:
    """Minutes since `EPOCH` at the end of which a KOL's alerts page, by event time."""
    found = []
    for kol_id, _, severity, reason, at, _ in derived["events"]:
        if kol_id == kol.stream.kol and is_page(reason, severity):
            found.append((from_micros(at) - EPOCH) // _MINUTE)
    return sorted(found)


async def found_alerts(database: Database) -> FoundAlerts:
    """How the alerts of a database were found."""
    async with database.read() as connection:
        known = (await connection.execute(select(alerts.c.alert_id, alerts.c.state))).all()
        states = {row.alert_id: row.state for row in known}
        statement = select(alert_events).where(alert_events.c.reason != Reason.REVISED)
        rows = (await connection.execute(statement.order_by(alert_events.c.event_id))).mappings()
        events = [to_event(row) for row in rows]
    first = {event.alert_id: event for event in reversed(events)}
    kept = [event for event in first.values() if states[event.alert_id] != AlertState.REVISED]
    late = [(event.found_at - event.at) / _MINUTE for event in kept if event.found_at is not None]
    withdrawn = sum(state == AlertState.REVISED for state in states.values())
    return FoundAlerts(sorted(late), len(kept) - len(late), withdrawn)


def equal_parts(prompt: CrisisResult, delayed: CrisisResult) -> dict[str, bool]:
    """Whether each part of the final state is the same."""
    return {part: prompt.final[part] == delayed.final[part] for part in PARTS}


def differences(prompt: CrisisResult, delayed: CrisisResult, most: int = 5) -> list[str]:
    """The first rows of each part that only one of two runs has."""
    found = []
    for part in PARTS:
        one, other = ([*map(repr, each.final[part])] for each in (prompt, delayed))
        for name, rows, others in (("prompt", one, set(other)), ("delayed", other, set(one))):
            found += [f"{part}, {name} only: {row}" for row in rows if row not in others][:most]
    return found
