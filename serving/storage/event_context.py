"""What the planning of notifications needs to know of an alert event, read at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.kinds import Reason
from serving.delivery_state import DeliveryState
from serving.storage.action_store import histories
from serving.storage.silence_store import active_silences
from serving.storage.tables import deliveries
from serving.triage.silences import Silence
from serving.triage.triage_status import TriageStatus


@dataclass(frozen=True, slots=True)
class EventContext:
    """What was known of an alert when one of its events happened.

    Attributes:
        notified: the channels that were notified of the alert before; read for its end only.
        triage: what people did about it.
        silences: those that are active.
    """

    notified: Sequence[str] = ()
    triage: TriageStatus = field(default_factory=TriageStatus)
    silences: Sequence[Silence] = ()


async def event_context(
    connection: AsyncConnection, event: AlertEvent, now: datetime
) -> EventContext:
    """The context of an event, inside a transaction."""
    notified = list[str]()
    if event.reason == Reason.RESOLVED:
        notified = await _notified_channels(connection, event.alert_id)
    history = (await histories(connection, [event.alert_id]))[event.alert_id]
    return EventContext(notified, history.triage(now), await active_silences(connection, now))


async def _notified_channels(connection: AsyncConnection, alert_id: str) -> list[str]:
    """The channels that were notified of an alert or soon will be."""
    statement = (
        select(deliveries.c.channel)
        .where(deliveries.c.alert_id == alert_id, deliveries.c.state != DeliveryState.SKIPPED)
        .group_by(deliveries.c.channel)
        .order_by(func.min(deliveries.c.delivery_id))
    )
    return list((await connection.execute(statement)).scalars())
