"""Judges KOLs again whose closed minutes have changed, a slice at a time."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Protocol

import structlog

from monitoring.alerts import AlertEvent
from monitoring.checkpoints import Checkpoint
from monitoring.errors import SnapshotError
from monitoring.event_time import minute_of, moment_of
from monitoring.matching import compare
from monitoring.rerun import Rerun
from serving.pipeline.faults import KolFailure, judging
from serving.pipeline.live_engine import LiveEngine
from serving.pipeline.recount import WindowReader
from serving.storage.pipeline_step import ChangedMinutes, PipelineProgress, RerunResult
from serving.storage.rerun_store import NewestComment, PendingRerun, RerunStore

_log = structlog.get_logger(__name__)
_FIRST_PAUSE, _LAST_PAUSE = 30.0, 3600.0  # seconds until a KOL whose re-run failed has another
_OPEN_COMMENTS = 100_000  # most comments of open minutes; the lateness is a few minutes
_EVERY_MINUTE = 2**31  # a minute after all others, in the year 6053


class RerunHost(Protocol):
    """What a re-run needs of the pipeline."""

    @property
    def live(self) -> LiveEngine:
        """Every KOL, as the last step left it."""
        ...

    @property
    def progress(self) -> PipelineProgress:
        """How far the log has been processed."""
        ...

    def now(self) -> datetime:
        """The present instant."""
        ...

    async def with_drivers(self, event: AlertEvent) -> AlertEvent:
        """The event with its drivers, under its derived id."""
        ...

    async def commit_rerun(
        self, result: RerunResult, checkpoints: Sequence[Checkpoint], newest: NewestComment | None
    ) -> None:
        """Commit what a re-run came to, with the state of its KOL."""
        ...


class Rerunner:
    """The re-runs of one pipeline, one KOL after another.

    A re-run reads a KOL's windows from the checkpoint before the first change on and judges them
    beside the engine, which goes on with the KOL as it knows it. Once it has come to the last
    closed minute, the engine takes over its state, and the alerts that it derives replace the
    stored ones, all in one transaction.
    """

    def __init__(self, store: RerunStore, host: RerunHost) -> None:
        self._store = store
        self._host = host
        self._running: AsyncIterator[None] | None = None
        self._wanted = True
        self._kol_id = ""
        self._postponed: dict[str, float] = {}  # until when
        self._pauses: dict[str, float] = {}  # the last one of each, seconds

    def restart(self) -> None:
        """Drop what was under way, because the engine was restored; it is asked for again."""
        self._running, self._wanted = None, True

    def wake(self) -> None:
        """Say that closed minutes have changed."""
        self._wanted = True

    async def advance(self) -> bool:
        """Do one slice; False if nothing is to be judged again.

        Raises:
            StoreError: the database failed; the engine must be restored.
            KolFailure: it failed in an unexpected way; the same.
        """
        if self._running is None:
            if not self._wanted and not self._is_due():
                return False
            pending = await self._store.next(without=self._not_yet())
            if pending is None:
                self._wanted = False
                return False
            self._kol_id = pending.changed.kol_id
            self._running = self._rerun(pending)
        try:
            with judging(self._kol_id, in_rerun=True):
                await self._slice(self._running)
        except KolFailure:
            self._running = None
            raise
        return True

    async def _slice(self, running: AsyncIterator[None]) -> None:
        try:
            await anext(running)
        except StopAsyncIteration:
            self._running = None
            self._postponed.pop(self._kol_id, None)

    def postpone(self, kol_id: str) -> None:
        """Judge a KOL again later, after the others: it failed in an unexpected way.

        Each pause is twice as long as the one before, until `succeeded`. A re-run that succeeds
        does not end that: what failed live may fail again as soon as the KOL is held no more.
        """
        pause = min(2 * self._pauses.get(kol_id, _FIRST_PAUSE / 2), _LAST_PAUSE)
        self._postponed[kol_id], self._pauses[kol_id] = monotonic() + pause, pause
        self._wanted = True

    def succeeded(self, kol_ids: Iterable[str]) -> None:
        """Comments or silences of KOLs were judged live; pauses after them are short again."""
        if self._pauses:
            for kol_id in kol_ids:
                self._pauses.pop(kol_id, None)

    def _not_yet(self) -> list[str]:
        """The KOLs that are to be judged again later."""
        now = monotonic()
        return [kol_id for kol_id, due in self._postponed.items() if due > now]

    def _is_due(self) -> bool:
        """Whether the time of a KOL has come that was postponed."""
        return len(self._not_yet()) < len(self._postponed)

    async def _rerun(self, pending: PendingRerun) -> AsyncIterator[None]:
        host, kol_id = self._host, pending.changed.kol_id
        newest = await self._store.newest(kol_id, host.progress.seq)
        if newest is None:
            host.live.engine.reset(kol_id)
            result = RerunResult(kol_id, pending.up_to_id, empty=True)
            await host.commit_rerun(result, [], None)
            return
        changed = self._reach(newest, pending.changed)
        checkpoint = await self._store.checkpoint_up_to(kol_id, changed.first)
        policies = host.live.policies(kol_id)
        try:
            run = Rerun(kol_id, policies, checkpoint)
        except SnapshotError as error:
            # Its windows are stored, so the KOL can be judged again from its beginning instead.
            _log.warning("checkpoint_unreadable", kol=kol_id, error=str(error))
            checkpoint = None
            run = Rerun(kol_id, policies, checkpoint)
        since = -1 if checkpoint is None else checkpoint.minute
        # Up to the last window before the change all is stored that happened. What happens after
        # it, such as the end of its hour, is noticed with the next window, which may be the changed
        # one.
        unchanged = moment_of(max(since, 0))
        reader = WindowReader(
            self._store,
            changed,
            max(since, 0),
            closed_until=lambda: host.live.engine.closed_until(kol_id),
            up_to_seq=lambda: host.progress.seq,
        )
        raised, events, checkpoints = list[AlertEvent](), list[AlertEvent](), list[Checkpoint]()
        while True:
            # Steps may run at every `yield`; from the last one to the commit none does.
            if (batch := await reader.next()) is not None:
                judged = [run.take(window) for window in batch.windows]
                for window, one in zip(batch.windows, judged, strict=True):
                    if minute_of(window.start) < changed.first:
                        unchanged = window.start
                        raised.clear()
                    raised += [event for event in one.events if event.at > unchanged]
                checkpoints += [one.checkpoint for one in judged if one.checkpoint is not None]
                if batch.until > changed.first:
                    scores = [one.minute_score for one in judged]
                    await self._store.replace_minute_scores(
                        kol_id, batch.since, batch.until, scores
                    )
            elif raised:
                events.append(await host.with_drivers(raised.pop(0)))
            else:
                break
            yield
        closed_until = host.live.engine.closed_until(kol_id)
        silent_until = await self._store.silent_until(kol_id, host.progress.mark)
        for event in run.finish(closed_until, silent_until):
            events.append(await host.with_drivers(event))
        host.live.engine.adopt(run.pipeline, reader.texts)
        if changed.last >= closed_until:
            host.live.engine.reopen(
                kol_id,
                await self._store.comments(
                    kol_id,
                    closed_until,
                    _EVERY_MINUTE,
                    up_to_seq=host.progress.seq,
                    limit=_OPEN_COMMENTS,
                ),
            )
        wanted = {host.live.known_id(event.alert_id) for event in events}
        stored = await self._store.timelines(kol_id, minute_of(unchanged), wanted)
        alerts, ids = compare(stored, events, host.live.known_as, unchanged, host.now())
        host.live.known_as |= ids
        await host.commit_rerun(
            RerunResult(kol_id, pending.up_to_id, since, alerts, ids), checkpoints, newest
        )
        _log.info(
            "judged_again",
            kol=kol_id,
            since=moment_of(changed.first).isoformat(),
            alerts_changed=len(alerts),
        )

    def _reach(self, newest: NewestComment, changed: ChangedMinutes) -> ChangedMinutes:
        """Have the engine know the KOL as far as its comments reach.

        It does, unless comments were given to the KOL by a merge: then every minute is counted.
        """
        reached = min(newest.created_at, newest.received_at)
        if self._host.live.engine.reach(changed.kol_id, reached):
            return replace(changed, last=_EVERY_MINUTE)
        return changed
