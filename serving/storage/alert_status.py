"""The status of alerts: what people did about them, and whether they are muted."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.action_store import histories
from serving.storage.silence_store import active_silences
from serving.triage.muting import AlertStatus, MutableAlert, alert_status


async def alert_statuses(
    connection: AsyncConnection, alerts: Sequence[MutableAlert], now: datetime
) -> list[AlertStatus]:
    """The status of each alert, in the same order, inside a transaction."""
    if not alerts:
        return []
    silences = await active_silences(connection, now)
    found = await histories(connection, [alert.alert_id for alert in alerts])
    return [
        alert_status(alert, found[alert.alert_id].triage(now), silences, now) for alert in alerts
    ]
