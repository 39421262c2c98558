"""A way to wait for news: readers sleep until a writer says that something was written."""

import asyncio


class Broadcast:
    """Counts notifications; whoever waits for the next one wakes up."""

    def __init__(self) -> None:
        self._notified = asyncio.Event()
        self.notifications = 0

    def notify(self) -> None:
        """Wake everybody who waits."""
        self.notifications += 1
        self._notified.set()
        self._notified = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """Wait for the next notification.

        Args:
            seconds: after which to give up.

        Returns:
            True if one came, False if the time ran out.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._notified.wait()
        except TimeoutError:
            return False
        return True
