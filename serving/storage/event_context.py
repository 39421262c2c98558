"""What the planning of notifications needs to know of an alert event, read at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.kinds import AlertState, Reason, Severity
from serving.delivery_state import DeliveryState
from serving.storage.action_store import histories
from serving.storage.instants import from_micros, to_micros
from serving.storage.kol_alias_rows import other_ids
from serving.storage.notification_reason import NotificationReason
from serving.storage.payloads import state_after
from serving.storage.silence_store import active_silences
from serving.storage.tables import alert_events, comments, deliveries
from serving.storage.tables import notification_payloads as payloads
from serving.triage.silences import Silence
from serving.triage.triage_status import TriageStatus


@dataclass(frozen=True, slots=True)
class PastEvent:
    """A transition of an alert.

    Attributes:
        reason: what happened.
        at: event time, aware, UTC; of a revision when it was found.
    """

    reason: Reason
    at: datetime


@dataclass(frozen=True, slots=True)
class PastNotification:
    """A notification of an alert that a channel was sent, or soon will be.

    Attributes:
        channel: its name.
        reason: why.
        severity: of the alert then.
        at: event time of the transition, aware, UTC.
        state: of the alert after the transition.
    """

    channel: str
    reason: NotificationReason
    severity: Severity
    at: datetime
    state: AlertState = AlertState.OPEN

    @property
    def withdrawn(self) -> bool:
        """Whether it says that the alert no longer holds."""
        return self.state is AlertState.REVISED


@dataclass(frozen=True, slots=True)
class EventContext:
    """What was known of an alert when one of its events happened.

    Attributes:
        notified: the channels that were notified of the alert before; read for its end, and for
            events that comments which came late have shown.
        triage: what people did about it.
        silences: those that are active.
        events: what has happened to the alert, as far as is known now; read for what came late
            only.
        notifications: what channels were sent of it; likewise.
        late_comments: how many comments of the incident came after the first notification; read for
            a withdrawal only.
        other_ids: ids that lead to its KOL.
    """

    notified: Sequence[str] = ()
    triage: TriageStatus = field(default_factory=TriageStatus)
    silences: Sequence[Silence] = ()
    events: Sequence[PastEvent] = ()
    notifications: Sequence[PastNotification] = ()
    late_comments: int | None = None
    other_ids: frozenset[str] = frozenset()

    @property
    def revisions(self) -> int:
        """How often the alert has been revised."""
        return sum(event.reason is Reason.REVISED for event in self.events)


async def event_context(
    connection: AsyncConnection,
    event: AlertEvent,
    now: datetime,
    *,
    state: AlertState = AlertState.OPEN,
) -> EventContext:
    """The context of an event, inside a transaction.

    Args:
        connection: the transaction.
        event: the event; it is in the store already.
        now: the instant.
        state: of the alert after the event.
    """
    late = event.found_at is not None or event.reason == Reason.REVISED
    notified = list[str]()
    if late or event.reason == Reason.RESOLVED:
        notified = await _notified_channels(connection, event.alert_id)
    withdrawn = state_after(event.reason, state) is AlertState.REVISED
    history = (await histories(connection, [event.alert_id]))[event.alert_id]
    return EventContext(
        notified=notified,
        triage=history.triage(now),
        silences=await active_silences(connection, now),
        events=await _events(connection, event.alert_id) if late else (),
        notifications=await _notifications(connection, event.alert_id) if late else (),
        late_comments=await _late_comments(connection, event) if withdrawn else None,
        other_ids=(await other_ids(connection, [event.kol_id]))[event.kol_id],
    )


async def _notified_channels(connection: AsyncConnection, alert_id: str) -> list[str]:
    """The channels that were notified of an alert or soon will be."""
    statement = (
        select(deliveries.c.channel)
        .where(deliveries.c.alert_id == alert_id, deliveries.c.state != DeliveryState.SKIPPED)
        .group_by(deliveries.c.channel)
        .order_by(func.min(deliveries.c.delivery_id))
    )
    return list((await connection.execute(statement)).scalars())


async def _notifications(connection: AsyncConnection, alert_id: str) -> list[PastNotification]:
    """What channels were sent of an alert, or soon will be, in order."""
    statement = (
        select(
            deliveries.c.channel,
            payloads.c.reason,
            payloads.c.severity,
            payloads.c.at,
            payloads.c.alert_state,
        )
        .join(payloads, payloads.c.payload_id == deliveries.c.payload_id)
        .where(deliveries.c.alert_id == alert_id, deliveries.c.state != DeliveryState.SKIPPED)
        .order_by(deliveries.c.delivery_id)
    )
    return [
        PastNotification(
            channel,
            NotificationReason(reason),
            Severity(severity),
            from_micros(at),
            state_after(reason) if state is None else AlertState(state),
        )
        for channel, reason, severity, at, state in await connection.execute(statement)
    ]


async def _events(connection: AsyncConnection, alert_id: str) -> list[PastEvent]:
    """What has happened to an alert: a re-run has written what holds."""
    statement = select(alert_events.c.reason, alert_events.c.at).where(
        alert_events.c.alert_id == alert_id
    )
    return [
        PastEvent(Reason(reason), from_micros(at))
        for reason, at in await connection.execute(statement)
    ]


async def _late_comments(connection: AsyncConnection, event: AlertEvent) -> int | None:
    """How many comments of an incident came after the first notification of it.

    None if nobody was notified, or none came in its own time: what came before it has changed what
    is normal then.
    """
    first = (
        select(func.min(deliveries.c.recorded_at))
        .where(deliveries.c.alert_id == event.alert_id)
        .scalar_subquery()
    )
    statement = (
        select(func.count())
        .select_from(comments)
        .where(
            comments.c.kol_id == event.kol_id,
            comments.c.created_at >= to_micros(event.evidence.incident_start),
            comments.c.created_at < to_micros(event.evidence.window_end),
            comments.c.received_at > first,
        )
    )
    return await connection.scalar(statement) or None
