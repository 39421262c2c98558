"""Commits what a step of the pipeline derived: whole, or not at all."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.checkpoints import SPACING
from monitoring.engine import KolStatus
from serving.errors import StoreError
from serving.storage.alert_rows import opened_at, write_events
from serving.storage.checkpoint_rows import write_checkpoints
from serving.storage.database import Database
from serving.storage.delay_recorder import DelayRecorder
from serving.storage.delay_rows import slowest_delays
from serving.storage.engine_state_rows import (
    read_state,
    read_states,
    save_snapshots,
    to_status,
    write_states,
)
from serving.storage.fault_store import hold, release, write_set_aside
from serving.storage.instants import from_micros, to_micros
from serving.storage.kol_store import archived_kols
from serving.storage.minute_score_rows import write_minute_scores
from serving.storage.outbox import Outbox, WrittenDelivery
from serving.storage.pipeline_step import (
    IdleMark,
    LoggedIdleMark,
    PipelineProgress,
    PipelineStep,
    StoredState,
)
from serving.storage.policy_store import settle
from serving.storage.rebuild import PIPELINE, REBUILT
from serving.storage.rerun_rows import add_reruns, write_rerun
from serving.storage.score_rows import add_to_minutes, rescore, withdraw, write_scores
from serving.storage.state_check import REMEDY, missing_state
from serving.storage.tables import (
    alert_events,
    alerts,
    checkpoints,
    comment_changes,
    engine_snapshots,
    engine_states,
    held_kols,
    idle_marks,
    minute_scores,
    minutes,
    progress,
    reruns,
    scores,
    set_aside,
    source_delays,
)
from serving.storage.upsert import insert

LATE_HORIZON = timedelta(days=7)


class StepStore:
    """The derived tables, written by the pipeline alone."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox | None = None,
        *,
        horizon: timedelta = LATE_HORIZON,
    ) -> None:
        """Prepare.

        Args:
            database: where to write.
            outbox: alert events are written to it in the step's transaction.
            horizon: how late comments may be without a KOL's whole history being judged again.
        """
        self._database = database
        self._outbox = outbox
        self._kept = horizon + SPACING * timedelta(minutes=1)
        self._delays = DelayRecorder()

    async def check(self) -> None:
        """Check that a pipeline can go on with what is stored.

        Raises:
            StoreError: something that belongs to it is missing; the message names the remedy.
        """
        async with self._database.read() as connection:
            if (problem := await missing_state(connection)) is not None:
                raise StoreError(f"{problem}; {REMEDY}")

    async def progress(self) -> PipelineProgress:
        """How far the last committed step came."""
        async with self._database.read() as connection:
            return await _progress(connection, PIPELINE)

    async def states(self, after: str, limit: int) -> list[StoredState]:
        """KOLs as the last committed step left them, in the order of their ids.

        Args:
            after: the id after which to begin; "" for the first.
            limit: most of them.

        Raises:
            StoreError: a state cannot be read, or its snapshot is missing.
        """
        async with self._database.read() as connection:
            return await read_states(connection, after, limit)

    async def state(self, kol_id: str) -> StoredState:
        """A KOL that was found by `states`, as the last committed step left it."""
        async with self._database.read() as connection:
            return await read_state(connection, kol_id)

    async def archived(self) -> frozenset[str]:
        """The KOLs that are archived; their silence is no data gap."""
        async with self._database.read() as connection:
            return await archived_kols(connection)

    async def statuses_after(self, step: int) -> list[KolStatus]:
        """Statuses of the KOLs that steps after `step` touched."""
        statement = select(engine_states.c.status).where(engine_states.c.step > step)
        async with self._database.read() as connection:
            return [to_status(row) for row in (await connection.execute(statement)).scalars()]

    async def next_mark(self, after: PipelineProgress) -> LoggedIdleMark | None:
        """The idle mark that follows in the log; None if it was the last."""
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
        mark = IdleMark(row.kol_id, from_micros(row.reached))
        return LoggedIdleMark(row.id, row.after_seq, mark)

    async def slowest_delays(self, kol_ids: Collection[str], now: datetime) -> dict[str, timedelta]:
        """How late comments on some KOLs normally arrive at most; without those not known."""
        async with self._database.read() as connection:
            return await slowest_delays(connection, kol_ids, now)

    async def commit(self, step: PipelineStep, before: PipelineProgress) -> PipelineProgress:
        """Write a step in one transaction.

        Args:
            step: what was derived.
            before: the progress it builds on.

        Returns:
            The progress after it.
        """
        async with self._database.write() as connection:
            await write_scores(connection, step.scored, step.model)
            removed = [logged.comment for logged in step.received if logged.removed]
            await add_to_minutes(connection, step.scored, removed)
            await rescore(connection, step.rescored, step.model)
            await withdraw(connection, step.withdrawn)
            await add_reruns(connection, step.changed)
            await self._delays.record(connection, step.received)
            await write_minute_scores(connection, step.minute_scores)
            if step.rerun is not None:
                await write_rerun(connection, step.rerun)
                await release(connection, step.rerun.kol_id)
            if step.held is not None:
                await hold(connection, step.held)
            if step.set_aside is not None:
                await write_set_aside(connection, step.set_aside)
            await write_checkpoints(connection, step.checkpoints, self._kept)
            await write_events(connection, step.events)
            recorded = await self._record(connection, step)
            mark = step.repeated_mark or before.mark
            if step.new_marks:
                rows = [
                    {"after_seq": step.seq, "kol_id": one.kol_id, "reached": to_micros(one.reached)}
                    for one in step.new_marks
                ]
                await connection.execute(idle_marks.insert(), rows)
                # Nobody else writes marks, and each got a greater id than the one before.
                mark = await connection.scalar(select(func.max(idle_marks.c.id))) or mark
            change = before.policy_change
            if (policy := step.policy) is not None:
                change = policy.change_id
                await settle(
                    connection, change, after_mark=before.mark, from_minute=policy.from_minute
                )
            comment_change = step.comment_change or before.comment_change
            after = PipelineProgress(step.seq, mark, before.step + 1, change, comment_change)
            await write_states(connection, step.states, after.step, after.place)
            await save_snapshots(connection, step.saved)
            row = asdict(after)
            await connection.execute(
                insert(connection, progress)
                .values(name=PIPELINE, **row)
                .on_conflict_do_update(index_elements=["name"], set_=row)
            )
        self._delays.confirm()
        if self._outbox is not None and recorded:
            self._outbox.committed(recorded)
        return after

    async def _record(
        self, connection: AsyncConnection, step: PipelineStep
    ) -> list[WrittenDelivery]:
        """Write a step's alert events to the outbox."""
        revised = () if step.rerun is None else step.rerun.alerts
        if self._outbox is None or not (step.events or revised):
            return []
        processed = await _progress(connection, REBUILT)
        rebuilt = step.repeated_mark is not None and step.repeated_mark <= processed.mark
        again = bool(step.scored) or step.rerun is not None
        rebuilt = rebuilt or (again and step.seq <= processed.seq)
        recorded = list[WrittenDelivery]()
        alert_ids = {event.alert_id for event in step.events}
        alert_ids |= {alert.alert_id for alert in revised}
        opened = await opened_at(connection, alert_ids)
        for event in step.events:
            recorded += await self._outbox.record(
                connection, event, opened_at=opened[event.alert_id], rebuilt=rebuilt
            )
        for alert in revised:
            for event in alert.news:
                recorded += await self._outbox.record(
                    connection,
                    event,
                    opened_at=opened[alert.alert_id],
                    rebuilt=rebuilt,
                    state=alert.state,
                    ended_at=alert.ended_at,
                )
        return recorded

    async def clear_derived(self) -> None:
        """Delete all that was derived, so that the pipeline computes it again from the log.

        The outbox stays, and so does how far the log had been processed: nobody is notified again.
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
                engine_snapshots,
                source_delays,
                checkpoints,
                reruns,
                held_kols,
                set_aside,
                progress,
            )
            for table in derived:
                await connection.execute(delete(table))
            await connection.execute(
                progress.insert().values(
                    name=REBUILT,
                    seq=max(one.seq for one in former),
                    mark=max(one.mark for one in former),
                    step=0,
                )
            )
            # The log holds every comment as it was last changed.
            last = await connection.scalar(select(func.max(comment_changes.c.change_id)))
            await connection.execute(
                progress.insert().values(
                    name=PIPELINE, seq=0, mark=0, step=0, comment_change=last or 0
                )
            )


async def _progress(connection: AsyncConnection, name: str) -> PipelineProgress:
    row = (await connection.execute(select(progress).where(progress.c.name == name))).one_or_none()
    return (
        PipelineProgress(row.seq, row.mark, row.step, row.policy_change, row.comment_change)
        if row
        else PipelineProgress()
    )
