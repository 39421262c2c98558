"""Forgets what is older than it is to be kept, in small steps in the background."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    """

    comments: timedelta | None = None
    alerts: timedelta | None = None
    deliveries: timedelta | None = None
    imports: timedelta | None = None


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
        self._periods = periods
        self._erasures = erasures
        self._eraser = eraser
        self._hasher = hasher
        self._pipeline = pipeline
        self._clock = clock
        self._metrics = metrics
        self._work: dict[str, tuple[timedelta | None, Callable[[datetime], Awaitable[int]]]] = {
            "comments": (periods.comments, self._expire_comments),
            "alerts": (periods.alerts, store.expire_alerts),
            "deliveries": (periods.deliveries, store.expire_deliveries),
            "imports": (periods.imports, store.expire_imports),
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
            started, found = monotonic(), False
            try:
                found = await self.step()
            except StoreError as error:
                _logger.warning("retention_failed", error=str(error))
            except Exception:
                _logger.exception("retention_failed")
                self._metrics.worker_errors.labels("retention").inc()
            rest = max(_LEAST_REST, _REST * (monotonic() - started))
            await asyncio.sleep(min(rest, _POLL) if found else _POLL)

    async def step(self) -> bool:
        """Do one small step of each kind of work; False if there was nothing to do.

        Raises:
            StoreError: the database refused.
        """
        now = self._clock.now()
        found = bool(await self._eraser.finish())
        async with self._pipeline.paused(restore=False):
            found |= await self._hasher.advance(now)
        for name, (period, expire) in self._work.items():
            if period is None:
                continue
            count = await expire(now - period)
            self._metrics.expired.labels(name).inc(count)
            found |= count > 0
        return found

    async def _expire_comments(self, before: datetime) -> int:
        async with self._pipeline.paused(restore=False):
            return await self._erasures.expire(before, self._clock.now())
