"""Builds digests: reads the comments and alerts of some KOLs in a period and composes them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.kinds import BY_VOLUME, AlertKind
from serving.notify.config.period import Period
from serving.reports.incidents import (
    incident_of,
    open_in,
    recoveries_of,
    waves_of,
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
)
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
    """

    period: Period
    kols: frozenset[str] | None
    name: str | None = None
    due_at: datetime | None = None


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
    names = await digest_store.names(connection, request.kols)
    until = min(period.until, now)
    incidents, recoveries = await _incidents(connection, names, period.since, until, now)
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
    since: datetime,
    until: datetime,
    now: datetime,
) -> tuple[list[Incident], list[IncidentRecovery]]:
    found = await digest_store.alerts_of(connection, names, since, until)
    found = [(alert, events) for alert, events in found if open_in(waves_of(events), since, until)]
    actions = await histories(connection, [alert.alert_id for alert, _ in found])
    incidents: list[Incident] = []
    recoveries: list[IncidentRecovery] = []
    for alert, events in found:
        name = names[alert.kol_id]
        history = actions[alert.alert_id]
        peak = await _peak(connection, alert, events, now)
        judgement = triage_status_of(history.actions, (), now)
        incidents.append(incident_of(alert, events, name, peak, history.triage(now), judgement))
        recoveries += recoveries_of(alert, events, name, since, until)
    incidents.sort(key=lambda one: (-one.severity.rank, one.began, one.alert_id))
    recoveries.sort(key=lambda one: (one.ended, one.alert_id))
    return incidents, recoveries


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
