"""Writes alert events and the alerts that they change, inside a step's transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.kinds import AlertState, Reason
from serving.storage.instants import from_micros, to_micros
from serving.storage.tables import alert_events, alerts
from serving.storage.upsert import insert


async def write_events(connection: AsyncConnection, events: Sequence[AlertEvent]) -> None:
    """Write events, and each alert as the last of its events leaves it.

    Args:
        connection: the transaction.
        events: in the order in which they happened.
    """
    if not events:
        return
    await connection.execute(alert_events.insert(), [event_row(event) for event in events])
    statement = insert(connection, alerts)
    now_is = statement.excluded
    # A resolved alert keeps its evidence from before the end.
    evidence = case((now_is.state == AlertState.RESOLVED, alerts.c.evidence), else_=now_is.evidence)
    changed = {name: now_is[name] for name in ("severity", "state", "updated_at", "resolved_at")}
    statement = statement.on_conflict_do_update(
        index_elements=["alert_id"], set_={**changed, "evidence": evidence}
    )
    # One after the other: an alert may be opened and resolved in one step.
    await connection.execute(statement, [_alert_row(event) for event in events])


async def opened_at(connection: AsyncConnection, alert_ids: Collection[str]) -> dict[str, datetime]:
    """When alerts were opened, in event time, by their ids."""
    statement = select(alerts.c.alert_id, alerts.c.opened_at).where(
        alerts.c.alert_id.in_(alert_ids)
    )
    rows = (await connection.execute(statement)).all()
    return {row.alert_id: from_micros(row.opened_at) for row in rows}


def _alert_row(event: AlertEvent) -> dict[str, Any]:
    """A row of `alerts` for one that an event opens, or whose values an event leaves."""
    at, resolved = to_micros(event.at), event.reason == Reason.RESOLVED
    return {
        "alert_id": event.alert_id,
        "kol_id": event.kol_id,
        "kind": event.kind,
        "severity": event.severity,
        "state": AlertState.RESOLVED if resolved else AlertState.OPEN,
        "opened_at": at,
        "updated_at": at,
        "resolved_at": at if resolved else None,
        "evidence": event.evidence.to_dict(),
    }


def event_row(event: AlertEvent) -> dict[str, Any]:
    """A row of `alert_events`, without its id."""
    return {
        "alert_id": event.alert_id,
        "kol_id": event.kol_id,
        "kind": event.kind,
        "severity": event.severity,
        "reason": event.reason,
        "at": to_micros(event.at),
        "evidence": event.evidence.to_dict(),
        "found_at": None if event.found_at is None else to_micros(event.found_at),
    }
