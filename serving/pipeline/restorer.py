"""Brings the engine back to the last committed step: its snapshots, and the log after them."""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from time import monotonic

import structlog

from serving.collector import collector_off, keep
from serving.metrics import Metrics
from serving.pipeline.faults import KolFailure
from serving.pipeline.live_engine import LiveEngine
from serving.pipeline.snapshots import Snapshots
from serving.slices import Slices
from serving.storage.comment_update import FormerCount
from serving.storage.pipeline_step import (
    ChangedMinutes,
    LoggedIdleMark,
    LogPlace,
    PipelineProgress,
    add_minute,
)
from serving.storage.policy_store import PolicyStore
from serving.storage.replay_store import ReplayedComment, ReplayStore
from serving.storage.rerun_store import RerunStore
from serving.storage.step_store import StepStore

_logger = structlog.get_logger(__name__)
_STATES = 100  # read at once
_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class _Tail:
    """The part of the log that is replayed for a KOL."""

    after: LogPlace
    up_to: LogPlace

    def holds(self, entry: ReplayedComment | LoggedIdleMark) -> bool:
        if isinstance(entry, ReplayedComment):
            return self.after.seq < entry.seq <= self.up_to.seq
        return self.after.mark < entry.mark_id <= self.up_to.mark


@dataclass(frozen=True, slots=True)
class RestoredEngine:
    """The engine after the last committed step.

    Attributes:
        live: every KOL.
        failed: KOLs whose log could not be replayed, why, and which minutes are to be judged again;
            they are as their snapshots left them.
    """

    live: LiveEngine
    failed: dict[str, tuple[KolFailure, ChangedMinutes]]


class Restorer:
    """Reads what the pipeline goes on with, in small parts."""

    def __init__(
        self,
        *,
        steps: StepStore,
        replays: ReplayStore,
        policies: PolicyStore,
        reruns: RerunStore,
        snapshots: Snapshots,
        metrics: Metrics,
    ) -> None:
        self._steps = steps
        self._replays = replays
        self._policies = policies
        self._reruns = reruns
        self._snapshots = snapshots
        self._metrics = metrics

    async def restore(self, former: LiveEngine, progress: PipelineProgress) -> RestoredEngine:
        """An engine as `progress` left it.

        Args:
            former: an engine for the same policies; it is left as it is.
            progress: the last committed step.

        Raises:
            StoreError: the database failed, or a state cannot be read.
        """
        started = monotonic()
        live = former.emptied(
            await self._policies.up_to(progress.policy_change), await self._reruns.alert_ids()
        )
        live.presences.archived = await self._steps.archived()
        self._snapshots.clear()
        tails: dict[str, _Tail] = {}
        with collector_off():
            keep(await self._read(live, tails))
        restored = RestoredEngine(live, {})
        if tails:
            entries = await self._replay(restored, tails, progress)
            seconds = round(monotonic() - started, 1)
            _logger.info("log_replayed", kols=len(tails), entries=entries, seconds=seconds)
        return restored

    async def _read(self, live: LiveEngine, tails: dict[str, _Tail]) -> int:
        """Read every stored state; returns how many there are."""
        slices, last, count = Slices(), "", 0
        while states := await self._steps.states(last, _STATES):
            for state in states:
                live.restore(state)
                self._snapshots.found(state)
                self._metrics.show(state.status)
                if state.replay_after != state.replay_up_to:
                    tails[state.kol_id] = _Tail(state.replay_after, state.replay_up_to)
                await slices.pause()
            last = states[-1].kol_id
            count += len(states)
        return count

    async def _replay(
        self, restored: RestoredEngine, tails: dict[str, _Tail], progress: PipelineProgress
    ) -> int:
        """Have the engine take again what it took after its snapshots; returns how much it was.

        What it says to that was committed when it said it first.
        """
        after = LogPlace(
            min(tail.after.seq for tail in tails.values()),
            min(tail.after.mark for tail in tails.values()),
        )
        former = await self._replays.former(after, progress.comment_change)
        count, slices = 0, Slices()
        failures: dict[str, KolFailure] = {}
        changed: dict[str, ChangedMinutes] = {}
        async for entry in self._entries(after, progress.place):
            await slices.pause()
            kol_id = _kol_of(entry)
            if kol_id not in tails or not tails[kol_id].holds(entry):
                continue
            count += 1
            if isinstance(entry, ReplayedComment):
                add_minute(changed, entry.scored.comment)
            if kol_id in failures:
                continue
            try:
                _take(restored.live, entry, former)
            except Exception as error:
                _logger.exception("replay_failed", kol=kol_id, error=str(error))
                failures[kol_id] = KolFailure(kol_id, error)
                restored.live.restore(await self._steps.state(kol_id))
        for kol_id, failure in failures.items():
            minute = restored.live.engine.closed_until(kol_id)
            minutes = changed.get(kol_id, ChangedMinutes(kol_id, minute, minute))
            restored.failed[kol_id] = failure, minutes
        return count

    async def _entries(
        self, after: LogPlace, up_to: LogPlace
    ) -> AsyncIterator[ReplayedComment | LoggedIdleMark]:
        """Comments and idle marks between two places of the log, as they were processed."""
        marks = deque(await self._replays.marks(after.mark, up_to.mark, _ENTRIES))
        seq = after.seq
        while comments := await self._replays.comments(seq, up_to.seq, _ENTRIES):
            for comment in comments:
                while marks and marks[0].after_seq < comment.seq:
                    yield marks[0]
                    await self._next(marks, up_to)
                yield comment
            seq = comments[-1].seq
        while marks:
            yield marks[0]
            await self._next(marks, up_to)

    async def _next(self, marks: deque[LoggedIdleMark], up_to: LogPlace) -> None:
        """Go on to the next mark."""
        last = marks.popleft()
        if not marks:
            marks.extend(await self._replays.marks(last.mark_id, up_to.mark, _ENTRIES))


def _kol_of(entry: ReplayedComment | LoggedIdleMark) -> str:
    if isinstance(entry, ReplayedComment):
        return entry.scored.comment.kol_id
    return entry.mark.kol_id


def _take(
    live: LiveEngine, entry: ReplayedComment | LoggedIdleMark, former: dict[int, FormerCount]
) -> None:
    if isinstance(entry, LoggedIdleMark):
        live.engine.silence(entry.mark.kol_id, entry.mark.reached)
        return
    scored = entry.scored
    if (count := former.get(entry.seq)) is not None:
        scored = replace(scored, comment=count.of(scored.comment))
    live.engine.observe(scored, entry.received_at)
