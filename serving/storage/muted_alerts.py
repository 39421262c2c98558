"""Counts the open alerts that are muted, without reading their evidence."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, null, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.kinds import AlertState
from serving.slices import Slices
from serving.storage.action_store import histories
from serving.storage.silence_store import active_silences
from serving.storage.tables import actions, alerts
from serving.triage.actions import ActionKind
from serving.triage.muting import why_muted
from serving.triage.silences import Silence
from serving.triage.triage_status import TriageStatus

_AT_ONCE = 200
_MOST_NAMES = 500
_OPEN = alerts.c.state == AlertState.OPEN
# Acts that can mute an alert; others do not.
_MUTING = (ActionKind.RESOLVE, ActionKind.FALSE_ALARM, ActionKind.SNOOZE)
_HANDLED = alerts.c.alert_id.in_(select(actions.c.alert_id).where(actions.c.action.in_(_MUTING)))


async def muted_by_kol(connection: AsyncConnection, now: datetime) -> Counter[tuple[str, str]]:
    """How many open alerts are muted, by (KOL, severity), inside a transaction."""
    silences = await active_silences(connection, now)
    found = Counter[tuple[str, str]]()
    await _add_silenced(connection, silences, now, found)
    await _add_handled(connection, silences, now, found)
    return found


async def _add_silenced(
    connection: AsyncConnection,
    silences: Sequence[Silence],
    now: datetime,
    found: Counter[tuple[str, str]],
) -> None:
    """Count those that nobody closed or snoozed: only silences can mute them."""
    if not silences:
        return
    columns = [alerts.c.kol_id, alerts.c.severity, alerts.c.kind]
    top_post = _top_post(silences)
    statement = (
        select(*columns, top_post, func.count().label("alerts"))
        .where(_OPEN, ~_HANDLED, or_(*map(_may_match, silences)))
        .group_by(*columns, top_post)
    )
    slices = Slices()
    for row in await connection.execute(statement):
        if _why(row, TriageStatus(), silences, now) is not None:
            found[row.kol_id, row.severity] += row.alerts
        await slices.pause()


async def _add_handled(
    connection: AsyncConnection,
    silences: Sequence[Silence],
    now: datetime,
    found: Counter[tuple[str, str]],
) -> None:
    """Count those that somebody closed or snoozed, some at a time."""
    columns = [alerts.c.alert_id, alerts.c.kol_id, alerts.c.severity, alerts.c.kind]
    statement = select(*columns, _top_post(silences)).where(_OPEN, _HANDLED)
    rows = (await connection.execute(statement)).all()
    slices = Slices()
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        of_alerts = await histories(connection, [row.alert_id for row in part])
        for row in part:
            triage = of_alerts[row.alert_id].triage(now)
            if _why(row, triage, silences, now) is not None:
                found[row.kol_id, row.severity] += 1
            await slices.pause()


def _may_match(silence: Silence) -> ColumnElement[bool]:
    """Whether a silence may match an alert; its posts and severity are looked at later."""
    kols, kinds = silence.matchers.kols, silence.matchers.kinds
    conditions: list[ColumnElement[bool]] = [true()]
    if kols is not None and len(kols) <= _MOST_NAMES:
        conditions.append(alerts.c.kol_id.in_(kols))
    if kinds is not None:
        conditions.append(alerts.c.kind.in_(kinds))
    return and_(*conditions)


def _top_post(silences: Sequence[Silence]) -> ColumnElement[Any]:
    """The post that drives an alert most, if a silence asks for it."""
    if all(silence.matchers.posts is None for silence in silences):
        return null().label("top_post")
    path = ("drivers", "posts", 0, "post_id")
    found: ColumnElement[Any] = alerts.c.evidence[path].as_string()
    return found.label("top_post")


def _why(
    row: Row[*tuple[Any, ...]], triage: TriageStatus, silences: Sequence[Silence], now: datetime
) -> str | None:
    return why_muted(
        triage,
        silences,
        now,
        kol_id=row.kol_id,
        kind=row.kind,
        severity=row.severity,
        top_post=row.top_post,
    )
