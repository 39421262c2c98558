"""Reads and writes the normal delays of sources, inside a transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.kinds import AlertState
from serving.storage.delay_sketch import DelaySketch
from serving.storage.instants import from_micros, to_micros
from serving.storage.source_delay import RECENT, LateSource, NewDelays, Source, SourceDelay
from serving.storage.tables import alerts, source_delays
from serving.storage.upsert import insert

EVERYBODY = ""  # the id under which the delays of all KOLs are kept; no KOL has it
_SHOWN = tuple(column for column in source_delays.c if column.name not in ("counts", "weights"))
_LATE = timedelta(minutes=10)  # a delay that an alert's reader should know of


async def add_delays(connection: AsyncConnection, new: Mapping[Source, NewDelays]) -> None:
    """Add delays to what is known of their sources."""
    kol_ids, platforms = zip(*new, strict=True)
    # Pairs would make SQLite read the whole table; of what is found here too many do no harm.
    known = await connection.execute(
        select(source_delays).where(
            source_delays.c.kol_id.in_(set(kol_ids)), source_delays.c.platform.in_(set(platforms))
        )
    )
    before = {(row.kol_id, row.platform): row for row in known}
    statement = insert(connection, source_delays)
    changed = [column.name for column in source_delays.c if not column.primary_key]
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["kol_id", "platform"],
            set_={name: statement.excluded[name] for name in changed},
        ),
        [_row(source, before.get(source), delays) for source, delays in new.items()],
    )


async def slowest_delays(
    connection: AsyncConnection, kol_ids: Collection[str], now: datetime
) -> dict[str, timedelta]:
    """How long one waits for nine of ten comments on each KOL, on its slowest recent platform.

    A KOL of which no delay is known is left out.
    """
    statement = (
        select(source_delays.c.kol_id, func.max(source_delays.c.p90))
        .where(source_delays.c.kol_id.in_(kol_ids), *_is_current(now))
        .group_by(source_delays.c.kol_id)
    )
    rows = await connection.execute(statement)
    return {kol_id: timedelta(seconds=p90) for kol_id, p90 in rows}


async def delays_of_kols(
    connection: AsyncConnection, kol_ids: Collection[str]
) -> dict[str, list[SourceDelay]]:
    """The delays of KOLs by platform; a KOL without live comments has an empty list."""
    found: dict[str, list[SourceDelay]] = {kol_id: [] for kol_id in kol_ids}
    statement = select(*_SHOWN).where(source_delays.c.kol_id.in_(kol_ids))
    for row in await connection.execute(statement.order_by(source_delays.c.platform)):
        found[row.kol_id].append(_delay_of(row))
    return found


async def delays_of_platforms(connection: AsyncConnection, most: int) -> list[SourceDelay]:
    """The known delays over all KOLs, of the platforms with the most comments."""
    statement = (
        select(*_SHOWN)
        .where(source_delays.c.kol_id == EVERYBODY, source_delays.c.p90.is_not(None))
        .order_by(source_delays.c.comments.desc(), source_delays.c.platform)
        .limit(most)
    )
    return [_delay_of(row) for row in await connection.execute(statement)]


async def late_sources(
    connection: AsyncConnection, alert_ids: Collection[str], now: datetime
) -> dict[str, tuple[LateSource, ...]]:
    """The platforms whose comments may be missing in alerts, the slowest first, by alert.

    A platform that usually takes no longer than ten minutes is left out, and so is one of which
    all comments up to the alert's end should have arrived. An alert that was withdrawn has none.
    """
    statement = (
        select(alerts.c.alert_id, alerts.c.resolved_at, *_SHOWN)
        .join(source_delays, source_delays.c.kol_id == alerts.c.kol_id)
        .where(
            alerts.c.alert_id.in_(alert_ids),
            alerts.c.state != AlertState.REVISED,
            *_is_current(now),
            source_delays.c.p90 > _LATE.total_seconds(),
        )
        .order_by(source_delays.c.p90.desc(), source_delays.c.platform)
    )
    found: defaultdict[str, tuple[LateSource, ...]] = defaultdict(tuple)
    for row in await connection.execute(statement):
        least, most = timedelta(seconds=row.p10), timedelta(seconds=row.p90)
        since = now - most
        if row.resolved_at is None or since < from_micros(row.resolved_at):
            found[row.alert_id] += (LateSource(row.platform, least, most, since, now),)
    return dict(found)


def _row(source: Source, before: Row[Any] | None, new: NewDelays) -> Mapping[str, Any]:
    sketch, comments = DelaySketch(), 0
    if before is not None:
        sketch = DelaySketch(before.hour, _bins(before.counts), _bins(before.weights))
        comments = before.comments
    for hour, delays in new.by_hour.items():
        sketch = sketch.with_delays(hour, delays)
    known = sketch.known
    return {
        "kol_id": source[0],
        "platform": source[1],
        "comments": comments + new.comments,
        "hour": sketch.hour,
        "counts": _stored(sketch.counts),
        "weights": _stored(sketch.weights),
        "p10": sketch.quantile(0.1) if known else None,
        "p90": sketch.quantile(0.9) if known else None,
        "last_received_at": to_micros(new.last_received_at),
    }


def _bins(stored: Mapping[str, Any]) -> dict[int, Any]:
    return {int(number): value for number, value in stored.items()}


def _stored(bins: Mapping[int, float]) -> dict[str, float]:
    return {str(number): value for number, value in sorted(bins.items())}


def _delay_of(row: Row[Any]) -> SourceDelay:
    return SourceDelay(
        platform=row.platform,
        comments=row.comments,
        least=None if row.p10 is None else timedelta(seconds=row.p10),
        most=None if row.p90 is None else timedelta(seconds=row.p90),
        last_received_at=from_micros(row.last_received_at),
    )


def _is_current(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether a delay is known, of a source that still sends."""
    recent = source_delays.c.last_received_at >= to_micros(now - RECENT)
    return recent, source_delays.c.p90.is_not(None)
