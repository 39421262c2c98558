"""What one step of the pipeline derived from the log, committed whole or not at all."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.events import ScoredComment
from monitoring.kinds import AlertState, Reason
from monitoring.minute_score import MinuteScore
from serving.storage.database import Database
from serving.storage.instants import from_micros, to_micros
from serving.storage.minute_score_rows import to_row
from serving.storage.outbox import Outbox, WrittenDelivery
from serving.storage.policy_store import settle
from serving.storage.rebuild import PIPELINE, REBUILT
from serving.storage.tables import (
    alert_events,
    alerts,
    engine_states,
    idle_marks,
    minute_scores,
    minutes,
    progress,
    scores,
)
from serving.storage.upsert import insert

_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class IdleMark:
    """At this place of the log, a KOL's event time was declared to have reached an instant."""

    kol_id: str
    reached: datetime


@dataclass(frozen=True, slots=True)
class EngineState:
    """A KOL in the engine: how to go on, and how it looks from outside.

    Attributes:
        kol_id: whose.
        snapshot: what `Engine.restore` takes.
        status: `KolStatus` as JSON.
        last_created_at: event time of its latest comment.
        last_received_at: when its latest comment was committed.
    """

    kol_id: str
    snapshot: bytes
    status: dict[str, Any]
    last_created_at: datetime
    last_received_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the log has been worked off.

    Attributes:
        seq: place of the last comment derived from.
        mark: id of the last idle mark repeated or made.
        step: how many steps have been committed.
        policy_change: id of the last policy change obeyed.
    """

    seq: int = 0
    mark: int = 0
    step: int = 0
    policy_change: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """Everything that one step derived.

    Attributes:
        seq: place of the last comment it took; the former one if it took none.
        model: id of the weights that scored.
        scored: places and scored comments.
        repeated_mark: id of the idle mark it repeated; None if it repeated none.
        new_marks: idle marks it made.
        policy_change: id of the policy change it obeyed; None if it obeyed none.
        minute_scores: what was read off the minutes it closed.
        events: alert transitions, in order.
        states: every KOL it touched.
    """

    seq: int
    model: str
    scored: Sequence[tuple[int, ScoredComment]] = ()
    repeated_mark: int | None = None
    new_marks: Sequence[IdleMark] = ()
    policy_change: int | None = None
    minute_scores: Sequence[MinuteScore] = ()
    events: Sequence[AlertEvent] = ()
    states: Sequence[EngineState] = field(default_factory=tuple)


class StepStore:
    """The derived tables, for writing by the pipeline alone."""

    def __init__(self, database: Database, outbox: Outbox | None = None) -> None:
        """Prepare; with an outbox, transitions are written to it in the step's transaction."""
        self._database = database
        self._outbox = outbox

    async def progress(self) -> Progress:
        """How far the last committed step came."""
        async with self._database.read() as connection:
            return await _progress(connection, PIPELINE)

    async def states(self) -> list[EngineState]:
        """Every KOL as the last committed step left it."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(engine_states))).all()
        return [
            EngineState(
                kol_id=row.kol_id,
                snapshot=row.snapshot,
                status=row.status,
                last_created_at=from_micros(row.last_created_at),
                last_received_at=from_micros(row.last_received_at),
            )
            for row in rows
        ]

    async def statuses_after(self, step: int) -> list[dict[str, Any]]:
        """Statuses of the KOLs touched by steps after `step`."""
        statement = select(engine_states.c.status).where(engine_states.c.step > step)
        async with self._database.read() as connection:
            return list((await connection.execute(statement)).scalars())

    async def next_mark(self, after: Progress) -> tuple[int, int, IdleMark] | None:
        """The idle mark that follows in the log: its id, the place it stands after, itself."""
        statement = (
            select(idle_marks)
            .where(idle_marks.c.id > after.mark)
            .order_by(idle_marks.c.id)
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        return row.id, row.after_seq, IdleMark(row.kol_id, from_micros(row.reached))

    async def commit(self, step: Step, before: Progress) -> Progress:
        """Write a step in one transaction.

        Args:
            step: what was derived.
            before: the progress it builds on.

        Returns:
            The progress after it.
        """
        async with self._database.write() as connection:
            await _write_scores(connection, step)
            await _write_minutes(connection, step)
            await _write_minute_scores(connection, step.minute_scores)
            for alert_event in step.events:
                await _write_event(connection, alert_event)
            recorded = await self._record(connection, step)
            mark = step.repeated_mark or before.mark
            for idle_mark in step.new_marks:
                result = await connection.execute(
                    idle_marks.insert()
                    .values(
                        after_seq=step.seq,
                        kol_id=idle_mark.kol_id,
                        reached=to_micros(idle_mark.reached),
                    )
                    .returning(idle_marks.c.id)
                )
                mark = int(result.scalar_one())
            change = before.policy_change
            if step.policy_change is not None:
                change = step.policy_change
                await settle(connection, change, after_mark=before.mark)
            after = Progress(step.seq, mark, before.step + 1, change)
            await _write_states(connection, step.states, after.step)
            row = asdict(after)
            await connection.execute(
                insert(connection, progress)
                .values(name=PIPELINE, **row)
                .on_conflict_do_update(index_elements=["name"], set_=row)
            )
        if self._outbox is not None and recorded:
            self._outbox.committed(recorded)
        return after

    async def _record(self, connection: AsyncConnection, step: Step) -> list[WrittenDelivery]:
        """Write a step's transitions to the outbox."""
        if self._outbox is None or not step.events:
            return []
        told = await _progress(connection, REBUILT)
        rebuilt = step.repeated_mark is not None and step.repeated_mark <= told.mark
        rebuilt = rebuilt or (bool(step.scored) and step.seq <= told.seq)
        recorded = list[WrittenDelivery]()
        for event in step.events:
            statement = select(alerts.c.opened_at).where(alerts.c.alert_id == event.alert_id)
            opened_at = from_micros((await connection.execute(statement)).scalar_one())
            recorded += await self._outbox.record(
                connection, event, opened_at=opened_at, rebuilt=rebuilt
            )
        return recorded

    async def forget(self) -> None:
        """Delete all that was derived, so that the pipeline derives it again from the log.

        The outbox stays, and so does how far the log had been worked off: nobody is told again.
        """
        async with self._database.write() as connection:
            former = [await _progress(connection, name) for name in (PIPELINE, REBUILT)]
            derived = (
                scores,
                minutes,
                minute_scores,
                alerts,
                alert_events,
                engine_states,
                progress,
            )
            for table in derived:
                await connection.execute(delete(table))
            await connection.execute(
                progress.insert().values(
                    name=REBUILT,
                    seq=max(place.seq for place in former),
                    mark=max(place.mark for place in former),
                    step=0,
                )
            )


async def _progress(connection: AsyncConnection, name: str) -> Progress:
    row = (await connection.execute(select(progress).where(progress.c.name == name))).one_or_none()
    return Progress(row.seq, row.mark, row.step, row.policy_change) if row else Progress()


async def _write_scores(connection: AsyncConnection, step: Step) -> None:
    if not step.scored:
        return
    await connection.execute(
        scores.insert(),
        [
            {
                "seq": seq,
                "negative": scored.negative,
                "neutral": scored.neutral,
                "positive": scored.positive,
                "offensive": scored.offensive,
                "model": step.model,
            }
            for seq, scored in step.scored
        ],
    )


async def _write_minutes(connection: AsyncConnection, step: Step) -> None:
    sums: defaultdict[tuple[str, int], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for _, scored in step.scored:
        created_at = to_micros(scored.comment.created_at)
        entry = sums[scored.comment.kol_id, created_at - created_at % _MINUTE]
        entry[0] += 1
        entry[1] += scored.negative
        entry[2] += scored.positive
    if not sums:
        return
    statement = insert(connection, minutes)
    statement = statement.on_conflict_do_update(
        index_elements=["kol_id", "start"],
        set_={
            name: minutes.c[name] + statement.excluded[name]
            for name in ("comments", "negative", "positive")
        },
    )
    await connection.execute(
        statement,
        [
            {"kol_id": kol, "start": start, "comments": n, "negative": neg, "positive": pos}
            for (kol, start), (n, neg, pos) in sums.items()
        ],
    )


async def _write_minute_scores(connection: AsyncConnection, read: Sequence[MinuteScore]) -> None:
    if not read:
        return
    statement = insert(connection, minute_scores)
    statement = statement.on_conflict_do_update(
        index_elements=["kol_id", "start"],
        set_={column.name: statement.excluded[column.name] for column in minute_scores.c},
    )
    await connection.execute(statement, [to_row(minute_score) for minute_score in read])


async def _write_event(connection: AsyncConnection, event: AlertEvent) -> None:
    at = to_micros(event.at)
    evidence = event.evidence.to_dict()
    common = {
        "alert_id": event.alert_id,
        "kol_id": event.kol_id,
        "kind": event.kind,
        "severity": event.severity,
    }
    await connection.execute(
        alert_events.insert().values(**common, reason=event.reason, at=at, evidence=evidence)
    )
    resolved = event.reason == Reason.RESOLVED
    now_is: dict[str, Any] = {
        "severity": event.severity,
        "state": AlertState.RESOLVED if resolved else AlertState.OPEN,
        "updated_at": at,
        "resolved_at": at if resolved else None,
    }
    if not resolved:  # a resolved alert keeps the evidence of its height
        now_is["evidence"] = evidence
    await connection.execute(
        insert(connection, alerts)
        .values(**common | {"opened_at": at, "evidence": evidence} | now_is)
        .on_conflict_do_update(index_elements=["alert_id"], set_=now_is)
    )


async def _write_states(
    connection: AsyncConnection, states: Sequence[EngineState], step: int
) -> None:
    if not states:
        return
    statement = insert(connection, engine_states)
    statement = statement.on_conflict_do_update(
        index_elements=["kol_id"],
        set_={
            name: statement.excluded[name]
            for name in ("snapshot", "status", "last_created_at", "last_received_at", "step")
        },
    )
    await connection.execute(
        statement,
        [
            {
                "kol_id": state.kol_id,
                "snapshot": state.snapshot,
                "status": state.status,
                "last_created_at": to_micros(state.last_created_at),
                "last_received_at": to_micros(state.last_received_at),
                "step": step,
            }
            for state in states
        ],
    )
