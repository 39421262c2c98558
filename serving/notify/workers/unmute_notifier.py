"""Watches for mutings that end while their alert is open, and has its channels told then."""

from sqlalchemy.ext.asyncio import AsyncConnection

from serving.notify.workers.periodic import PeriodicWorker


class UnmuteNotifier(PeriodicWorker):
    """Tells once of what is muted no more; looks at once when people changed something."""

    name = "unmute_notifier"

    async def is_due(self, connection: AsyncConnection) -> bool:
        """Whether a channel is owed an alert."""
        return bool(await self._outbox.pending(connection))

    async def write(self, connection: AsyncConnection) -> list[tuple[str, str]]:
        """Write what is owed."""
        return await self._outbox.catch_up(connection)
