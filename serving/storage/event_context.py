"""What the planning of notifications needs to know of an alert event, read at once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.kinds import Reason
from serving.delivery_state import DeliveryState
from serving.storage.alert_status import alert_statuses
from serving.storage.tables import deliveries


@dataclass(frozen=True, slots=True)
class EventContext:
    """What is known of an alert event's alert.

    Attributes:
        notified: the channels that were notified of the alert before; read for its end only.
        muted: why nobody is notified of it now, in a few words; None if people are.
    """

    notified: tuple[str, ...]
    muted: str | None


async def event_context(
    connection: AsyncConnection, event: AlertEvent, now: datetime
) -> EventContext:
    """The context of an event, inside a transaction."""
    ends = event.reason == Reason.RESOLVED
    notified = await _notified_channels(connection, event.alert_id) if ends else []
    (status,) = await alert_statuses(connection, [event], now)
    return EventContext(tuple(notified), status.muted)


async def _notified_channels(connection: AsyncConnection, alert_id: str) -> list[str]:
    """The channels that were notified of an alert or soon will be, inside a transaction."""
    statement = (
        select(deliveries.c.channel)
        .where(deliveries.c.alert_id == alert_id, deliveries.c.state != DeliveryState.SKIPPED)
        .group_by(deliveries.c.channel)
        .order_by(func.min(deliveries.c.delivery_id))
    )
    return list((await connection.execute(statement)).scalars())
