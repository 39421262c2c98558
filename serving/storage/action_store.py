"""What people did to alerts: a table to which rows are only added."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.kinds import AlertState, Reason
from serving.errors import NotFound
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.database import Database
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.kol_filter import within
from serving.storage.tables import actions, alert_events, alerts
from serving.triage.actions import Action, ActionKind, ActionRequest
from serving.triage.feedback import Judged
from serving.triage.triage_status import Transition, TriageStatus, triage_status_of, verdict_of


@dataclass(frozen=True, slots=True)
class History:
    """What people did to an alert, and what it did itself; both oldest first."""

    actions: list[Action] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)

    def triage(self, now: datetime) -> TriageStatus:
        """The triage status of the alert."""
        return triage_status_of(self.actions, self.transitions, now)


@dataclass(frozen=True, slots=True)
class FeedbackFilter:
    """Which alerts to count; None sets no bound.

    Attributes:
        since: opened at or after this instant of event time.
        until: opened before this one.
        kol_id: only this KOL's.
        kind: only of this kind.
        visible: only alerts of its KOLs.
    """

    since: datetime
    until: datetime
    kol_id: str | None = None
    kind: str | None = None
    visible: KolLimit = EVERY_KOL


async def histories(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, History]:
    """The histories of alerts, inside a transaction. Alerts without actions get no transitions."""
    found: defaultdict[str, History] = defaultdict(History)
    made = select(actions).where(actions.c.alert_id.in_(ids)).order_by(actions.c.action_id)
    for row in (await connection.execute(made)).mappings():
        found[row["alert_id"]].actions.append(_action(row))
    statement = (
        select(
            alert_events.c.alert_id,
            alert_events.c.reason,
            alert_events.c.at,
            alert_events.c.found_at,
        )
        .where(alert_events.c.alert_id.in_(list(found)))
        .order_by(alert_events.c.event_id)
    )
    for alert_id, reason, at, found_at in await connection.execute(statement):
        found[alert_id].transitions.append(
            Transition(Reason(reason), from_micros(at), optional_from_micros(found_at))
        )
    return {alert_id: found.get(alert_id, History()) for alert_id in ids}


async def judged(
    connection: AsyncConnection, wanted: FeedbackFilter, now: datetime
) -> list[Judged]:
    """The alerts that opened in a stretch of time and what people made of each, inside a
    transaction; without those that were withdrawn before anybody judged them.
    """
    columns = (alerts.c.alert_id, alerts.c.kol_id, alerts.c.kind, alerts.c.opened_at)
    statement = select(*columns, alerts.c.state).where(
        alerts.c.opened_at >= to_micros(wanted.since),
        alerts.c.opened_at < to_micros(wanted.until),
        *within(alerts.c.kol_id, wanted.visible),
    )
    if wanted.kol_id is not None:
        statement = statement.where(alerts.c.kol_id == wanted.kol_id)
    if wanted.kind is not None:
        statement = statement.where(alerts.c.kind == wanted.kind)
    made: defaultdict[str, list[Action]] = defaultdict(list)
    rows = (await connection.execute(statement)).all()
    done = (
        select(actions)
        .where(actions.c.alert_id.in_(statement.with_only_columns(alerts.c.alert_id)))
        .order_by(actions.c.action_id)
    )
    for row in (await connection.execute(done)).mappings():
        made[row["alert_id"]].append(_action(row))
    verdicts = {
        row.alert_id: verdict_of(triage_status_of(made[row.alert_id], (), now)) for row in rows
    }
    return [
        Judged(
            kol_id=row.kol_id,
            kind=row.kind,
            opened_at=from_micros(row.opened_at),
            verdict=verdicts[row.alert_id],
        )
        for row in rows
        if row.state != AlertState.REVISED or verdicts[row.alert_id] is not None
    ]


class ActionStore:
    """The `actions` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, alert_id: str, request: ActionRequest, now: datetime) -> Action | None:
        """Write down what somebody did to an alert.

        Returns:
            The action; None if it changes nothing and has no remark, and so was not stored.

        Raises:
            NotFound: there is no such alert.
        """
        async with self._database.write() as connection:
            found = await connection.execute(select(alerts).where(alerts.c.alert_id == alert_id))
            alert = found.mappings().one_or_none()
            if alert is None:
                raise NotFound(f"there is no alert {alert_id!r}; GET /v1/alerts lists them")
            action = Action(0, alert_id, request, now, from_micros(alert["updated_at"]))
            before = (await histories(connection, [alert_id]))[alert_id]
            after = History([*before.actions, action], before.transitions)
            if request.text is None and after.triage(now) == before.triage(now):
                return None
            values = {
                "alert_id": alert_id,
                "kol_id": alert["kol_id"],
                "kind": alert["kind"],
                "severity": alert["severity"],
                "action": request.action,
                "actor": request.actor,
                "text": request.text,
                "assignee": request.assignee,
                "until": request.until and to_micros(request.until),
                "at": to_micros(now),
                "seen_at": alert["updated_at"],
            }
            inserted = actions.insert().values(**values).returning(actions.c.action_id)
            return replace(action, action_id=(await connection.execute(inserted)).scalar_one())

    async def of(self, alert_id: str) -> list[Action]:
        """What people did to an alert, oldest first."""
        async with self._database.read() as connection:
            return (await histories(connection, [alert_id]))[alert_id].actions

    async def attended(self, alert_id: str, at: datetime) -> bool:
        """Whether, at an instant, somebody had acknowledged an alert or resolved it by hand.

        Only transitions up to that instant count: of event time, or by the clock where they were
        found late.
        """
        async with self._database.read() as connection:
            history = (await histories(connection, [alert_id]))[alert_id]
        befallen = [
            transition
            for transition in history.transitions
            if (transition.found_at or transition.at) <= at
        ]
        return triage_status_of(history.actions, befallen, at).attended

    async def judged(self, wanted: FeedbackFilter, now: datetime) -> list[Judged]:
        """The alerts that opened in a stretch of time, and what people made of each."""
        async with self._database.read() as connection:
            return await judged(connection, wanted, now)


def _action(row: RowMapping) -> Action:
    return Action(
        action_id=row["action_id"],
        alert_id=row["alert_id"],
        request=ActionRequest(
            action=ActionKind(row["action"]),
            actor=row["actor"],
            text=row["text"],
            assignee=row["assignee"],
            until=None if row["until"] is None else from_micros(row["until"]),
        ),
        at=from_micros(row["at"]),
        seen_at=from_micros(row["seen_at"]),
    )
