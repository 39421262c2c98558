"""How alerts stand with people: what was done to them, and whether they are muted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.action_store import histories
from serving.storage.silence_store import active_silences
from serving.triage.muting import AlertStatus, alert_status


async def alert_statuses(
    connection: AsyncConnection, alerts: Sequence[Mapping[Any, Any]], now: datetime
) -> list[AlertStatus]:
    """How each of several alerts stands, in their order, inside a transaction.

    Args:
        connection: the transaction.
        alerts: their `alert_id`, `kol_id`, `kind`, `severity` and `evidence`.
        now: the instant.
    """
    if not alerts:
        return []
    silences = await active_silences(connection, now)
    found = await histories(connection, [alert["alert_id"] for alert in alerts])
    return [
        alert_status(alert, found[alert["alert_id"]].triage(now), silences, now) for alert in alerts
    ]
