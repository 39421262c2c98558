"""A worker that checks every few seconds whether something has become due."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import ClassVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.errors import StoreError
from serving.metrics import Metrics
from serving.notify.outbox import NotificationOutbox
from serving.storage.database import Database
from serving.storage.outbox import WrittenDelivery
from serving.storage.rebuild import is_rebuilding

_logger = structlog.get_logger(__name__)
_POLL = 5.0  # seconds between two looks
_LONGEST_PAUSE = 12  # times that, after failures


class PeriodicWorker(ABC):
    """The loop; subclasses say what is due. An unexpected exception never ends it.

    Nothing is done while the log is processed again after a rebuild.

    Attributes:
        name: the worker's name.
    """

    name: ClassVar[str]

    def __init__(self, database: Database, outbox: NotificationOutbox, metrics: Metrics) -> None:
        self._outbox = outbox
        self._metrics = metrics
        self._database = database
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._task is not None and not self._task.done()

    @property
    def given_up(self) -> Collection[str]:
        """Ids of alerts of which nothing is written any more, because that failed every time."""
        return self._outbox.faults.given_up

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Say that there may be something to do already."""
        self._changed.set()

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                await self.step()
            except StoreError as error:
                _logger.warning("periodic_worker_failed", worker=self.name, error=str(error))
            except Exception:
                _logger.exception("periodic_worker_failed", worker=self.name)
                self._metrics.worker_errors.labels(self.name).inc()
                failures += 1
            else:
                failures = 0
            try:
                async with asyncio.timeout(_POLL * min(2**failures, _LONGEST_PAUSE)):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()

    async def step(self) -> int:
        """Write what is due to the outbox; returns how many deliveries.

        Raises:
            StoreError: the database failed; nothing was written.
        """
        before = self._outbox.faults.failures
        try:
            async with self._database.read() as connection:
                if await is_rebuilding(connection) or not await self.is_due(connection):
                    return 0
            async with self._database.write() as connection:
                written = await self.write(connection)
        finally:
            failures = self._outbox.faults.failures - before
            self._metrics.worker_errors.labels(self.name).inc(failures)
        if written:
            self._outbox.committed(written)
        return len(written)

    @abstractmethod
    async def is_due(self, connection: AsyncConnection) -> bool:
        """Whether there is something to write."""

    @abstractmethod
    async def write(self, connection: AsyncConnection) -> list[WrittenDelivery]:
        """Write what is due; returns the new deliveries."""
