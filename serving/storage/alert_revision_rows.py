"""Rewrites alerts that a re-run derives otherwise than they were stored, inside its transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.kinds import Reason
from monitoring.matching import RevisedAlert
from serving.storage.alert_rows import event_row
from serving.storage.instants import to_micros
from serving.storage.tables import alert_events, alert_ids, alerts
from serving.storage.upsert import insert


async def rewrite_alert(connection: AsyncConnection, alert: RevisedAlert) -> None:
    """Make the stored alert and its events those that were derived.

    Events that are only dated or measured otherwise keep their rows, so that nobody who reads on
    gets them again; what follows the first that happened otherwise is written anew.
    """
    if alert.events:
        await _rewrite_events(connection, alert)
        await _rewrite_row(connection, alert)
    for event in alert.news:
        if event.reason is not Reason.REVISED:
            continue
        row = event_row(event) | {"revised_to": alert.state}
        await connection.execute(alert_events.insert().values(**row))
        if not alert.events:
            await connection.execute(
                update(alerts)
                .where(alerts.c.alert_id == alert.alert_id)
                .values(state=alert.state, updated_at=to_micros(event.at))
            )


async def write_alert_ids(connection: AsyncConnection, found: Mapping[str, str]) -> None:
    """Note under which ids alerts are known whose derived ids are others."""
    if not found:
        return
    statement = insert(connection, alert_ids)
    statement = statement.on_conflict_do_update(
        index_elements=["derived_id"], set_={"alert_id": statement.excluded.alert_id}
    )
    rows = [{"derived_id": derived, "alert_id": alert_id} for derived, alert_id in found.items()]
    await connection.execute(statement, rows)


async def _rewrite_events(connection: AsyncConnection, alert: RevisedAlert) -> None:
    of_alert = alert_events.c.alert_id == alert.alert_id
    statement = (
        select(alert_events)
        .where(of_alert, alert_events.c.reason != Reason.REVISED)
        .order_by(alert_events.c.event_id)
    )
    stored = (await connection.execute(statement)).all()
    kept = _same_reasons(stored, alert.events)
    for row, event in zip(stored[:kept], alert.events, strict=False):
        values = event_row(event)
        del values["found_at"]
        await connection.execute(
            update(alert_events).where(alert_events.c.event_id == row.event_id).values(**values)
        )
    left = [row.event_id for row in stored[kept:]]
    await connection.execute(delete(alert_events).where(alert_events.c.event_id.in_(left)))
    if rest := [event_row(event) for event in alert.events[kept:]]:
        await connection.execute(alert_events.insert(), rest)


def _same_reasons(stored: Sequence[Row[Any]], derived: Sequence[AlertEvent]) -> int:
    """How many events at the beginning are the same transitions in both."""
    count = 0
    for row, event in zip(stored, derived, strict=False):
        if row.reason != event.reason:
            break
        count += 1
    return count


async def _rewrite_row(connection: AsyncConnection, alert: RevisedAlert) -> None:
    first, last = alert.events[0], alert.events[-1]
    risen = [event for event in alert.events if event.reason is not Reason.RESOLVED][-1]
    now_is = {
        "kol_id": first.kol_id,
        "kind": first.kind,
        "severity": last.severity,
        "state": alert.state,
        "opened_at": to_micros(first.at),
        "updated_at": to_micros(last.at),
        "resolved_at": None if alert.ended_at is None else to_micros(alert.ended_at),
        "evidence": risen.evidence.to_dict(),
    }
    found_at = None if first.found_at is None else to_micros(first.found_at)
    await connection.execute(
        insert(connection, alerts)
        .values(alert_id=alert.alert_id, found_at=found_at, **now_is)
        .on_conflict_do_update(index_elements=["alert_id"], set_=now_is)
    )
