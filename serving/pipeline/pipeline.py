"""The processing loop: log → score → monitor → commit.

A step takes the next comments of the log, scores them, passes them to the engine in log order and
commits everything that it derived in one transaction. The engine is in memory and its state is
committed with each step, so a process that is killed continues after its last commit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic

import structlog

from model.errors import ModelError
from monitoring.alerts import AlertEvent
from monitoring.checkpoints import Checkpoint
from monitoring.policy import Policy
from serving.clock import Clock
from serving.metrics import Metrics
from serving.pipeline.broadcast import Broadcast
from serving.pipeline.drivers import with_drivers
from serving.pipeline.fault_steps import holding, passing_over, without_policy
from serving.pipeline.faults import KolFailure, TakenUp
from serving.pipeline.judge import Judge
from serving.pipeline.live_engine import LiveEngine
from serving.pipeline.rerunner import Rerunner
from serving.pipeline.restorer import Restorer
from serving.pipeline.scoring import Scorer, score
from serving.pipeline.snapshots import SnapshotLimits, Snapshots
from serving.pipeline.step_loop import StepLoop
from serving.pipeline.step_report import report
from serving.storage.comment_log import CommentChange, CommentLog, LoggedComment
from serving.storage.comment_update import ChangeKind
from serving.storage.fault_store import FaultStore
from serving.storage.pipeline_step import (
    AppliedPolicy,
    EngineState,
    IdleMark,
    PipelineProgress,
    PipelineStep,
    RerunResult,
    SavedSnapshot,
)
from serving.storage.policy_store import PolicyChange, PolicyStore
from serving.storage.replay_store import ReplayStore
from serving.storage.rerun_store import NewestComment, RerunStore
from serving.storage.step_store import StepStore

_log = structlog.get_logger(__name__)
_RERUN_PART = 0.25  # of the time of steps
_MOST_SPARE = 1.0  # seconds
_SAVED_IDLE = 200  # snapshots in one step that does nothing else …
_SAVED_BESIDE = 32  # … and in one that has comments


class Pipeline(StepLoop):
    """Processes the log. One instance for a database."""

    def __init__(
        self,
        *,
        log: CommentLog,
        steps: StepStore,
        reruns: RerunStore,
        replays: ReplayStore,
        policies: PolicyStore,
        fault_store: FaultStore,
        scorer: Scorer,
        model_id: str,
        policy: Policy,
        clock: Clock,
        metrics: Metrics,
        written: Broadcast,
        batch_size: int,
        idle_after: timedelta,
        snapshots: SnapshotLimits,
    ) -> None:
        super().__init__(metrics, batch_size)
        self._log = log
        self._steps = steps
        self._policies = policies
        self._fault_store = fault_store
        self._scorer = scorer
        self._model_id = model_id
        self._clock = clock
        self.written = written
        self.live = LiveEngine(policy, idle_after=idle_after, started=clock.now())
        self._judge = Judge(log, self.faults, metrics)
        self._snapshots = Snapshots(snapshots)
        self._restorer = Restorer(
            steps=steps,
            replays=replays,
            policies=policies,
            reruns=reruns,
            snapshots=self._snapshots,
            metrics=metrics,
        )
        self._rerunner = Rerunner(reruns, self)
        self._may_have_changes = True  # of comments
        self._spare = 0.0  # seconds of steps that re-runs may follow
        self._taken_up = TakenUp.NOTHING
        self.progress = PipelineProgress()

    @property
    def saved_up_to(self) -> int:
        """Comments up to this place in the log are in the snapshots of their KOLs."""
        return self._snapshots.up_to(self.progress.place)

    def now(self) -> datetime:
        """The present instant."""
        return self._clock.now()

    def wake(self) -> None:
        """Say that comments, a change of one or of a policy were committed to the log."""
        self._rerunner.wake()
        self._may_have_changes = True
        self._arrived.set()

    async def start(self) -> None:
        """Restore the engine and begin.

        Raises:
            StoreError: the stored states cannot be read, or are not complete.
        """
        await self._steps.check()
        await super().start()

    async def _restore(self) -> None:
        """Bring the engine back to the last committed step."""
        self.progress = await self._steps.progress()
        restored = await self._restorer.restore(self.live, self.progress)
        self.live = restored.live
        held = [one.kol_id for one in await self._fault_store.held()]
        self.faults.restore(held, await self._fault_store.count_set_aside())
        self._rerunner.restart()
        for change, error in self.live.refused:
            await self._commit(without_policy(self._nothing(), change, error, self.now()))
        for failure, changed in restored.failed.values():
            step = holding(self._nothing(), failure, self.live, self.now())
            await self._commit(replace(step, changed=[changed]))
            self.faults.held.add(failure.kol_id)

    async def read_archived(self) -> None:
        """Learn which KOLs are archived."""
        self.live.presences.archived = await self._steps.archived()

    async def _save(self) -> None:
        unsaved = self._snapshots.unsaved()
        for start in range(0, len(unsaved), _SAVED_IDLE):
            await self._save_some(unsaved[start : start + _SAVED_IDLE])

    async def _save_some(self, kol_ids: list[str]) -> bool:
        """Write the snapshots of some KOLs; False if there are none."""
        if not kol_ids:
            return False
        saved = await self._snapshots.saved(self.live, kol_ids)
        await self._commit(replace(self._nothing(), saved=saved))
        return True

    async def _pass_over(self, error: Exception) -> bool:
        """Go on after the first comment, or change, that the last step took up."""
        nothing, log, policies = self._nothing(), self._log, self._policies
        step = await passing_over(self._taken_up, nothing, error, self, log, policies)
        if step is None:
            return False
        if step.set_aside is not None:
            # What is set aside of a change may not be taken for what was observed.
            saved = await self._saved([step.set_aside.kol_id])
            step = replace(step, saved=saved)
        await self._commit(step)
        return True

    async def _hold(self, failure: KolFailure) -> None:
        """Write that a KOL is held, and that it is to be judged again."""
        await self._commit(holding(self._nothing(), failure, self.live, self.now()))
        self.faults.held.add(failure.kol_id)
        self._rerunner.postpone(failure.kol_id)  # it may fail again at once

    def _nothing(self) -> PipelineStep:
        return PipelineStep(seq=self.progress.seq, model=self._model_id)

    async def _saved(self, kol_ids: Iterable[str]) -> list[SavedSnapshot]:
        """New snapshots of those of the KOLs that have one."""
        known = [kol_id for kol_id in kol_ids if self._snapshots.has(kol_id)]
        return await self._snapshots.saved(self.live, known)

    async def _model_works(self) -> bool:
        try:
            await self._scorer.predict(["good morning"])
        except ModelError:
            return False
        return True

    def _postpone_rerun(self, kol_id: str) -> None:
        self._rerunner.postpone(kol_id)

    async def step(self) -> bool:
        """Process the next part of the log; if there is none, judge again what has changed.

        Returns:
            False if there was nothing to do.

        Raises:
            Overloaded: the model has no room; the engine is untouched.
            ModelError: the model failed; the engine is untouched.
            StoreError: the database failed; the engine must be restored.
        """
        # Before the batch is read: it must hold what is taken for done here.
        self._taken_up = TakenUp.CHANGES
        has_changed = await self._change()
        self._taken_up = TakenUp.NOTHING
        with self._metrics.stage("read"):
            batch = await self._log.after(self.progress.seq, self.faults.limit)
            # Read after the batch: whatever precedes one of its comments is there by now.
            mark = await self._steps.next_mark(self.progress)
            change = await self._policies.following(self.progress.policy_change)
        if change is not None and (mark is None or change.precedes(mark.mark_id, mark.after_seq)):
            batch = [logged for logged in batch if logged.seq <= change.after_seq]
            if not batch:
                self._taken_up = TakenUp.POLICY
                return await self._apply(change)
        elif mark is not None:
            batch = [logged for logged in batch if logged.seq <= mark.after_seq]
            if not batch:
                return await self._advance([mark.mark], repeated_mark=mark.mark_id)
        if batch:
            started = monotonic()
            self._taken_up = TakenUp.COMMENTS
            await self._observe(batch)
            self._taken_up = TakenUp.NOTHING
            await self._rerun_beside(monotonic() - started)
            return True
        now = self._clock.now()
        marks = await self.live.idle_marks(now, self._steps)
        if await self._advance(marks, repeated_mark=None) or has_changed:
            return True
        if self.live.presences.is_due(now):
            return True
        if await self._save_some(self._snapshots.overdue(_SAVED_IDLE)):
            return True
        with self._metrics.stage("rerun"):
            return await self._rerunner.advance()

    async def _rerun_beside(self, seconds: float) -> None:
        """Let re-runs have a part of the time while comments keep coming, so that they end."""
        self._spare = min(self._spare + seconds * _RERUN_PART, _MOST_SPARE)
        while self._spare > 0.0:
            started = monotonic()
            with self._metrics.stage("rerun"):
                found = await self._rerunner.advance()
            self._spare = self._spare - (monotonic() - started) if found else 0.0

    async def _observe(self, batch: list[LoggedComment]) -> None:
        known = [logged for logged in batch if logged.judged]
        kept = {i: logged.kept for i, logged in enumerate(known) if logged.kept is not None}
        with self._metrics.stage("score"):
            comments = [logged.comment for logged in known]
            scored, predictions = await score(self._scorer, comments, kept)
        with self._metrics.stage("monitor"):
            judgement = await self._judge.observe(self.live, known, scored, self.progress.seq)
        touched = self._judged(Counter(item.comment.kol_id for item in scored))
        overdue = self._snapshots.overdue(_SAVED_BESIDE, without=touched)
        places = list(zip((logged.seq for logged in known), scored, strict=True))
        await self._commit(
            PipelineStep(
                seq=batch[-1].seq,
                model=self._model_id,
                received=batch,
                scored=places,
                changed=list(judgement.changed.values()),
                minute_scores=judgement.minute_scores,
                checkpoints=judgement.checkpoints,
                events=judgement.events,
                states=await self._states(touched),
                saved=await self._snapshots.saved(self.live, overdue),
            )
        )
        self._rerunner.succeeded(touched)
        for item, prediction in zip(scored, predictions, strict=True):
            self._metrics.show_scored(item.comment.kol_id, prediction)
        newest = max(logged.comment.created_at for logged in batch)
        self._metrics.event_time_lag.set((self._clock.now() - newest).total_seconds())

    async def _change(self) -> bool:
        """Take over changes of comments: score edited ones again, take removed ones out."""
        if not self._may_have_changes:
            return False
        changes = await self._log.changes_after(self.progress.comment_change, self.faults.limit)
        if not changes:
            self._may_have_changes = False
            return False
        # What has not been scored yet is scored as it is by then.
        processed = [change for change in changes if change.seq <= self.progress.seq]
        edited = {
            change.seq: change.comment for change in processed if change.kind is ChangeKind.EDITED
        }
        with self._metrics.stage("score"):
            scored, _ = await score(self._scorer, list(edited.values()))
        changed = self._judge.amend(self.live, scored)
        touched = {kol_id for kol_id in _kols_of(processed) if self._snapshots.has(kol_id)}
        held = sorted(touched & self.faults.held)
        await self._commit(
            PipelineStep(
                seq=self.progress.seq,
                model=self._model_id,
                rescored=list(zip(edited, scored, strict=True)),
                withdrawn=[change.seq for change in processed if change.kind is ChangeKind.REMOVED],
                comment_change=changes[-1].change_id,
                changed=changed,
                states=await self._states(self._judged(dict.fromkeys(touched, 0))),
                saved=await self._snapshots.saved(self.live, held),
            )
        )
        return True

    async def _apply(self, change: PolicyChange) -> bool:
        # What is replayed is replayed by the policy of the last step.
        applied = AppliedPolicy(change.change_id, self.live.set_policy(change))
        await self._commit(
            PipelineStep(
                seq=self.progress.seq,
                model=self._model_id,
                policy=applied,
                saved=await self._saved([change.kol_id]),
            )
        )
        _log.info(
            "policy_changed", kol=change.kol_id, by=change.actor, overrides=dict(change.overrides)
        )
        return True

    async def _advance(self, marks: list[IdleMark], *, repeated_mark: int | None) -> bool:
        judged = [mark for mark in marks if mark.kol_id not in self.faults.held]
        if not judged and repeated_mark is None:
            return False
        judgement = await self._judge.be_silent(self.live, judged, self.progress.seq)
        await self._commit(
            PipelineStep(
                seq=self.progress.seq,
                model=self._model_id,
                repeated_mark=repeated_mark,
                new_marks=judged if repeated_mark is None else (),
                minute_scores=judgement.minute_scores,
                checkpoints=judgement.checkpoints,
                events=judgement.events,
                states=await self._states(Counter(mark.kol_id for mark in judged)),
            )
        )
        self._rerunner.succeeded(mark.kol_id for mark in judged)
        return True

    def _judged(self, touched: Mapping[str, int]) -> dict[str, int]:
        """Without the KOLs that are held."""
        return {
            kol_id: count for kol_id, count in touched.items() if kol_id not in self.faults.held
        }

    async def _states(self, touched: Mapping[str, int]) -> list[EngineState]:
        """The states of the KOLs that a step touched, and how much it took of each."""
        return await self._snapshots.states(self.live, touched, self.progress.place)

    async def with_drivers(self, event: AlertEvent) -> AlertEvent:
        """The event with its drivers, under its derived id."""
        return await with_drivers(event, self._log, committed_seq=self.progress.seq)

    async def commit_rerun(
        self, result: RerunResult, checkpoints: Sequence[Checkpoint], newest: NewestComment | None
    ) -> None:
        """Commit what a re-run came to, with the state of its KOL."""
        kol_id = result.kol_id
        self.live.presences.after_rerun(kol_id, newest)
        await self._commit(
            PipelineStep(
                seq=self.progress.seq,
                model=self._model_id,
                checkpoints=checkpoints,
                rerun=result,
                states=[] if newest is None else await self._states({kol_id: 0}),
            )
        )
        if newest is None:
            self._snapshots.drop(kol_id)
        self.faults.judged_again(kol_id)

    async def _commit(self, step: PipelineStep) -> None:
        with self._metrics.stage("commit"):
            self.progress = await self._steps.commit(step, self.progress)
        if step.changed:
            self._rerunner.wake()
        report(step, self._metrics)
        self.written.notify()


def _kols_of(changes: Iterable[CommentChange]) -> list[str]:
    return [change.comment.kol_id for change in changes]
