"""A way to wait for news: readers sleep until a writer says that something was written."""

import asyncio


class Broadcast:
    """Counts beats; whoever waits for the next one wakes up."""

    def __init__(self) -> None:
        self._beaten = asyncio.Event()
        self.beats = 0

    def notify(self) -> None:
        """Wake everybody who waits."""
        self.beats += 1
        self._beaten.set()
        self._beaten = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """Wait for the next beat.

        Args:
            seconds: after which to give up.

        Returns:
            True if a beat came, False if the time ran out.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._beaten.wait()
        except TimeoutError:
            return False
        return True
