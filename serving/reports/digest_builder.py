"""Builds digests: reads the comments and alerts of some KOLs in a period and composes them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.kinds import BY_VOLUME, AlertKind
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.notify.config.period import Period
from serving.reports.incidents import (
    found_late,
    incident_of,
    open_in,
    recoveries_of,
    waves_of,
    with_post,
    withdrawn_in,
)
from serving.reports.moods import LOOK_BACK, kol_mood, trouble
from serving.storage import digest_store
from serving.storage.action_store import FeedbackFilter, histories, judged
from serving.storage.alert_record import AlertEventRecord, AlertRecord
from serving.storage.database import Database
from serving.storage.digest_record import (
    Digest,
    DigestInterval,
    Incident,
    IncidentRecovery,
    KolMood,
    Peak,
    Precision,
    WithdrawnAlert,
)
from serving.storage.post_names import post_names, posts_in
from serving.triage.feedback import Judged, wilson
from serving.triage.triage_status import Verdict, triage_status_of

_PEAK = timedelta(minutes=10)
_WEEKS = 12  # over which the precision is computed


@dataclass(frozen=True, slots=True)
class DigestRequest:
    """A request for a digest.

    Attributes:
        period: the period of the digest.
        kols: ids of the KOLs; None for all.
        name: name of the digest or the brand; None if it has neither.
        due_at: time at which it is due; None if it is not sent regularly.
        found_since: when the digest before was due; what was found late since then is listed.
            None for the start of the period.
        visible: KOLs that are not of this limit are left out.
    """

    period: Period
    kols: frozenset[str] | None
    name: str | None = None
    due_at: datetime | None = None
    found_since: datetime | None = None
    visible: KolLimit = EVERY_KOL


class DigestBuilder:
    """Builds digests from the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, request: DigestRequest, now: datetime) -> Digest:
        """The requested digest in its current state; see `compose`.

        Raises:
            StoreError: the database failed.
        """
        async with self._database.read() as connection:
            return await compose(connection, request, now)


async def compose(connection: AsyncConnection, request: DigestRequest, now: datetime) -> Digest:
    """The requested digest in its current state.

    Args:
        connection: a read transaction.
        request: the request; its period begins before `now`.
        now: current time; a period that is not over is reported up to it.
    """
    period = request.period
    names = await digest_store.names(connection, request.kols, request.visible)
    until = min(period.until, now)
    # Each thing that is found late is in one digest: what is found after this one is due, is left
    # to the next.
    found = request.found_since or period.since, request.due_at or until
    incidents, recoveries = await _incidents(
        connection, names, (period.since, until), request.due_at, now, request.visible
    )
    late, withdrawn = await _found(connection, names, period.since, found, now, request.visible)
    return Digest(
        name=request.name,
        every=period.every,
        first=period.first,
        last=period.last,
        timezone=period.zone.key,
        since=period.since,
        until=until,
        due_at=request.due_at,
        written_at=now,
        over=period.until <= now,
        kols=await _moods(connection, names, period, now),
        incidents=tuple(one for one in incidents if not one.kind.informs),
        notices=tuple(one for one in incidents if one.kind.informs),
        recoveries=tuple(one for one in recoveries if not one.kind.informs),
        precision=await _precision(connection, names, until, now),
        found_late=late,
        withdrawn=withdrawn,
    )


async def _moods(
    connection: AsyncConnection, names: Mapping[str, str | None], period: Period, now: datetime
) -> tuple[KolMood, ...]:
    since, until, before = period.since, min(period.until, now), period.before
    said = await digest_store.sums(connection, names, since, until)
    said_before = await digest_store.sums(connection, names, before.since, before.until)
    learnt = await digest_store.learnt(connection, names, since - LOOK_BACK, since, until)
    severities = await digest_store.open_severities(connection, names, now)
    days = [day for day in period.days if period.every == DigestInterval.WEEK and day.since < until]
    by_day = [
        (day, await digest_store.sums(connection, names, day.since, min(day.until, until)))
        for day in days
    ]
    rows = (
        kol_mood(
            kol_id,
            name,
            (since, until),
            said.get(kol_id),
            said_before.get(kol_id),
            learnt.get(kol_id),
            severities.get(kol_id, ()),
            [(day, sums.get(kol_id)) for day, sums in by_day],
        )
        for kol_id, name in names.items()
    )
    return tuple(sorted(rows, key=trouble))


async def _incidents(
    connection: AsyncConnection,
    names: Mapping[str, str | None],
    period: tuple[datetime, datetime],
    due_at: datetime | None,
    now: datetime,
    visible: KolLimit,
) -> tuple[list[Incident], list[IncidentRecovery]]:
    found = [
        (alert, events)
        for alert, events in await digest_store.alerts_of(connection, names, *period)
        if open_in(waves_of(events), *period) and not _left(alert, due_at)
    ]
    recoveries = [
        recovery
        for alert, events in found
        for recovery in recoveries_of(alert, events, names[alert.kol_id], *period)
    ]
    recoveries.sort(key=lambda one: (one.ended, one.alert_id))
    return await _described(connection, names, found, now, visible), recoveries


def _left(alert: AlertRecord, due_at: datetime | None) -> bool:
    """Whether an alert that was found late is left to the next digest."""
    return due_at is not None and alert.found_at is not None and alert.found_at >= due_at


async def _found(
    connection: AsyncConnection,
    names: Mapping[str, str | None],
    since: datetime,
    found: tuple[datetime, datetime],
    now: datetime,
    visible: KolLimit,
) -> tuple[tuple[Incident, ...], tuple[WithdrawnAlert, ...]]:
    """What comments that came late have shown: incidents of before, and what was none."""
    late, withdrawn = [], []
    for alert, events in await digest_store.alerts_found(connection, names, *found):
        if (gone := withdrawn_in(alert, events, names[alert.kol_id], found)) is not None:
            withdrawn.append(gone)
        elif found_late(alert, events, since, found):
            late.append((alert, events))
    withdrawn.sort(key=lambda one: (one.withdrawn_at, one.alert_id))
    described = await _described(connection, names, late, now, visible)
    return tuple(described), tuple(withdrawn)


async def _described(
    connection: AsyncConnection,
    names: Mapping[str, str | None],
    found: Sequence[tuple[AlertRecord, list[AlertEventRecord]]],
    now: datetime,
    visible: KolLimit,
) -> list[Incident]:
    """Alerts as incidents, the most severe first."""
    actions = await histories(connection, [alert.alert_id for alert, _ in found])
    transitions = [event for _, events in found for event in events]
    tops = {post for one in transitions for post in posts_in(one.kol_id, one.evidence)[:1]}
    known = await post_names(connection, tops, visible)
    incidents: list[Incident] = []
    for alert, events in found:
        history = actions[alert.alert_id]
        peak = await _peak(connection, alert, events, now)
        judgement = triage_status_of(history.actions, (), now)
        name = names[alert.kol_id]
        incident = incident_of(alert, events, name, peak, history.triage(now), judgement)
        incidents.append(with_post(incident, known))
    incidents.sort(key=lambda one: (-one.severity.rank, one.began, one.alert_id))
    return incidents


async def _peak(
    connection: AsyncConnection, alert: AlertRecord, events: list[AlertEventRecord], now: datetime
) -> Peak | None:
    if alert.kind == AlertKind.DATA_GAP:
        return None
    waves = waves_of(events)
    by = "comments" if alert.kind in BY_VOLUME else "negative"
    began = waves[0].began
    ended = waves[-1].resolved or now
    found = await digest_store.height(connection, alert.kol_id, began, ended, _PEAK, by=by)
    if found is None:
        return None
    start, sums = found
    return Peak(start, sums.comments, sums.negative)


async def _precision(
    connection: AsyncConnection, names: Collection[str], until: datetime, now: datetime
) -> Precision:
    wanted = FeedbackFilter(until - timedelta(weeks=_WEEKS), until)
    return precision_of(
        [one for one in await judged(connection, wanted, now) if one.kol_id in names]
    )


def precision_of(alerts: Collection[Judged]) -> Precision:
    """How often alerts of the last weeks were right."""
    verdicts = [alert.verdict for alert in alerts]
    confirmed, false_alarms = verdicts.count(Verdict.CONFIRMED), verdicts.count(Verdict.FALSE_ALARM)
    reviewed = confirmed + false_alarms
    low, high = wilson(confirmed, reviewed) if reviewed else (None, None)
    return Precision(
        weeks=_WEEKS,
        raised=len(verdicts),
        confirmed=confirmed,
        false_alarms=false_alarms,
        share=confirmed / reviewed if reviewed else None,
        low=low,
        high=high,
    )
