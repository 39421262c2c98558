"""The processing loop: log → score → monitor → commit.

A step takes the next comments of the log, scores them, passes them to the engine in log order and
commits everything that it derived in one transaction. The engine is in memory and its state is
committed with each step, so a process that is killed continues after its last commit.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from model.errors import ModelError, Overloaded
from model.types import Prediction
from monitoring.alerts import AlertEvent
from monitoring.engine import Engine, Observation
from monitoring.errors import SnapshotError
from monitoring.events import ScoredComment
from monitoring.minute_score import MinuteScore
from monitoring.monitors import gap
from monitoring.policy import Policy
from serving.clock import Clock
from serving.errors import StoreError
from serving.metrics import Metrics
from serving.pipeline.broadcast import Broadcast
from serving.pipeline.drivers import with_drivers
from serving.storage.comment_log import CommentLog, LoggedComment
from serving.storage.pipeline_step import EngineState, IdleMark, PipelineProgress, PipelineStep
from serving.storage.policy_store import PolicyChange, PolicyStore, effective
from serving.storage.step_store import StepStore

_log = structlog.get_logger(__name__)
_MINUTE = timedelta(minutes=1)
_LIVE = timedelta(hours=1)
_TICK = 5.0
_FIRST_BACKOFF, _LAST_BACKOFF = 0.5, 30.0


class Scorer(Protocol):
    """What the pipeline needs of the model."""

    async def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction a text.

        Raises:
            Overloaded: too many texts wait already.
            ModelError: the model failed.
        """
        ...


@dataclass(slots=True)
class _Presence:
    """When the latest comment on a KOL came: by the clock, and in event time.

    Attributes:
        received_at: when its latest comment was committed.
        created_at: event time of its latest comment.
        advanced_to: event time declared to have been reached since; None before the first mark.
        gap_due: event time at which its silence is a data gap; None if it never is.
    """

    received_at: datetime
    created_at: datetime
    advanced_to: datetime | None = None
    gap_due: datetime | None = None


class Pipeline:
    """Processes the log. One instance for a database."""

    def __init__(
        self,
        *,
        log: CommentLog,
        steps: StepStore,
        policies: PolicyStore,
        scorer: Scorer,
        model_id: str,
        policy: Policy,
        clock: Clock,
        metrics: Metrics,
        written: Broadcast,
        batch_size: int,
        idle_after: timedelta,
    ) -> None:
        self._log = log
        self._steps = steps
        self._policies = policies
        self._scorer = scorer
        self._model_id = model_id
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self.written = written
        self._batch_size = batch_size
        self._idle_after = idle_after
        self._engine = Engine(policy)
        self._presence: dict[str, _Presence] = {}
        self._changes: defaultdict[str, list[PolicyChange]] = defaultdict(list)
        self._started = clock.now()
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._healthy = False
        self._must_restore = True
        self.progress = PipelineProgress()

    @property
    def alive(self) -> bool:
        """Whether the loop runs and its last step succeeded."""
        return self._task is not None and not self._task.done() and self._healthy

    def wake(self) -> None:
        """Say that comments, or a policy change, were committed to the log."""
        self._arrived.set()

    async def start(self) -> None:
        """Restore the engine and begin.

        Raises:
            StoreError: the stored states cannot be read.
        """
        await self._restore()
        self._task = asyncio.create_task(self._run(), name="pipeline")

    async def stop(self) -> None:
        """Stop; a step that was under way is repeated after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _restore(self) -> None:
        """Bring the engine back to the last committed step."""
        self._engine = Engine(self._policy)
        self._presence = {}
        self._changes.clear()
        self.progress = await self._steps.progress()
        for change in await self._policies.up_to(self.progress.policy_change):
            self._set_policy(change)
        for state in await self._steps.states():
            try:
                self._engine.restore(state.kol_id, state.snapshot)
            except SnapshotError as error:
                raise StoreError(
                    f"the state of KOL {state.kol_id!r} cannot be read: {error}; "
                    "'groundswell db rebuild' computes every state again from the log"
                ) from error
            self._presence[state.kol_id] = _Presence(state.last_received_at, state.last_created_at)
            self._metrics.show(state.status)
        self._must_restore = False
        self._healthy = True

    async def _run(self) -> None:
        backoff = _FIRST_BACKOFF
        try:
            while True:
                try:
                    if self._must_restore:
                        await self._restore()
                    processed = await self.step()
                except Overloaded as error:
                    await asyncio.sleep(error.retry_after)
                except (StoreError, ModelError) as error:
                    self._healthy = False
                    _log.error("step_failed", error=str(error), code=error.code, retry_in=backoff)
                    await asyncio.sleep(backoff)
                    backoff = min(2 * backoff, _LAST_BACKOFF)
                    # A model error leaves the engine untouched.
                    self._must_restore |= isinstance(error, StoreError)
                else:
                    self._healthy = True
                    backoff = _FIRST_BACKOFF
                    if not processed:
                        await self._rest()
        except Exception:
            _log.exception("pipeline_died")
            raise

    async def _rest(self) -> None:
        """Sleep until comments arrive, or until it is time to look for silent KOLs."""
        try:
            async with asyncio.timeout(_TICK):
                await self._arrived.wait()
        except TimeoutError:
            pass
        self._arrived.clear()

    async def step(self) -> bool:
        """Process the next part of the log.

        Returns:
            False if there was nothing to do.

        Raises:
            Overloaded: the model has no room; the engine is untouched.
            ModelError: the model failed; the engine is untouched.
            StoreError: the database failed; the engine must be restored.
        """
        with self._metrics.stage("read"):
            batch = await self._log.after(self.progress.seq, self._batch_size)
            # Read after the batch: whatever precedes one of its comments is there by now.
            mark = await self._steps.next_mark(self.progress)
            change = await self._policies.following(self.progress.policy_change)
        if change is not None and (mark is None or change.precedes(mark.mark_id, mark.after_seq)):
            batch = [logged for logged in batch if logged.seq <= change.after_seq]
            if not batch:
                return await self._apply(change)
        elif mark is not None:
            batch = [logged for logged in batch if logged.seq <= mark.after_seq]
            if not batch:
                return await self._advance([mark.mark], repeated_mark=mark.mark_id)
        if batch:
            return await self._observe(batch)
        return await self._advance(self._idle_marks(), repeated_mark=None)

    async def _observe(self, batch: list[LoggedComment]) -> bool:
        with self._metrics.stage("score"):
            predictions = await self._scorer.predict([logged.comment.text for logged in batch])
        scored = [
            ScoredComment(logged.comment, p.negative, p.neutral, p.positive, p.offensive)
            for logged, p in zip(batch, predictions, strict=True)
        ]
        events: list[AlertEvent] = []
        minute_scores: list[MinuteScore] = []
        with self._metrics.stage("monitor"):
            for index, item in enumerate(scored):
                self._remember(batch[index])
                observation = self._engine.observe(item)
                self._count_late(item.comment.kol_id, observation)
                minute_scores += observation.minute_scores
                events += await self._explained(observation.events, scored[: index + 1])
        touched = {item.comment.kol_id for item in scored}
        await self._commit(
            PipelineStep(
                seq=batch[-1].seq,
                model=self._model_id,
                received=batch,
                scored=[(logged.seq, item) for logged, item in zip(batch, scored, strict=True)],
                minute_scores=minute_scores,
                events=events,
                states=[self._state(kol_id) for kol_id in sorted(touched)],
            )
        )
        for item, prediction in zip(scored, predictions, strict=True):
            self._metrics.show_scored(item.comment.kol_id, prediction)
        newest = max(logged.comment.created_at for logged in batch)
        self._metrics.event_time_lag.set((self._clock.now() - newest).total_seconds())
        return True

    async def _apply(self, change: PolicyChange) -> bool:
        self._set_policy(change)
        await self._commit(
            PipelineStep(
                seq=self.progress.seq, model=self._model_id, policy_change=change.change_id
            )
        )
        _log.info(
            "policy_changed", kol=change.kol_id, by=change.actor, overrides=dict(change.overrides)
        )
        return True

    def _set_policy(self, change: PolicyChange) -> None:
        """Apply a change of policy to its KOL from here on."""
        changes = self._changes[change.kol_id]
        changes.append(change)
        self._engine.set_policy(change.kol_id, effective(self._policy, changes))

    async def _advance(self, marks: list[IdleMark], *, repeated_mark: int | None) -> bool:
        if not marks:
            return False
        events: list[AlertEvent] = []
        minute_scores: list[MinuteScore] = []
        for mark in marks:
            observation = self._engine.silence(mark.kol_id, mark.reached)
            minute_scores += observation.minute_scores
            events += await self._explained(observation.events, [])
            if (presence := self._presence.get(mark.kol_id)) is not None:
                presence.advanced_to = mark.reached
                presence.gap_due = self._engine.gap_due(mark.kol_id)
        await self._commit(
            PipelineStep(
                seq=self.progress.seq,
                model=self._model_id,
                repeated_mark=repeated_mark,
                new_marks=marks if repeated_mark is None else (),
                minute_scores=minute_scores,
                events=events,
                states=[self._state(mark.kol_id) for mark in marks],
            )
        )
        return True

    async def _explained(
        self, events: list[AlertEvent], ahead: list[ScoredComment]
    ) -> list[AlertEvent]:
        return [
            await with_drivers(event, self._log, committed_seq=self.progress.seq, ahead=ahead)
            for event in events
        ]

    async def _commit(self, step: PipelineStep) -> None:
        with self._metrics.stage("commit"):
            self.progress = await self._steps.commit(step, self.progress)
        for state in step.states:
            self._metrics.show(state.status)
        for event in step.events:
            self._metrics.alert_events.labels(event.kind, event.severity, event.reason).inc()
            _log.info(
                "alert_" + event.reason,
                kol=event.kol_id,
                alert=event.alert_id,
                severity=event.severity,
                at=event.at.isoformat(),
                summary=event.evidence.summary,
            )
        self.written.notify()

    def _remember(self, logged: LoggedComment) -> None:
        kol_id, created_at = logged.comment.kol_id, logged.comment.created_at
        before = self._presence.get(kol_id)
        latest = created_at if before is None else max(before.created_at, created_at)
        self._presence[kol_id] = _Presence(logged.received_at, latest)

    def _state(self, kol_id: str) -> EngineState:
        presence = self._presence[kol_id]
        return EngineState(
            kol_id=kol_id,
            snapshot=self._engine.snapshot(kol_id),
            status=self._engine.status(kol_id),
            last_created_at=presence.created_at,
            last_received_at=presence.received_at,
        )

    def _count_late(self, kol_id: str, observation: Observation) -> None:
        if observation.late:
            self._metrics.late.labels(self._metrics.kol(kol_id)).inc()

    def _idle_marks(self) -> list[IdleMark]:
        """Idle marks for the KOLs whose silence changes something.

        After `idle_after` without a comment, a KOL's event time is assumed to go on by the clock:
        as far as closes its last minute, and as far as its silence is a data gap; without end while
        it has an open alert on what the crowd says. That is so for live streams only: when old
        comments are sent later, a pause of the sender says nothing about the crowd. A pause of the
        service says nothing either: after a start, senders get time to send what they kept, before
        a silence ends an alert or is a gap.
        """
        now = self._clock.now()
        listening = now - self._started >= self._policy.gap_least
        alerted = {alert.kol_id for alert in self._engine.alerts() if alert.kind != gap.KIND}
        marks = []
        for kol_id, presence in self._presence.items():
            silence = now - presence.received_at
            live = presence.received_at - presence.created_at <= _LIVE
            if not live or silence < self._idle_after:
                continue
            reached = presence.created_at + silence
            if kol_id not in alerted or not listening:
                due = presence.gap_due if listening else None
                settled = presence.created_at + _MINUTE + self._policy.lateness
                reached = due if due is not None and due <= reached else min(reached, settled)
            reached = reached.replace(second=0, microsecond=0)
            if reached > (presence.advanced_to or presence.created_at):
                marks.append(IdleMark(kol_id, reached))
        return marks
