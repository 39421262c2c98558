"""Finds pages that nobody acknowledged in time, and calls others."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from serving.clock import Clock
from serving.metrics import Metrics
from serving.notify.outbox import NotificationOutbox
from serving.notify.workers.periodic import PeriodicWorker
from serving.storage.database import Database
from serving.storage.outbox import WrittenDelivery

_GRACE = timedelta(minutes=1)


class Escalator(PeriodicWorker):
    """Writes the steps of escalations when they are due.

    Not in the first minute after a start: comments that arrived meanwhile may resolve the alert.
    """

    name = "escalator"

    def __init__(
        self, database: Database, outbox: NotificationOutbox, metrics: Metrics, clock: Clock
    ) -> None:
        super().__init__(database, outbox, metrics)
        self._clock = clock
        self._begins = clock.now() + _GRACE

    async def is_due(self, connection: AsyncConnection) -> bool:
        """Whether somebody is to be called."""
        if self._clock.now() < self._begins:
            return False
        return bool(await self._outbox.unattended(connection))

    async def write(self, connection: AsyncConnection) -> list[WrittenDelivery]:
        """Write the steps that are due."""
        return await self._outbox.escalate(connection)
