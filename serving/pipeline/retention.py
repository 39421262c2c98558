"""Forgets what is older than it is to be kept, in small steps in the background."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

import structlog

from serving.clock import Clock
from serving.errors import StoreError
from serving.metrics import Metrics
from serving.pipeline.eraser import Eraser
from serving.pipeline.pipeline import Pipeline
from serving.storage.author_hasher import AuthorHasher
from serving.storage.erasure_store import ErasureStore
from serving.storage.retention_store import RetentionStore

_logger = structlog.get_logger(__name__)
_POLL = 60.0  # seconds between two looks
_REST = 4  # times as long as a step took; so retention takes a fifth of the writer at most
_LEAST_REST = 0.02


@dataclass(frozen=True, slots=True)
class RetentionPeriods:
    """How long what is kept; None keeps it for ever.

    Attributes:
        comments: texts and authors of comments, since they were received.
        alerts: alerts with their evidence and what people did, since their end in event time.
        deliveries: notifications, since they were sent or given up.
        imports: imports and their refused rows, since they ended.
        audit_log: entries of the audit log, since they were written.
        keyed_requests: requests with an idempotency key, since they were carried out.
    """

    comments: timedelta | None = None
    alerts: timedelta | None = None
    deliveries: timedelta | None = None
    imports: timedelta | None = None
    audit_log: timedelta | None = None
    keyed_requests: timedelta | None = None


class RetentionWorker:
    """The loop. It also ends erasures that a stop of the service interrupted."""

    def __init__(
        self,
        *,
        periods: RetentionPeriods,
        store: RetentionStore,
        erasures: ErasureStore,
        eraser: Eraser,
        hasher: AuthorHasher,
        pipeline: Pipeline,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._erasures = erasures
        self._hasher = hasher
        self._pipeline = pipeline
        self._clock = clock
        self._metrics = metrics
        expire = {
            "comments": (periods.comments, self._expire_comments),
            "alerts": (periods.alerts, store.expire_alerts),
            "deliveries": (periods.deliveries, store.expire_deliveries),
            "imports": (periods.imports, store.expire_imports),
            "audit_log": (periods.audit_log, store.expire_audit_log),
            "keyed_requests": (periods.keyed_requests, store.expire_keyed_requests),
        }
        self._work: Mapping[str, Callable[[datetime], Awaitable[int]]] = {
            "erasures": lambda _now: eraser.finish(),
            "author_ids": self._hash_authors,
        } | {
            table: partial(self._expire, table, period, delete)
            for table, (period, delete) in expire.items()
            if period is not None
        }
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="retention")

    async def stop(self) -> None:
        """Stop; what is left is done after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            started = monotonic()
            found = await self.step()
            rest = max(_LEAST_REST, _REST * (monotonic() - started))
            await asyncio.sleep(min(rest, _POLL) if found else _POLL)

    async def step(self) -> bool:
        """Do one small step of each kind of work, also if another kind fails.

        Returns:
            False if there was nothing to do, or all of it failed.
        """
        now, done = self._clock.now(), 0
        for kind, work in self._work.items():
            try:
                done += await work(now)
            except StoreError as error:
                _logger.warning("retention_failed", kind=kind, error=str(error))
            except Exception:
                _logger.exception("retention_failed", kind=kind)
                self._metrics.worker_errors.labels("retention").inc()
        return done > 0

    async def _hash_authors(self, now: datetime) -> int:
        if not await self._hasher.is_due():
            return 0
        async with self._pipeline.paused(restore=False):
            return int(await self._hasher.advance(now))

    async def _expire(
        self,
        table: str,
        period: timedelta,
        delete: Callable[[datetime], Awaitable[int]],
        now: datetime,
    ) -> int:
        count = await delete(now - period)
        self._metrics.expired.labels(table).inc(count)
        return count

    async def _expire_comments(self, before: datetime) -> int:
        async with self._pipeline.paused(restore=False, save=False):
            return await self._erasures.expire(
                before, self._clock.now(), up_to=self._pipeline.saved_up_to
            )
