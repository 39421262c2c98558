"""Runs all sources beside each other: what is stored is what runs."""

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

import structlog

from serving.clock import Clock
from serving.errors import NotFound, ServingError
from serving.metrics import Metrics
from serving.sources.backoff import Backoff
from serving.sources.committer import SourceCommitter
from serving.sources.faults import SourceFault, UnverifiedRequest
from serving.sources.outage_tracker import OutageTracker
from serving.sources.runner import SourceRunner
from serving.sources.source import WebhookAnswer, WebhookReceiver, WebhookRequest
from serving.sources.source_builder import BuiltSource, SourceBuilder
from serving.sources.source_metrics import SourceMetrics
from serving.sources.source_status import SourceState, SourceStatus
from serving.storage.outage_store import OutageStore
from serving.storage.source_record import SourceRecord
from serving.storage.source_store import SourceStore

_logger = structlog.get_logger(__name__)
_POLL = 5.0  # seconds between two looks at what is stored
_CLOSING = 5.0  # seconds that a source may take to close its connections
_NO_WEBHOOK = "there is no such address"


@dataclass(slots=True)
class RunningSource:
    """A source that is to run.

    Attributes:
        record: as it was when it was started.
        tracker: whether it is blind.
        backoff: after it could not be built or ended.
        built: what asks the platform; None while it could not be built.
        runner: runs it.
        task: of the runner.
        retry_at: when it is built again, on the monotonic clock.
    """

    record: SourceRecord
    tracker: OutageTracker
    backoff: Backoff = field(default_factory=lambda: Backoff(first=5.0, longest=60.0))
    built: BuiltSource | None = None
    runner: SourceRunner | None = None
    task: asyncio.Task[None] | None = None
    retry_at: float = 0.0


class SourceSupervisor:
    """Starts, stops and restarts sources; one never blocks another.

    What is stored is looked at every few seconds, so that changes by anybody are followed: a KOL
    that was renamed, a source that was paused.
    """

    def __init__(
        self,
        *,
        store: SourceStore,
        outages: OutageStore,
        builder: SourceBuilder,
        committer: SourceCommitter,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """Nothing runs before `start`.

        Args:
            store: the sources.
            outages: when they saw nothing.
            builder: makes them.
            committer: takes what they bring.
            clock: for times.
            metrics: counts unexpected exceptions.
        """
        self._store = store
        self._outages = outages
        self._builder = builder
        self._committer = committer
        self._clock = clock
        self._metrics = metrics
        self.source_metrics = SourceMetrics(metrics.registry)
        self._running: dict[str, RunningSource] = {}
        self._records: dict[str, SourceRecord] = {}
        self._looking = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether sources are looked after."""
        return self._task is not None and not self._task.done()

    async def start(self) -> None:
        """Start every source that is not paused."""
        await self.look()
        self._task = asyncio.create_task(self._run(), name="sources")

    async def stop(self) -> None:
        """Stop every source; each goes on from its cursor after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(self._end(one) for one in self._running.values()))
        self._running.clear()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_POLL)
            try:
                await self.look()
            except ServingError as error:
                _logger.warning("sources_not_looked_at", error=str(error))
            except Exception:
                _logger.exception("sources_not_looked_at")
                self._metrics.worker_errors.labels("sources").inc()

    async def look(self) -> None:
        """Make what runs what is stored.

        Raises:
            StoreError: the database refused.
        """
        async with self._looking:
            self._records = {one.source_id: one for one in await self._store.all()}
            wanted = {key: one for key, one in self._records.items() if one.paused_at is None}
            for source_id, running in list(self._running.items()):
                if not is_same(running.record, wanted.get(source_id)):
                    del self._running[source_id]
                    await self._end(running)
                    if source_id not in wanted:  # nobody waits for it any more
                        await running.tracker.end(self._clock.now())
            for source_id, record in wanted.items():
                if source_id not in self._running:
                    tracker = OutageTracker(record, self._outages)
                    self._running[source_id] = RunningSource(record, tracker)
                    self.source_metrics.count_from_zero(record.name, record.platform)
                await self._keep_up(self._running[source_id])

    async def _keep_up(self, running: RunningSource) -> None:
        """Start a source that does not run."""
        if running.task is not None:
            if not running.task.done():
                return
            error = None if running.task.cancelled() else running.task.exception()
            _logger.error("source_ended", source=running.record.name, exc_info=error)
            self._metrics.worker_errors.labels("source").inc()
            await self._end(running)
            running.retry_at = monotonic() + running.backoff.fail()
        if monotonic() < running.retry_at:
            return
        record = running.record
        try:
            # Its cursor moved since it was started the last time.
            record = await self._store.get(record.source_id)
            running.built = await self._builder.build(record)
        except ServingError as error:
            fault = error if isinstance(error, SourceFault) else SourceFault(str(error))
            await self._not_built(running, fault)
        except Exception:
            _logger.exception("source_not_built", source=record.name)
            self._metrics.worker_errors.labels("source").inc()
            await self._not_built(running, SourceFault("an unexpected error; see the log"))
        else:
            running.tracker.failures.pop("build", None)
            running.runner = SourceRunner(
                record,
                running.built.source,
                self._committer,
                running.tracker,
                self._clock,
                self._metrics,
                self.source_metrics,
                running.built.hide,
            )
            running.task = asyncio.create_task(running.runner.run(), name=f"source-{record.name}")

    async def _not_built(self, running: RunningSource, fault: SourceFault) -> None:
        running.retry_at = monotonic() + running.backoff.fail()
        record = running.record
        self.source_metrics.errors.labels(record.name, record.platform, fault.kind.value).inc()
        await running.tracker.failed("build", fault, self._clock.now())

    async def _end(self, running: RunningSource) -> None:
        """Stop the work of a source and close its connections, within some seconds."""
        task, built = running.task, running.built
        running.task = running.runner = running.built = None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if built is not None:
            try:
                async with asyncio.timeout(_CLOSING):
                    await built.close()
            except Exception as error:  # noqa: BLE001 - it is gone in any case
                _logger.warning(
                    "source_not_closed", source=running.record.name, error=type(error).__name__
                )

    def wake(self, source_id: str) -> None:
        """Have a source ask its platform at once, if it runs."""
        running = self._running.get(source_id)
        if running is not None and running.runner is not None:
            running.runner.wake()

    async def receive(self, token: str, request: WebhookRequest) -> WebhookAnswer:
        """Take a call to a public address.

        Raises:
            NotFound: there is no such webhook, or the call is not its platform's; both look alike.
            BadAnswer: the call is the platform's, but cannot be read.
            TooBusy, NotReady, StoreError: it could not be committed; the platform calls again.
        """
        runner = self._receiver(token)
        if runner is None:
            raise NotFound(_NO_WEBHOOK)
        try:
            return await runner.receive(request)
        except UnverifiedRequest:
            raise NotFound(_NO_WEBHOOK) from None

    def _receiver(self, token: str) -> SourceRunner | None:
        given = token.encode("utf-8", "replace")
        for running in self._running.values():
            same = hmac.compare_digest(running.record.webhook_token.encode(), given)
            if same and running.built is not None and running.runner is not None:
                is_called = isinstance(running.built.source, WebhookReceiver)
                return running.runner if is_called else None
        return None

    def statuses(self) -> Mapping[str, SourceStatus]:
        """How every source is doing, by id, as of the last look."""
        return {source_id: self.status_of(record) for source_id, record in self._records.items()}

    def show_metrics(self) -> None:
        """Set the gauges of all sources."""
        self.source_metrics.show(self.statuses().values())

    def status_of(self, record: SourceRecord) -> SourceStatus:
        """How a source is doing."""
        running = self._running.get(record.source_id)
        now = self._clock.now()
        success_at = record.success_at
        if running is not None and running.tracker.seen_until is not None:
            success_at = max(running.tracker.seen_until, success_at or running.tracker.seen_until)
        age = None if success_at is None else max((now - success_at).total_seconds(), 0.0)
        base = SourceStatus(
            name=record.name,
            platform=record.platform,
            state=SourceState.STARTING if record.paused_at is None else SourceState.PAUSED,
            success_at=success_at,
            success_age=age,
            comment_at=record.comment_at,
        )
        if running is None or record.paused_at is not None:
            return base
        return _with_work(base, running)


def _with_work(base: SourceStatus, running: RunningSource) -> SourceStatus:
    """A status with what is known of the work."""
    fault, outage = running.tracker.fault, running.tracker.outage
    state = SourceState.RUNNING if base.success_at is not None else SourceState.STARTING
    if fault is not None:
        state = SourceState.FAILING
    if outage is not None:
        state = SourceState.BLIND
    runner, built = running.runner, running.built
    return SourceStatus(
        name=base.name,
        platform=base.platform,
        state=state,
        success_at=base.success_at,
        success_age=base.success_age,
        comment_at=base.comment_at,
        kind=fault.kind if fault else outage.kind if outage else None,
        error=str(fault) if fault else outage.cause if outage else None,
        remedy=fault.remedy if fault else outage.remedy if outage else None,
        blind_since=outage.since if outage else None,
        backlog=runner.backlog if runner else None,
        arrival=runner.arrival if runner else None,
        quota_left=built.quota.left if built else None,
        skew=built.skew.seconds if built else None,
        next_at=runner.next_at if runner else None,
        rejected_why=runner.rejected_why if runner else None,
    )


def is_same(running: SourceRecord, stored: SourceRecord | None) -> bool:
    """Whether a source still runs as it is stored."""
    return stored is not None and (
        running.generation,
        running.kol_id,
        running.name,
    ) == (stored.generation, stored.kol_id, stored.name)
