"""Writes alert events and the alerts that they change, inside a step's transaction."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.kinds import AlertState, Reason
from serving.storage.instants import to_micros
from serving.storage.tables import alert_events, alerts
from serving.storage.upsert import insert


async def write_event(connection: AsyncConnection, event: AlertEvent) -> None:
    """Write an event, and its alert as the event leaves it."""
    at = to_micros(event.at)
    evidence = event.evidence.to_dict()
    common = {
        "alert_id": event.alert_id,
        "kol_id": event.kol_id,
        "kind": event.kind,
        "severity": event.severity,
    }
    await connection.execute(alert_events.insert().values(**event_row(event)))
    resolved = event.reason == Reason.RESOLVED
    now_is: dict[str, Any] = {
        "severity": event.severity,
        "state": AlertState.RESOLVED if resolved else AlertState.OPEN,
        "updated_at": at,
        "resolved_at": at if resolved else None,
    }
    if not resolved:  # a resolved alert keeps its evidence from before the end
        now_is["evidence"] = evidence
    await connection.execute(
        insert(connection, alerts)
        .values(**common | {"opened_at": at, "evidence": evidence} | now_is)
        .on_conflict_do_update(index_elements=["alert_id"], set_=now_is)
    )


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
