"""Notifies channels of alerts that are still open when their mute ends."""

from sqlalchemy.ext.asyncio import AsyncConnection

from serving.notify.workers.periodic import PeriodicWorker
from serving.storage.outbox import WrittenDelivery


class UnmuteNotifier(PeriodicWorker):
    """Notifies once of each alert that is no longer muted; looks at once when people act."""

    name = "unmute_notifier"

    async def is_due(self, connection: AsyncConnection) -> bool:
        """Whether a notification is pending."""
        return bool(await self._outbox.pending(connection))

    async def write(self, connection: AsyncConnection) -> list[WrittenDelivery]:
        """Write what is pending."""
        return await self._outbox.catch_up(connection)
