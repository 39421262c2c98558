"""What a step's transaction needs of the outbox; `serving.notify.outbox` implements it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent


class Outbox(Protocol):
    """Writes who is notified of an alert event, in the transaction that commits the event."""

    @property
    def committed(self) -> Callable[[Sequence[tuple[str, str]]], None]:
        """To be called with (channel, state) of every new row, once they are committed."""
        ...

    async def record(
        self, connection: AsyncConnection, event: AlertEvent, *, opened_at: int, rebuilt: bool
    ) -> list[tuple[str, str]]:
        """Write one delivery for every channel that is notified of an event.

        Args:
            connection: the transaction of the step, the event being written.
            event: what happened to an alert.
            opened_at: when its alert was opened, in microseconds.
            rebuilt: whether it comes from comments that had been processed before a rebuild.

        Returns:
            (channel, state) of every new row; an event that was notified before adds none.
        """
        ...
