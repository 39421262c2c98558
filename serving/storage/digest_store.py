"""The data of digests, read in one transaction, and up to when each digest has been written."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.kinds import AlertState, Severity
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.alert_record import AlertEventRecord, AlertRecord, to_alert, to_event
from serving.storage.alert_status import alert_statuses
from serving.storage.digest_record import DigestInterval
from serving.storage.instants import from_micros, to_micros
from serving.storage.kol_alias_rows import visible_leads
from serving.storage.kol_filter import within
from serving.storage.kol_store import archived_kols, is_merged
from serving.storage.rebuild import PIPELINE
from serving.storage.score_rows import MILLIONTHS
from serving.storage.tables import (
    alert_events,
    alerts,
    comments,
    digests,
    kols,
    minute_scores,
    minutes,
    progress,
)

HOUR = timedelta(hours=1)
_HOUR = to_micros(from_micros(0) + HOUR)
_AT_ONCE = 500  # KOLs in one statement; databases bound the parameters of one


@dataclass(frozen=True, slots=True)
class Sums:
    """The comments on a KOL in a stretch of time, summed.

    Attributes:
        comments: how many.
        negative: sum of P(negative) over them.
        positive: sum of P(positive) over them.
    """

    comments: int
    negative: float
    positive: float


@dataclass(slots=True)
class Learnt:
    """What the detector expected for a KOL.

    Attributes:
        rates: expected comments per minute, by the start of the hour (UTC).
        comments: comments in the stretch that came after enough had been learnt.
        negative: expected negative comments among them.
    """

    rates: dict[datetime, float] = field(default_factory=dict)
    comments: int = 0
    negative: float = 0.0


async def names(
    connection: AsyncConnection, ids: Collection[str] | None, visible: KolLimit = EVERY_KOL
) -> dict[str, str | None]:
    """The names of KOLs by id, sorted; all KOLs if `ids` is None, else those that they lead to.

    KOLs that are archived, or were merged into others, or are not of the limit, are left out.
    """
    if ids is None:
        statement = select(kols.c.kol_id, kols.c.name)
        found = await connection.execute(
            statement.where(
                kols.c.archived_at.is_(None), ~is_merged(), *within(kols.c.kol_id, visible)
            )
        )
        return dict(sorted((row.kol_id, row.name) for row in found))
    leads = await visible_leads(connection, ids, visible)
    ids = set(leads.values()) - await archived_kols(connection)
    known: dict[str, str | None] = {}
    for some in _chunks(ids):
        statement = select(kols.c.kol_id, kols.c.name).where(kols.c.kol_id.in_(some))
        known |= {row.kol_id: row.name for row in await connection.execute(statement)}
    return {kol_id: known.get(kol_id) for kol_id in sorted(ids)}


async def sums(
    connection: AsyncConnection, ids: Collection[str], since: datetime, until: datetime
) -> dict[str, Sums]:
    """The comments on each KOL in [since, until), summed; KOLs without comments are left out."""
    found: dict[str, Sums] = {}
    for some in _chunks(ids):
        statement = (
            select(
                minutes.c.kol_id,
                func.sum(minutes.c.comments),
                func.sum(minutes.c.negative),
                func.sum(minutes.c.positive),
            )
            .where(
                minutes.c.kol_id.in_(some),
                minutes.c.start >= to_micros(since),
                minutes.c.start < to_micros(until),
                minutes.c.comments > 0,  # all others of the minute were removed
            )
            .group_by(minutes.c.kol_id)
        )
        for kol_id, *row in await connection.execute(statement):
            found[kol_id] = _sums(row)
    return found


async def learnt(
    connection: AsyncConnection,
    ids: Collection[str],
    earliest: datetime,
    since: datetime,
    until: datetime,
) -> dict[str, Learnt]:
    """What was expected for each KOL; those of which too little had been learnt are left out.

    Args:
        connection: the transaction.
        ids: of the KOLs.
        earliest: from when on rates are wanted.
        since: the stretch of which the negatives are wanted …
        until: … and its end, that of the rates too.
    """
    found: defaultdict[str, Learnt] = defaultdict(Learnt)
    hour = (minute_scores.c.start - minute_scores.c.start % _HOUR).label("hour")
    within = minute_scores.c.start >= to_micros(since)
    counted = case((within, minute_scores.c.comments), else_=0)
    for some in _chunks(ids):
        statement = (
            select(
                minute_scores.c.kol_id,
                hour,
                func.avg(minute_scores.c.expected_comments),
                func.sum(counted),
                func.sum(counted * minute_scores.c.expected_negative_share),
            )
            .where(
                minute_scores.c.kol_id.in_(some),
                minute_scores.c.start >= to_micros(earliest),
                minute_scores.c.start < to_micros(until),
                minute_scores.c.judged,
            )
            .group_by(minute_scores.c.kol_id, hour)
        )
        for kol_id, start, rate, count, negative in await connection.execute(statement):
            one = found[kol_id]
            one.rates[from_micros(start)] = rate
            one.comments += count
            one.negative += negative
    return dict(found)


async def alerts_of(
    connection: AsyncConnection, ids: Collection[str], since: datetime, until: datetime
) -> list[tuple[AlertRecord, list[AlertEventRecord]]]:
    """The alerts that may have been open in [since, until), each with its transitions in order."""
    found: list[AlertRecord] = []
    for some in _chunks(ids):
        statement = select(alerts).where(
            alerts.c.kol_id.in_(some),
            alerts.c.state != AlertState.REVISED,
            alerts.c.opened_at < to_micros(until),
            or_(alerts.c.resolved_at.is_(None), alerts.c.resolved_at >= to_micros(since)),
        )
        found += map(to_alert, (await connection.execute(statement)).mappings())
    return await _with_events(connection, found)


async def alerts_found(
    connection: AsyncConnection, ids: Collection[str], since: datetime, until: datetime
) -> list[tuple[AlertRecord, list[AlertEventRecord]]]:
    """The alerts of which comments that came late showed something in [since, until) by the clock,
    each with its transitions in order.
    """
    late = select(alert_events.c.alert_id).where(
        alert_events.c.found_at >= to_micros(since), alert_events.c.found_at < to_micros(until)
    )
    found: list[AlertRecord] = []
    for some in _chunks(ids):
        statement = select(alerts).where(alerts.c.kol_id.in_(some), alerts.c.alert_id.in_(late))
        found += map(to_alert, (await connection.execute(statement)).mappings())
    return await _with_events(connection, found)


async def _with_events(
    connection: AsyncConnection, found: Sequence[AlertRecord]
) -> list[tuple[AlertRecord, list[AlertEventRecord]]]:
    events: defaultdict[str, list[AlertEventRecord]] = defaultdict(list)
    for some in _chunks([alert.alert_id for alert in found]):
        statement = select(alert_events).where(alert_events.c.alert_id.in_(some))
        rows = await connection.execute(statement.order_by(alert_events.c.event_id))
        for event in map(to_event, rows.mappings()):
            events[event.alert_id].append(event)
    return [(alert, events[alert.alert_id]) for alert in found]


async def open_severities(
    connection: AsyncConnection, ids: Collection[str], now: datetime
) -> dict[str, list[Severity]]:
    """The severities of the alerts of each KOL that are open and not closed by hand."""
    found: defaultdict[str, list[Severity]] = defaultdict(list)
    for some in _chunks(ids):
        statement = select(alerts).where(
            alerts.c.kol_id.in_(some), alerts.c.state == AlertState.OPEN
        )
        rows = [to_alert(row) for row in (await connection.execute(statement)).mappings()]
        for row, alert_status in zip(
            rows, await alert_statuses(connection, rows, now), strict=True
        ):
            if alert_status.triage.closed is None:
                found[row.kol_id].append(row.severity)
    return dict(found)


async def height(
    connection: AsyncConnection,
    kol_id: str,
    since: datetime,
    until: datetime,
    step: timedelta,
    *,
    by: str,
) -> tuple[datetime, Sums] | None:
    """The step of a stretch with the most "comments" or "negative"; None without comments.

    Steps are counted from 1970 in UTC; of equal ones the first.
    """
    width = to_micros(from_micros(0) + step)
    bucket = (minutes.c.start - minutes.c.start % width).label("bucket")
    totals = [func.sum(minutes.c[name]) for name in ("comments", "negative", "positive")]
    statement = (
        select(bucket, *totals)
        .where(
            minutes.c.kol_id == kol_id,
            minutes.c.start >= to_micros(since),
            minutes.c.start < to_micros(until),
        )
        .group_by(bucket)
        .order_by(func.sum(minutes.c[by]).desc(), bucket)
        .limit(1)
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else (from_micros(row[0]), _sums(row[1:]))


async def holds_unread(connection: AsyncConnection, before: datetime) -> bool:
    """Whether comments written before an instant are in the log and not yet processed."""
    done = select(progress.c.seq).where(progress.c.name == PIPELINE)
    processed = await connection.scalar(done) or 0
    statement = (
        select(comments.c.seq)
        .where(comments.c.seq > processed, comments.c.created_at < to_micros(before))
        .limit(1)
    )
    return await connection.scalar(statement) is not None


async def begin(
    connection: AsyncConnection, wanted: Collection[tuple[str, DigestInterval]], now: datetime
) -> None:
    """Keep track of exactly these digests, by name and interval.

    A digest that is new in the channels file is not written for the time before.
    """
    held = set(await reached(connection))
    for name, every in held - set(wanted):
        await connection.execute(
            delete(digests).where(digests.c.name == name, digests.c.every == every)
        )
    for name, every in sorted(set(wanted) - held):
        await connection.execute(
            digests.insert().values(name=name, every=every, reached=to_micros(now))
        )


async def reached(connection: AsyncConnection) -> dict[tuple[str, DigestInterval], datetime]:
    """Up to when the digests that were due have been written, by name and interval."""
    rows = await connection.execute(select(digests))
    return {(row.name, DigestInterval(row.every)): from_micros(row.reached) for row in rows}


async def reach(
    connection: AsyncConnection, name: str, every: DigestInterval, at: datetime
) -> None:
    """Note that a digest has been written up to an instant."""
    statement = update(digests).where(digests.c.name == name, digests.c.every == every)
    await connection.execute(statement.values(reached=to_micros(at)))


def _sums(row: Sequence[Any]) -> Sums:
    comments, *millionths = (int(value) for value in row)
    negative, positive = (value / MILLIONTHS for value in millionths)
    return Sums(comments, negative, positive)


def _chunks(ids: Collection[str]) -> Iterator[Sequence[str]]:
    ordered = sorted(ids)
    for first in range(0, len(ordered), _AT_ONCE):
        yield ordered[first : first + _AT_ONCE]
