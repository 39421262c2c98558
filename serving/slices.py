"""Work on the event loop in slices, so that others get their turn."""

import asyncio
from time import perf_counter

_SLICE = 0.005


class Slices:
    """Gives way to the other tasks of the loop whenever a slice of work is done."""

    def __init__(self) -> None:
        self._began = perf_counter()

    async def pause(self) -> None:
        """Go on at once, or after the others if 5 ms have passed since the last pause."""
        if perf_counter() - self._began >= _SLICE:
            await asyncio.sleep(0)
            self._began = perf_counter()
