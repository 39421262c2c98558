"""Writes what a re-run has changed of an alert, without running it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.kinds import AlertState
from serving.storage.alert_rows import write_event
from serving.storage.instants import to_micros
from serving.storage.tables import alert_events, alerts


async def write_late(
    connection: AsyncConnection,
    *events: AlertEvent,
    state: AlertState,
    ended_at: datetime | None = None,
) -> None:
    """Write events that comments which came late have shown, and their alert as they leave it.

    Args:
        connection: the transaction.
        events: of one alert, each with `found_at`.
        state: of the alert after them.
        ended_at: when the incident ended; None while it lasts.
    """
    for event in events:
        await write_event(connection, event)
        of_event = alert_events.update().where(
            alert_events.c.alert_id == event.alert_id,
            alert_events.c.at == to_micros(event.at),
            alert_events.c.reason == event.reason,
        )
        await connection.execute(of_event.values(found_at=_micros(event.found_at)))
        row = {"state": state, "resolved_at": _micros(ended_at)}
        if event.reason == "opened":
            row["found_at"] = _micros(event.found_at)
        of_alert = alerts.update().where(alerts.c.alert_id == event.alert_id)
        await connection.execute(of_alert.values(**row))


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)
