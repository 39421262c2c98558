"""The outbox's table: what waits, what was delivered, what was given up."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, RowMapping, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.delivery_state import DeliveryState
from serving.errors import NotFound
from serving.storage.alert_status import alert_statuses
from serving.storage.database import Database, from_micros, to_micros
from serving.storage.tables import alerts, deliveries, kols
from serving.storage.upsert import insert
from serving.triage.muting import AlertStatus

_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries to list; None sets no bound."""

    channel: str | None = None
    state: str | None = None
    alert_id: str | None = None


async def enqueue(
    connection: AsyncConnection, row: Mapping[str, Any], *, again: bool = False
) -> bool:
    """Write a delivery inside a transaction.

    Args:
        connection: the transaction.
        row: the delivery.
        again: put it in the place of one with its key that was skipped.

    Returns:
        False if its key is there already; then nothing is changed.
    """
    statement = insert(connection, deliveries).values(**row)
    if again:
        statement = statement.on_conflict_do_update(
            index_elements=["key"],
            set_=dict(row),
            where=deliveries.c.state == DeliveryState.SKIPPED,
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=["key"])
    written = await connection.execute(statement.returning(deliveries.c.delivery_id))
    return written.one_or_none() is not None


async def release(connection: AsyncConnection, channel: str, alert_id: str, now: datetime) -> None:
    """Let what of an alert waits for a team's hours on a channel go, inside a transaction."""
    statement = update(deliveries).where(
        *_waiting(channel), deliveries.c.alert_id == alert_id, _is_held(deliveries, now)
    )
    await connection.execute(statement.values(not_before=to_micros(now), due_at=to_micros(now)))


async def notified_channels(connection: AsyncConnection, alert_id: str) -> list[str]:
    """The channels that were told of an alert, or are about to be, inside a transaction."""
    statement = (
        select(deliveries.c.channel)
        .where(deliveries.c.alert_id == alert_id, deliveries.c.state != DeliveryState.SKIPPED)
        .group_by(deliveries.c.channel)
        .order_by(func.min(deliveries.c.delivery_id))
    )
    return list((await connection.execute(statement)).scalars())


async def was_not_called(connection: AsyncConnection, alert_id: str, channel: str) -> bool:
    """Whether the last page of an alert was kept back from a channel, inside a transaction."""
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
    connection: AsyncConnection,
) -> list[tuple[RowMapping, list[RowMapping]]]:
    """The open alerts that somebody was called about, each with its calls in their order.

    A call is a page that was not kept back, or a step of an escalation.
    """
    calls = (
        select(deliveries)
        .join(alerts, alerts.c.alert_id == deliveries.c.alert_id)
        .where(
            alerts.c.state == "open", deliveries.c.state != DeliveryState.SKIPPED, deliveries.c.page
        )
        .order_by(deliveries.c.delivery_id)
    )
    found: defaultdict[str, list[RowMapping]] = defaultdict(list)
    for row in (await connection.execute(calls)).mappings():
        found[row["alert_id"]].append(row)
    statement = select(alerts).where(alerts.c.alert_id.in_(list(found)))
    rows = (await connection.execute(statement.order_by(alerts.c.alert_id))).mappings()
    return [(row, found[row["alert_id"]]) for row in rows]


async def suppressed_open(
    connection: AsyncConnection, channels: Collection[str], *, spared: Collection[str]
) -> list[RowMapping]:
    """The open alerts of which a channel was last not told, inside a transaction.

    Args:
        connection: the transaction.
        channels: the channels to look at.
        spared: reasons to skip a delivery that are none to make up for it.

    Returns:
        Each alert as it stands, with the `channel` and the event time of the delivery that was
        skipped as `muted_at`, in microseconds.
    """
    last = (
        select(func.max(deliveries.c.delivery_id))
        .join(alerts, alerts.c.alert_id == deliveries.c.alert_id)
        .where(
            alerts.c.state == "open",
            deliveries.c.channel.in_(channels),
            # A step that was kept back is made up for by the escalation itself.
            or_(deliveries.c.state != DeliveryState.SKIPPED, deliveries.c.step.is_(None)),
        )
        .group_by(deliveries.c.alert_id, deliveries.c.channel)
    )
    statement = (
        select(alerts, deliveries.c.channel, deliveries.c.at.label("muted_at"))
        .join(deliveries, deliveries.c.alert_id == alerts.c.alert_id)
        .where(
            deliveries.c.delivery_id.in_(last),
            deliveries.c.state == DeliveryState.SKIPPED,
            deliveries.c.error.not_in(spared),
        )
        .order_by(deliveries.c.delivery_id)
    )
    return list((await connection.execute(statement)).mappings())


class DeliveryStore:
    """The `deliveries` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, channel: str, now: datetime, *, most: int) -> list[RowMapping]:
        """What to send on a channel next, with the KOLs' names; empty if nothing is due.

        Of an alert only its first waiting transition can be due, so its order is kept. Where
        `most` is more than 1, everything that waits goes along with what is due, in order, but
        for what waits for a team's hours.
        """
        waiting = _waiting(channel)
        heads = select(deliveries.c.delivery_id).where(*waiting, _is_head())
        heads = heads.where(deliveries.c.due_at <= to_micros(now))
        heads = heads.order_by(deliveries.c.delivery_id).limit(1)
        found = select(deliveries, kols.c.name.label("kol_name")).outerjoin(
            kols, kols.c.kol_id == deliveries.c.kol_id
        )
        async with self._database.read() as connection:
            first = await connection.scalar(heads)
            if first is None:
                return []
            if most == 1:
                found = found.where(deliveries.c.delivery_id == first)
            else:
                free = ~_is_held(deliveries, now), ~_follows_held(now)
                found = found.where(*waiting, *free).order_by(deliveries.c.delivery_id).limit(most)
            return list((await connection.execute(found)).mappings())

    async def next_due(self, channel: str) -> datetime | None:
        """When the next delivery of a channel is due; None if none waits."""
        statement = select(func.min(deliveries.c.due_at)).where(*_waiting(channel), _is_head())
        async with self._database.read() as connection:
            due_at = await connection.scalar(statement)
        return None if due_at is None else from_micros(due_at)

    async def finish(
        self, ids: Sequence[int], state: str, now: datetime, error: str | None = None
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

    async def alert_statuses(self, rows: Sequence[RowMapping], now: datetime) -> list[AlertStatus]:
        """How people stand with the alerts of deliveries, in their order."""
        async with self._database.read() as connection:
            return await alert_statuses(connection, rows, now)

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

    async def resend(self, delivery_id: int, now: datetime) -> RowMapping:
        """Make a delivery due at once, with all its attempts before it, and though its alert be
        muted; returns it.

        Raises:
            NotFound: there is no such delivery.
        """
        fresh = {
            "state": DeliveryState.WAITING,
            "attempts": 0,
            "due_at": to_micros(now),
            "finished_at": None,
        }
        statement = (
            update(deliveries)
            .where(deliveries.c.delivery_id == delivery_id)
            .values(**fresh, not_before=None, error=None, by_hand=True)
            .returning(deliveries)
        )
        async with self._database.write() as connection:
            row: RowMapping | None = (await connection.execute(statement)).mappings().one_or_none()
        if row is None:
            raise _missing(delivery_id)
        return row

    async def get(self, delivery_id: int) -> RowMapping:
        """One delivery.

        Raises:
            NotFound: there is no such delivery.
        """
        statement = select(deliveries).where(deliveries.c.delivery_id == delivery_id)
        async with self._database.read() as connection:
            row: RowMapping | None = (await connection.execute(statement)).mappings().one_or_none()
        if row is None:
            raise _missing(delivery_id)
        return row

    async def page(
        self, wanted: DeliveryFilter, *, before: int | None, limit: int
    ) -> list[RowMapping]:
        """Deliveries, last recorded first.

        Args:
            wanted: the filter.
            before: id of the last row already had.
            limit: most rows.
        """
        statement = select(deliveries).order_by(deliveries.c.delivery_id.desc()).limit(limit)
        for column in ("channel", "state", "alert_id"):
            value = getattr(wanted, column)
            if value is not None:
                statement = statement.where(deliveries.c[column] == value)
        if before is not None:
            statement = statement.where(deliveries.c.delivery_id < before)
        async with self._database.read() as connection:
            return list((await connection.execute(statement)).mappings())

    async def oldest_waiting(self, now: datetime) -> dict[str, datetime]:
        """Since when the oldest delivery waits, by channel; without those that are to wait."""
        since = func.min(func.coalesce(deliveries.c.not_before, deliveries.c.recorded_at))
        statement = (
            select(deliveries.c.channel, since)
            .where(deliveries.c.state == DeliveryState.WAITING, ~_is_held(deliveries, now))
            .group_by(deliveries.c.channel)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(statement)
            return {channel: from_micros(recorded_at) for channel, recorded_at in rows}


def _waiting(channel: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return deliveries.c.state == DeliveryState.WAITING, deliveries.c.channel == channel


def _is_held(rows: FromClause, now: datetime) -> ColumnElement[bool]:
    """Whether a delivery waits for a team's hours."""
    return func.coalesce(rows.c.not_before, 0) > to_micros(now)


def _is_head() -> ColumnElement[bool]:
    """Whether no earlier transition of the same alert waits for the same channel."""
    return ~_follows(deliveries.alias("earlier"))


def _follows_held(now: datetime) -> ColumnElement[bool]:
    """Whether an earlier transition of the same alert waits for a team's hours on the channel."""
    earlier = deliveries.alias("held")
    return _follows(earlier, _is_held(earlier, now))


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


def _missing(delivery_id: int) -> NotFound:
    return NotFound(f"there is no delivery {delivery_id}; GET /v1/deliveries lists them")
