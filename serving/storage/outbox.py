"""What a step's transaction needs of the outbox; `serving.notify.outbox` implements it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.kinds import AlertState
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
        self,
        connection: AsyncConnection,
        event: AlertEvent,
        *,
        opened_at: datetime,
        rebuilt: bool,
        state: AlertState = AlertState.OPEN,
        ended_at: datetime | None = None,
    ) -> list[WrittenDelivery]:
        """Write one delivery for every channel that is notified of an event.

        Args:
            connection: the transaction that commits the event; it has written the event already.
            event: what happened to an alert.
            opened_at: event time at which its alert was opened.
            rebuilt: whether it comes from comments that had been processed before a rebuild.
            state: of the alert after the event. It is read of a revision only: "revised" if the
                alert no longer holds, "open" if a resolution no longer holds.
            ended_at: event time at which the incident ended; None while it lasts. It is read of
                events that were found late.

        Returns:
            The new deliveries; an event that was notified before adds none.
        """
        ...
