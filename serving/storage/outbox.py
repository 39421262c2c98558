"""What a step's transaction needs of the outbox; `serving.notify.outbox` implements it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from serving.delivery_state import DeliveryState


@dataclass(frozen=True, slots=True)
class WrittenDelivery:
    """A delivery that a transaction wrote.

    Attributes:
        channel: the channel's name.
        state: the state in which it was written.
    """

    channel: str
    state: DeliveryState


class Outbox(Protocol):
    """Writes who is notified of an alert event, in the transaction that commits the event."""

    @property
    def committed(self) -> Callable[[Sequence[WrittenDelivery]], None]:
        """To be called with the new deliveries once they are committed."""
        ...

    async def record(
        self, connection: AsyncConnection, event: AlertEvent, *, opened_at: datetime, rebuilt: bool
    ) -> list[WrittenDelivery]:
        """Write one delivery for every channel that is notified of an event.

        Args:
            connection: the transaction of the step, the event being written.
            event: what happened to an alert.
            opened_at: event time at which its alert was opened.
            rebuilt: whether it comes from comments that had been processed before a rebuild.

        Returns:
            The new deliveries; an event that was notified before adds none.
        """
        ...
