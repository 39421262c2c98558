"""Alerts, their transitions, and what the detectors computed; written by the pipeline's steps."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select

from monitoring.kinds import AlertState, Severity
from monitoring.minute_score import MinuteScore
from serving.errors import NotFound
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.slices import Slices
from serving.storage.alert_record import AlertEventRecord, AlertRecord, to_alert, to_event
from serving.storage.alert_status import alert_statuses
from serving.storage.database import Database
from serving.storage.instants import to_micros
from serving.storage.kol_filter import within
from serving.storage.minute_score_rows import from_row
from serving.storage.muted_alerts import muted_by_kol
from serving.storage.tables import actions, alert_events, alerts, minute_scores
from serving.triage.muting import AlertStatus, MutableAlert


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts to list; None sets no bound.

    Attributes:
        kol_id: only this KOL's.
        state: only these.
        severity: only these.
        since: opened at or after this instant of event time.
        touched: only those that somebody did something to.
        visible: only those of its KOLs.
    """

    kol_id: str | None = None
    state: AlertState | None = None
    severity: Severity | None = None
    since: datetime | None = None
    touched: bool = False
    visible: KolLimit = EVERY_KOL


class AlertStore:
    """The `alerts`, `alert_events` and `minute_scores` tables, for reading."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, wanted: AlertFilter, *, before: tuple[datetime, str] | None, limit: int
    ) -> list[AlertRecord]:
        """Alerts, last opened first.

        Args:
            wanted: the filter.
            before: keyset (opened_at, alert_id) of the last alert of the page before.
            limit: most alerts.
        """
        statement = (
            select(alerts)
            .where(*within(alerts.c.kol_id, wanted.visible))
            .order_by(alerts.c.opened_at.desc(), alerts.c.alert_id.desc())
            .limit(limit)
        )
        for column in ("kol_id", "state", "severity"):
            value = getattr(wanted, column)
            if value is not None:
                statement = statement.where(alerts.c[column] == value)
        if wanted.since is not None:
            statement = statement.where(alerts.c.opened_at >= to_micros(wanted.since))
        if wanted.touched:
            statement = statement.where(alerts.c.alert_id.in_(select(actions.c.alert_id)))
        if before is not None:
            opened_at, alert_id = to_micros(before[0]), before[1]
            statement = statement.where(
                or_(
                    alerts.c.opened_at < opened_at,
                    and_(alerts.c.opened_at == opened_at, alerts.c.alert_id < alert_id),
                )
            )
        async with self._database.read() as connection:
            return [to_alert(row) for row in (await connection.execute(statement)).mappings()]

    async def get(
        self, alert_id: str, visible: KolLimit = EVERY_KOL
    ) -> tuple[AlertRecord, list[AlertEventRecord]]:
        """One alert and its transitions, oldest first.

        Raises:
            NotFound: there is no such alert within the limit.
        """
        events = (
            select(alert_events)
            .where(alert_events.c.alert_id == alert_id)
            .order_by(alert_events.c.event_id)
        )
        async with self._database.read() as connection:
            named = alerts.c.alert_id == alert_id, *within(alerts.c.kol_id, visible)
            found = await connection.execute(select(alerts).where(*named))
            alert = found.mappings().one_or_none()
            if alert is None:
                raise NotFound(f"there is no alert {alert_id!r}; GET /v1/alerts lists them")
            rows = (await connection.execute(events)).mappings()
            return to_alert(alert), [to_event(row) for row in rows]

    async def alert_statuses(
        self, found: Sequence[MutableAlert], now: datetime
    ) -> list[AlertStatus]:
        """The status of each alert, in the same order."""
        async with self._database.read() as connection:
            return await alert_statuses(connection, found, now)

    async def minute_scores(
        self, kol_id: str, since: datetime, until: datetime | None
    ) -> list[MinuteScore]:
        """What the detectors computed for a KOL's minutes in [since, until), oldest first.

        `until` None sets no bound.
        """
        statement = (
            select(minute_scores)
            .where(minute_scores.c.kol_id == kol_id, minute_scores.c.start >= to_micros(since))
            .order_by(minute_scores.c.start)
        )
        if until is not None:
            statement = statement.where(minute_scores.c.start < to_micros(until))
        async with self._database.read() as connection:
            return [from_row(row) for row in (await connection.execute(statement)).mappings()]

    async def events_after(self, event_id: int, *, limit: int) -> list[AlertEventRecord]:
        """Transitions of all alerts after a place, oldest first."""
        statement = (
            select(alert_events)
            .where(alert_events.c.event_id > event_id)
            .order_by(alert_events.c.event_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [to_event(row) for row in (await connection.execute(statement)).mappings()]

    async def last_event_id(self) -> int:
        """The place of the latest transition; 0 before the first."""
        async with self._database.read() as connection:
            return await connection.scalar(select(func.max(alert_events.c.event_id))) or 0

    async def open_by_kol(
        self, named: Collection[str] | None = None, *, rest: str = ""
    ) -> Counter[tuple[str, str]]:
        """How many alerts are open, by (KOL, severity).

        Args:
            named: count only those of these KOLs by KOL …
            rest: … and all others together, under this name.
        """
        found, slices = Counter[tuple[str, str]](), Slices()
        is_open = alerts.c.state == AlertState.OPEN
        statement = (
            select(alerts.c.kol_id, alerts.c.severity, func.count())
            .where(is_open)
            .group_by(alerts.c.kol_id, alerts.c.severity)
        )
        if named is not None:
            statement = statement.where(alerts.c.kol_id.in_(named))
        async with self._database.read() as connection:
            for kol_id, severity, count in await connection.execute(statement):
                found[kol_id, severity] = count
                await slices.pause()
            if named is None:
                return found
            totals = select(alerts.c.severity, func.count()).where(is_open)
            for severity, count in await connection.execute(totals.group_by(alerts.c.severity)):
                by_name = sum(n for (_, of), n in found.items() if of == severity)
                found[rest, severity] += count - by_name
        return found

    async def open_count(self, visible: KolLimit = EVERY_KOL) -> int:
        """How many alerts are open."""
        statement = select(func.count()).where(
            alerts.c.state == AlertState.OPEN, *within(alerts.c.kol_id, visible)
        )
        async with self._database.read() as connection:
            return await connection.scalar(statement) or 0

    async def muted_by_kol(self, now: datetime) -> Mapping[tuple[str, str], int]:
        """How many open alerts are muted, by (KOL, severity); 0 for those not named."""
        async with self._database.read() as connection:
            return await muted_by_kol(connection, now)
