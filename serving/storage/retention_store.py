"""Deletes what is older than it is to be kept, some rows at a time.

Only whole things that are over are deleted: alerts that are closed, notifications that were sent or
given up, imports that have ended. Comments become tombstones (`ErasureStore.expire`).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.kinds import AlertState
from serving.delivery_state import DeliveryState
from serving.storage.access_tables import audit_log, keyed_requests
from serving.storage.database import Database
from serving.storage.import_record import ImportState
from serving.storage.import_tables import import_rejections, imports
from serving.storage.instants import to_micros
from serving.storage.tables import (
    actions,
    alert_events,
    alert_ids,
    alerts,
    deliveries,
    notification_payloads,
)

_AT_ONCE = 200
_ALERTS_AT_ONCE = 20


class RetentionStore:
    """Deletes old rows; each call is one short transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expire_deliveries(self, before: datetime) -> int:
        """Delete notifications that were finished before an instant, of alerts that are not open.

        Returns:
            How many; 0 if none is left.
        """
        is_open = exists().where(
            alerts.c.alert_id == deliveries.c.alert_id, alerts.c.state == AlertState.OPEN
        )
        which = and_(
            deliveries.c.state != DeliveryState.WAITING,
            deliveries.c.finished_at < to_micros(before),
            or_(deliveries.c.alert_id.is_(None), ~is_open),
        )
        async with self._database.write() as connection:
            return await _delete_deliveries(connection, which, _AT_ONCE)

    async def expire_alerts(self, before: datetime) -> int:
        """Delete alerts that ended before an instant, with what people did and were sent.

        Returns:
            How many alerts; 0 if none is left.
        """
        waits = exists().where(
            deliveries.c.alert_id == alerts.c.alert_id,
            deliveries.c.state == DeliveryState.WAITING,
        )
        statement = (
            select(alerts.c.alert_id)
            .where(
                alerts.c.state != AlertState.OPEN,
                alerts.c.opened_at < to_micros(before),  # there is an index for that
                alerts.c.updated_at < to_micros(before),
                ~waits,
            )
            .order_by(alerts.c.opened_at)
            .limit(_ALERTS_AT_ONCE)
        )
        async with self._database.write() as connection:
            ids = list((await connection.execute(statement)).scalars())
            if ids:
                await _delete_deliveries(connection, deliveries.c.alert_id.in_(ids), None)
                for table in (alert_events, actions, alert_ids, alerts):
                    await connection.execute(delete(table).where(table.c.alert_id.in_(ids)))
        return len(ids)

    async def expire_imports(self, before: datetime) -> int:
        """Delete imports that ended before an instant, with the rows that were refused.

        Returns:
            How many rows; 0 if none is left.
        """
        over = [state for state in ImportState if state.over]
        statement = (
            select(imports.c.import_id)
            .where(imports.c.state.in_(over), imports.c.updated_at < to_micros(before))
            .order_by(imports.c.import_id)
            .limit(1)
        )
        async with self._database.write() as connection:
            import_id = await connection.scalar(statement)
            if import_id is None:
                return 0
            of_import = import_rejections.c.import_id == import_id
            rows = select(import_rejections.c.place).where(of_import).limit(_AT_ONCE)
            places = list((await connection.execute(rows)).scalars())
            await connection.execute(
                delete(import_rejections).where(import_rejections.c.place.in_(places))
            )
            if len(places) == _AT_ONCE:
                return len(places)
            await connection.execute(delete(imports).where(imports.c.import_id == import_id))
            return len(places) + 1

    async def expire_audit_log(self, before: datetime) -> int:
        """Delete entries of the audit log that were written before an instant, oldest first.

        Returns:
            How many; 0 if none is left.
        """
        statement = (
            select(audit_log.c.entry_id)
            .where(audit_log.c.at < to_micros(before))
            .order_by(audit_log.c.at)  # there is an index for that
            .limit(_AT_ONCE)
        )
        async with self._database.write() as connection:
            ids = list((await connection.execute(statement)).scalars())
            await _delete_in(connection, audit_log.c.entry_id, ids)
        return len(ids)

    async def expire_keyed_requests(self, before: datetime) -> int:
        """Delete what is known of requests that were carried out before an instant, oldest first.

        Returns:
            How many; 0 if none is left.
        """
        statement = (
            select(keyed_requests.c.place)
            .where(keyed_requests.c.at < to_micros(before))
            .order_by(keyed_requests.c.at)  # there is an index for that
            .limit(_AT_ONCE)
        )
        async with self._database.write() as connection:
            places = list((await connection.execute(statement)).scalars())
            await _delete_in(connection, keyed_requests.c.place, places)
        return len(places)


async def _delete_deliveries(
    connection: AsyncConnection, which: ColumnElement[bool], limit: int | None
) -> int:
    """Delete deliveries, and the payloads that no other delivery carries."""
    statement = (
        select(deliveries.c.delivery_id, deliveries.c.payload_id)
        .where(which)
        .order_by(deliveries.c.finished_at)  # there is an index for that
        .limit(limit)
    )
    rows = (await connection.execute(statement)).all()
    await _delete_in(connection, deliveries.c.delivery_id, [row.delivery_id for row in rows])
    carried = exists().where(deliveries.c.payload_id == notification_payloads.c.payload_id)
    payload_id = notification_payloads.c.payload_id
    await _delete_in(connection, payload_id, sorted({row.payload_id for row in rows}), ~carried)
    return len(rows)


async def _delete_in(
    connection: AsyncConnection,
    column: ColumnElement[int],
    ids: Sequence[int],
    *more: ColumnElement[bool],
) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        chunk = ids[start : start + _AT_ONCE]
        await connection.execute(delete(column.table).where(column.in_(chunk), *more))
