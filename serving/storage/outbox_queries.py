"""The outbox inside a transaction: what is written, and what is still pending."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import ColumnElement, FromClause, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.kinds import AlertState
from serving.delivery_state import DeliveryState
from serving.storage.alert_record import AlertRecord, to_alert
from serving.storage.delivery_record import Delivery, NewDelivery
from serving.storage.delivery_rows import select_deliveries, to_delivery, to_payload_row, to_row
from serving.storage.instants import from_micros, to_micros
from serving.storage.outbox import WrittenDelivery
from serving.storage.payloads import AlertPayload, DigestPayload
from serving.storage.tables import alerts, deliveries
from serving.storage.tables import notification_payloads as payloads
from serving.storage.upsert import insert


class Isolation(Protocol):
    """Keeps an alert that cannot be read from stopping the others."""

    @property
    def given_up(self) -> Collection[str]:
        """Ids of the alerts that are not tried again."""
        ...

    def isolated(self, alert_id: str) -> AbstractContextManager[None]:
        """Have unexpected exceptions of the block be failures of one alert."""
        ...


@dataclass(frozen=True, slots=True)
class SuppressedAlert:
    """An open alert whose last delivery to a channel was skipped.

    Attributes:
        alert: the alert.
        channel: the channel's name.
        at: event time of what the delivery carried.
    """

    alert: AlertRecord
    channel: str
    at: datetime


async def enqueue(
    connection: AsyncConnection,
    payload: AlertPayload | DigestPayload,
    new: Sequence[NewDelivery],
    *,
    replace_skipped: bool = False,
) -> list[WrittenDelivery]:
    """Write deliveries of one payload inside a transaction.

    If a delivery goes at once, those of its alert that wait for a team's hours go with it.

    Args:
        connection: the transaction.
        payload: what they carry.
        new: the deliveries, each with a key of its own. One whose key is in the outbox already is
            left out …
        replace_skipped: … unless that one was skipped: then it takes its place.

    Returns:
        What was written.
    """
    held = await _held(connection, [one.key for one in new])
    chosen = [
        one
        for one in new
        if one.key not in held or (replace_skipped and held[one.key].state == DeliveryState.SKIPPED)
    ]
    if not chosen:
        return []
    for one in chosen:
        at_once = one.state is DeliveryState.WAITING and one.not_before is None
        if at_once and isinstance(payload, AlertPayload):
            await release(connection, one.channel, payload.alert_id, one.recorded_at)
    stored = payloads.insert().values(**to_payload_row(payload)).returning(payloads.c.payload_id)
    payload_id = (await connection.execute(stored)).scalar_one()
    for one in chosen:
        row = to_row(one, payload, payload_id)
        statement = insert(connection, deliveries).values(**row)
        await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=row))
    replaced = [held[one.key].payload_id for one in chosen if one.key in held]
    if replaced:
        await _delete_unused(connection, replaced)
    return [WrittenDelivery(one.channel, one.state) for one in chosen]


@dataclass(frozen=True, slots=True)
class _HeldDelivery:
    """A delivery that is in the outbox already."""

    state: str
    payload_id: int


async def _held(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, _HeldDelivery]:
    """The deliveries that are in the outbox already, by their keys."""
    statement = select(deliveries.c.key, deliveries.c.state, deliveries.c.payload_id)
    rows = await connection.execute(statement.where(deliveries.c.key.in_(keys)))
    return {row.key: _HeldDelivery(row.state, row.payload_id) for row in rows}


async def _delete_unused(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """Delete those payloads that no delivery refers to."""
    used = select(deliveries.c.delivery_id).where(deliveries.c.payload_id == payloads.c.payload_id)
    await connection.execute(delete(payloads).where(payloads.c.payload_id.in_(ids), ~used.exists()))


async def release(connection: AsyncConnection, channel: str, alert_id: str, now: datetime) -> None:
    """Release what waits of an alert for a team's hours, inside a transaction."""
    statement = update(deliveries).where(
        *is_waiting(channel), deliveries.c.alert_id == alert_id, is_held(deliveries, now)
    )
    await connection.execute(statement.values(not_before=to_micros(now), due_at=to_micros(now)))


async def was_not_called(connection: AsyncConnection, alert_id: str, channel: str) -> bool:
    """Whether the last page of an alert to a channel was skipped, inside a transaction."""
    statement = (
        select(deliveries.c.state)
        .where(
            deliveries.c.alert_id == alert_id,
            deliveries.c.channel == channel,
            deliveries.c.page,
        )
        .order_by(deliveries.c.delivery_id.desc())
        .limit(1)
    )
    return bool(await connection.scalar(statement) == DeliveryState.SKIPPED)


async def calls_of_open(
    connection: AsyncConnection, faults: Isolation
) -> list[tuple[AlertRecord, list[Delivery]]]:
    """The open alerts that somebody was called about, each with its calls in order.

    A call is a page that was not skipped, or a step of an escalation.

    Args:
        connection: the transaction.
        faults: isolates an alert that cannot be read.
    """
    calls = (
        select_deliveries()
        .join(alerts, alerts.c.alert_id == deliveries.c.alert_id)
        .where(
            alerts.c.state == AlertState.OPEN,
            deliveries.c.state != DeliveryState.SKIPPED,
            deliveries.c.page,
        )
        .order_by(deliveries.c.delivery_id)
    )
    found: defaultdict[str, list[Delivery]] = defaultdict(list)
    for row in (await connection.execute(calls)).mappings():
        if row["alert_id"] not in faults.given_up:
            with faults.isolated(row["alert_id"]):
                found[row["alert_id"]].append(to_delivery(row))
    statement = select(alerts).where(alerts.c.alert_id.in_(list(found)))
    rows = (await connection.execute(statement.order_by(alerts.c.alert_id))).mappings()
    read = []
    for row in rows:
        with faults.isolated(row["alert_id"]):
            read.append((to_alert(row), found[row["alert_id"]]))
    return read


async def suppressed_open(
    connection: AsyncConnection,
    channels: Collection[str],
    *,
    spared: Collection[str],
    faults: Isolation,
) -> list[SuppressedAlert]:
    """The open alerts whose last delivery to a channel was skipped, inside a transaction.

    Args:
        connection: the transaction.
        channels: the channels to look at.
        spared: reasons for which a skipped delivery need not be sent later.
        faults: isolates an alert that cannot be read.
    """
    other = deliveries.alias("other")
    last = (
        select(func.max(other.c.delivery_id))
        .where(
            other.c.alert_id == deliveries.c.alert_id,
            other.c.channel == deliveries.c.channel,
            # The escalation itself makes up for a step that was skipped.
            or_(other.c.state != DeliveryState.SKIPPED, other.c.step.is_(None)),
        )
        .correlate(deliveries)
        .scalar_subquery()
    )
    statement = (
        select(alerts, deliveries.c.channel, payloads.c.at.label("muted_at"))
        .join(deliveries, deliveries.c.alert_id == alerts.c.alert_id)
        .join(payloads, payloads.c.payload_id == deliveries.c.payload_id)
        .where(
            alerts.c.state == AlertState.OPEN,
            deliveries.c.channel.in_(channels),
            deliveries.c.state == DeliveryState.SKIPPED,
            deliveries.c.error.not_in(spared),
            deliveries.c.delivery_id == last,
        )
        .order_by(deliveries.c.delivery_id)
    )
    read = []
    for row in (await connection.execute(statement)).mappings():
        if row["alert_id"] not in faults.given_up:
            with faults.isolated(row["alert_id"]):
                alert, at = to_alert(row), from_micros(row["muted_at"])
                read.append(SuppressedAlert(alert, row["channel"], at))
    return read


def is_waiting(channel: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether a delivery waits for a channel."""
    return deliveries.c.state == DeliveryState.WAITING, deliveries.c.channel == channel


def is_held(rows: FromClause, now: datetime) -> ColumnElement[bool]:
    """Whether a delivery waits for a team's hours."""
    return func.coalesce(rows.c.not_before, 0) > to_micros(now)
