"""What people did to alerts: a table to which rows are added and in which none is changed."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.errors import NotFound
from serving.storage.database import Database, from_micros, to_micros
from serving.storage.tables import acts, alert_events, alerts
from serving.triage.acts import Act, Deed
from serving.triage.feedback import Judged
from serving.triage.work import Transition, Work, verdict_of, work_of


@dataclass(frozen=True, slots=True)
class History:
    """What people did to an alert, and what it did itself; both oldest first."""

    acts: list[Act] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)

    def work(self, now: datetime) -> Work:
        """Where people stand with the alert."""
        return work_of(self.acts, self.transitions, now)


@dataclass(frozen=True, slots=True)
class FeedbackFilter:
    """Which alerts to count; None sets no bound.

    Attributes:
        since: opened at or after this instant of event time.
        until: opened before this one.
        kol_id: only this KOL's.
        kind: only of this kind.
    """

    since: datetime
    until: datetime
    kol_id: str | None = None
    kind: str | None = None


async def histories(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, History]:
    """The histories of alerts, inside a transaction; of those without acts, without transitions."""
    found: defaultdict[str, History] = defaultdict(History)
    made = select(acts).where(acts.c.alert_id.in_(ids)).order_by(acts.c.act_id)
    for row in (await connection.execute(made)).mappings():
        found[row["alert_id"]].acts.append(_act(row))
    befell = (
        select(alert_events.c.alert_id, alert_events.c.reason, alert_events.c.at)
        .where(alert_events.c.alert_id.in_(list(found)))
        .order_by(alert_events.c.event_id)
    )
    for alert_id, reason, at in await connection.execute(befell):
        found[alert_id].transitions.append(Transition(reason, from_micros(at)))
    return {alert_id: found.get(alert_id, History()) for alert_id in ids}


async def judged(
    connection: AsyncConnection, wanted: FeedbackFilter, now: datetime
) -> list[Judged]:
    """The alerts that opened in a stretch of time and what people made of each, inside a
    transaction.
    """
    statement = select(alerts.c.alert_id, alerts.c.kol_id, alerts.c.kind, alerts.c.opened_at).where(
        alerts.c.opened_at >= to_micros(wanted.since),
        alerts.c.opened_at < to_micros(wanted.until),
    )
    if wanted.kol_id is not None:
        statement = statement.where(alerts.c.kol_id == wanted.kol_id)
    if wanted.kind is not None:
        statement = statement.where(alerts.c.kind == wanted.kind)
    made: defaultdict[str, list[Act]] = defaultdict(list)
    rows = (await connection.execute(statement)).all()
    done = (
        select(acts)
        .where(acts.c.alert_id.in_(statement.with_only_columns(alerts.c.alert_id)))
        .order_by(acts.c.act_id)
    )
    for row in (await connection.execute(done)).mappings():
        made[row["alert_id"]].append(_act(row))
    return [
        Judged(
            kol_id=row.kol_id,
            kind=row.kind,
            opened_at=from_micros(row.opened_at),
            verdict=verdict_of(work_of(made[row.alert_id], (), now)),
        )
        for row in rows
    ]


class ActStore:
    """The `acts` table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, alert_id: str, deed: Deed, now: datetime) -> Act | None:
        """Write down what somebody did to an alert.

        Returns:
            The act; None if it changes nothing and says nothing, and so was not written.

        Raises:
            NotFound: there is no such alert.
        """
        async with self._database.write() as connection:
            found = await connection.execute(select(alerts).where(alerts.c.alert_id == alert_id))
            alert = found.mappings().one_or_none()
            if alert is None:
                raise NotFound(f"there is no alert {alert_id!r}; GET /v1/alerts lists them")
            act = Act(0, alert_id, deed, now, from_micros(alert["updated_at"]))
            before = (await histories(connection, [alert_id]))[alert_id]
            after = History([*before.acts, act], before.transitions)
            if deed.text is None and after.work(now) == before.work(now):
                return None
            values = {
                "alert_id": alert_id,
                "kol_id": alert["kol_id"],
                "kind": alert["kind"],
                "severity": alert["severity"],
                "verb": deed.verb,
                "actor": deed.actor,
                "text": deed.text,
                "assignee": deed.assignee,
                "until": deed.until and to_micros(deed.until),
                "at": to_micros(now),
                "seen_at": alert["updated_at"],
            }
            inserted = acts.insert().values(**values).returning(acts.c.act_id)
            return replace(act, act_id=(await connection.execute(inserted)).scalar_one())

    async def of(self, alert_id: str) -> list[Act]:
        """What people did to an alert, oldest first."""
        async with self._database.read() as connection:
            return (await histories(connection, [alert_id]))[alert_id].acts

    async def attended(self, alert_id: str, at: datetime) -> bool:
        """Whether, at an instant, somebody had acknowledged an alert or resolved it by hand.

        Only transitions up to that instant of event time count.
        """
        async with self._database.read() as connection:
            history = (await histories(connection, [alert_id]))[alert_id]
        befallen = [transition for transition in history.transitions if transition.at <= at]
        return work_of(history.acts, befallen, at).attended

    async def judged(self, wanted: FeedbackFilter, now: datetime) -> list[Judged]:
        """The alerts that opened in a stretch of time, and what people made of each."""
        async with self._database.read() as connection:
            return await judged(connection, wanted, now)


def _act(row: RowMapping) -> Act:
    return Act(
        act_id=row["act_id"],
        alert_id=row["alert_id"],
        deed=Deed(
            verb=row["verb"],
            actor=row["actor"],
            text=row["text"],
            assignee=row["assignee"],
            until=None if row["until"] is None else from_micros(row["until"]),
        ),
        at=from_micros(row["at"]),
        seen_at=from_micros(row["seen_at"]),
    )
