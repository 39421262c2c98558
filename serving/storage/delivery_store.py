"""The outbox's table: what waits, what was delivered, what was given up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.kinds import AlertState
from serving.delivery_state import DeliveryState
from serving.errors import NotFound
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.alert_status import alert_statuses
from serving.storage.database import Database
from serving.storage.delay_rows import late_sources
from serving.storage.delivery_record import Delivery
from serving.storage.delivery_rows import select_deliveries, to_delivery
from serving.storage.instants import from_micros, to_micros
from serving.storage.kol_filter import within
from serving.storage.outbox_queries import is_held, is_waiting
from serving.storage.payloads import AlertPayload
from serving.storage.post_names import PostNames, post_names, posts_in
from serving.storage.source_delay import LateSource
from serving.storage.tables import alerts, deliveries
from serving.storage.tables import notification_payloads as payloads
from serving.triage.muting import AlertStatus, MutableAlert

_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries to list; None sets no bound.

    Attributes:
        visible: only news of alerts of its KOLs. A digest is of many KOLs, so it is left out where
            there is a limit.
    """

    channel: str | None = None
    state: DeliveryState | None = None
    alert_id: str | None = None
    visible: KolLimit = EVERY_KOL


class DeliveryStore:
    """The `deliveries` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, channel: str, now: datetime, *, most: int) -> list[Delivery]:
        """What to send on a channel next; empty if nothing is due.

        Of an alert only the first waiting delivery can be due, so that its order is kept. Where
        `most` is more than 1, what may be sent by now is returned, in order. What follows a
        delivery of the same alert that has to wait, waits with it.
        """
        waiting = is_waiting(channel)
        heads = select(deliveries.c.delivery_id).where(*waiting, _is_head())
        heads = heads.where(deliveries.c.due_at <= to_micros(now))
        heads = heads.order_by(deliveries.c.delivery_id).limit(1)
        found = select_deliveries()
        async with self._database.read() as connection:
            first = await connection.scalar(heads)
            if first is None:
                return []
            if most == 1:
                found = found.where(deliveries.c.delivery_id == first)
            else:
                free = deliveries.c.due_at <= to_micros(now), ~_follows_later(now)
                found = found.where(*waiting, *free).order_by(deliveries.c.delivery_id).limit(most)
            return [to_delivery(row) for row in (await connection.execute(found)).mappings()]

    async def next_due(self, channel: str) -> datetime | None:
        """When the next delivery of a channel is due; None if none waits."""
        statement = select(func.min(deliveries.c.due_at)).where(*is_waiting(channel), _is_head())
        async with self._database.read() as connection:
            due_at = await connection.scalar(statement)
        return None if due_at is None else from_micros(due_at)

    async def finish(
        self, ids: Sequence[int], state: DeliveryState, now: datetime, error: str | None = None
    ) -> None:
        """Close deliveries after an attempt, as delivered or dead."""
        await self._update(
            ids,
            state=state,
            attempts=deliveries.c.attempts + 1,
            finished_at=to_micros(now),
            error=error and error[:_LONGEST_ERROR],
        )

    async def postpone(self, ids: Sequence[int], due_at: datetime, error: str) -> None:
        """Try deliveries again later."""
        await self._update(
            ids,
            attempts=deliveries.c.attempts + 1,
            due_at=to_micros(due_at),
            error=error[:_LONGEST_ERROR],
        )

    async def alert_statuses(
        self, found: Sequence[MutableAlert], now: datetime
    ) -> list[AlertStatus]:
        """The status of each alert, in the same order."""
        async with self._database.read() as connection:
            return await alert_statuses(connection, found, now)

    async def withdrawn(self, channel: str, alert_ids: Collection[str]) -> dict[str, bool]:
        """Those of some alerts that were withdrawn, and whether a channel was notified of each.

        An attempt counts: the receiver may have taken the message and answered too late.
        """
        tried = (
            select(deliveries.c.delivery_id)
            .where(
                deliveries.c.alert_id == alerts.c.alert_id,
                deliveries.c.channel == channel,
                or_(
                    deliveries.c.attempts > 0,
                    deliveries.c.by_hand,
                    deliveries.c.state.in_((DeliveryState.DELIVERED, DeliveryState.DEAD)),
                ),
            )
            .correlate(alerts)
            .exists()
        )
        statement = select(alerts.c.alert_id, tried).where(
            alerts.c.alert_id.in_(alert_ids), alerts.c.state == AlertState.REVISED
        )
        async with self._database.read() as connection:
            return {
                alert_id: bool(known) for alert_id, known in await connection.execute(statement)
            }

    async def late_sources(
        self, alert_ids: Collection[str], now: datetime
    ) -> dict[str, tuple[LateSource, ...]]:
        """The platforms whose comments may be missing in some alerts, by alert."""
        async with self._database.read() as connection:
            return await late_sources(connection, alert_ids, now)

    async def post_names(self, found: Sequence[AlertPayload]) -> PostNames:
        """The names of the posts that drive some alerts most; unknown posts are left out."""
        named = [post for alert in found for post in posts_in(alert.kol_id, alert.evidence)[:1]]
        if not named:
            return {}
        async with self._database.read() as connection:
            return await post_names(connection, named)

    async def suppress(self, delivery_id: int, now: datetime, why: str) -> None:
        """Close a delivery that waited, as one that is not to be sent."""
        await self._update(
            [delivery_id],
            state=DeliveryState.SKIPPED,
            finished_at=to_micros(now),
            error=why[:_LONGEST_ERROR],
        )

    async def _update(self, ids: Sequence[int], **values: Any) -> None:
        statement = update(deliveries).where(deliveries.c.delivery_id.in_(ids)).values(**values)
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def give_up_except(self, channels: Collection[str], now: datetime) -> int:
        """Close what waits for a channel that is not among `channels`; returns how many."""
        statement = (
            update(deliveries)
            .where(
                deliveries.c.state == DeliveryState.WAITING, deliveries.c.channel.not_in(channels)
            )
            .values(
                state=DeliveryState.DEAD,
                finished_at=to_micros(now),
                error="the channel is not configured",
            )
        )
        async with self._database.write() as connection:
            return (await connection.execute(statement)).rowcount

    async def resend(self, delivery_id: int, now: datetime) -> Delivery:
        """Make a delivery due at once, with all its attempts before it, although its alert may be
        muted.

        Raises:
            NotFound: there is no such delivery.
        """
        statement = (
            update(deliveries)
            .where(deliveries.c.delivery_id == delivery_id)
            .values(
                state=DeliveryState.WAITING,
                attempts=0,
                due_at=to_micros(now),
                finished_at=None,
                not_before=None,
                error=None,
                by_hand=True,
            )
        )
        async with self._database.write() as connection:
            await connection.execute(statement)
            return await _get(connection, delivery_id)

    async def get(self, delivery_id: int, visible: KolLimit = EVERY_KOL) -> Delivery:
        """One delivery.

        Raises:
            NotFound: there is no such delivery within the limit; a digest is within none.
        """
        async with self._database.read() as connection:
            return await _get(connection, delivery_id, visible)

    async def page(
        self, wanted: DeliveryFilter, *, before: int | None, limit: int
    ) -> list[Delivery]:
        """Deliveries, last recorded first.

        Args:
            wanted: the filter.
            before: id of the last delivery of the page before.
            limit: most deliveries.
        """
        statement = (
            select_deliveries()
            .where(*within(payloads.c.kol_id, wanted.visible))
            .order_by(deliveries.c.delivery_id.desc())
            .limit(limit)
        )
        for column in ("channel", "state", "alert_id"):
            value = getattr(wanted, column)
            if value is not None:
                statement = statement.where(deliveries.c[column] == value)
        if before is not None:
            statement = statement.where(deliveries.c.delivery_id < before)
        async with self._database.read() as connection:
            return [to_delivery(row) for row in (await connection.execute(statement)).mappings()]

    async def oldest_waiting(
        self, now: datetime, visible: KolLimit = EVERY_KOL
    ) -> dict[str, datetime]:
        """Since when the oldest delivery waits, by channel; without those that are to wait."""
        since = func.min(func.coalesce(deliveries.c.not_before, deliveries.c.recorded_at))
        statement = (
            select(deliveries.c.channel, since)
            .where(deliveries.c.state == DeliveryState.WAITING, ~is_held(deliveries, now))
            .group_by(deliveries.c.channel)
        )
        if not visible.is_everything:
            of_payload = payloads.c.payload_id == deliveries.c.payload_id
            statement = statement.join(payloads, of_payload).where(
                *within(payloads.c.kol_id, visible)
            )
        async with self._database.read() as connection:
            rows = await connection.execute(statement)
            return {channel: from_micros(recorded_at) for channel, recorded_at in rows}


def _is_head() -> ColumnElement[bool]:
    """Whether no earlier transition of the same alert waits for the same channel."""
    return ~_follows(deliveries.alias("earlier"))


def _follows_later(now: datetime) -> ColumnElement[bool]:
    """Whether an earlier transition of the same alert is due on the channel later than now."""
    earlier = deliveries.alias("later")
    return _follows(earlier, earlier.c.due_at > to_micros(now))


def _follows(earlier: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        select(earlier.c.delivery_id)
        .where(
            earlier.c.state == DeliveryState.WAITING,
            earlier.c.channel == deliveries.c.channel,
            earlier.c.alert_id == deliveries.c.alert_id,
            earlier.c.delivery_id < deliveries.c.delivery_id,
            *conditions,
        )
        .correlate(deliveries)
        .exists()
    )


async def _get(
    connection: AsyncConnection, delivery_id: int, visible: KolLimit = EVERY_KOL
) -> Delivery:
    statement = select_deliveries().where(
        deliveries.c.delivery_id == delivery_id, *within(payloads.c.kol_id, visible)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no delivery {delivery_id}; GET /v1/deliveries lists them")
    return to_delivery(row)
