"""Watches for mutings that end while their alert is open, and has its channels told then."""

import asyncio

import structlog

from serving.delivery.outbox import Outbox
from serving.errors import StoreError
from serving.storage.database import Database

_log = structlog.get_logger(__name__)
_POLL = 5.0  # seconds between two looks


class Unmuting:
    """A worker that looks every few seconds, and at once when people changed something."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._task is not None and not self._task.done()

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="unmuting")

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Say that a snooze, a silence or an alert's work may have ended."""
        self._changed.set()

    async def _run(self) -> None:
        try:
            while True:
                try:
                    await self.step()
                except StoreError as error:
                    _log.error("unmuting_failed", error=str(error))
                try:
                    async with asyncio.timeout(_POLL):
                        await self._changed.wait()
                except TimeoutError:
                    pass
                self._changed.clear()
        except Exception:
            _log.exception("unmuting_died")
            raise

    async def step(self) -> int:
        """Write what is due to the outbox; returns how many deliveries.

        Raises:
            StoreError: the database failed; nothing was written.
        """
        async with self._database.read() as connection:
            if not await self._outbox.owed(connection):
                return 0
        async with self._database.write() as connection:
            written = await self._outbox.catch_up(connection)
        if written:
            self._outbox.committed(written)
        return len(written)
