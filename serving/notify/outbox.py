"""Turns alert events into deliveries, in the transaction that commits the events."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.kinds import AlertState
from serving.clock import Clock
from serving.notify.alert_faults import AlertFaults
from serving.notify.notification import idempotency_key, new_deliveries
from serving.notify.routing.escalation import Call, Overdue, overdue
from serving.notify.routing.routes import Route, RouteInput
from serving.notify.stages import plan
from serving.notify.stages.mute import REBUILT, TOO_OLD
from serving.notify.stages.planning import Planning, RoutingRules
from serving.notify.stages.schedule import waits_until
from serving.storage.alert_record import AlertRecord
from serving.storage.alert_status import alert_statuses
from serving.storage.delivery_record import Delivery, NewDelivery
from serving.storage.event_context import event_context
from serving.storage.kol_alias_rows import other_ids
from serving.storage.notification_reason import NotificationReason
from serving.storage.outbox import WrittenDelivery
from serving.storage.outbox_queries import (
    SuppressedAlert,
    calls_of_open,
    enqueue,
    suppressed_open,
    was_not_called,
)
from serving.storage.payloads import AlertPayload


class NotificationOutbox:
    """Decides who is notified of an alert event, and writes that down.

    Attributes:
        faults: alerts of which nothing could be written later.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        clock: Clock,
        *,
        max_age: timedelta,
        late_page_within: timedelta,
        on_commit: Callable[[Sequence[WrittenDelivery]], None],
        stateful_receivers: Collection[str] = frozenset(),
    ) -> None:
        """Prepare.

        Args:
            routes: which channels are notified of what.
            clock: says how old an event is, and what is muted.
            max_age: nobody is notified of events whose event time is further back.
            late_page_within: nobody is notified of an incident found late that had ended longer
                before.
            on_commit: called with the new deliveries once they are committed.
            stateful_receivers: channels that are notified of a resolution although the alert is
                muted: the system behind them would otherwise keep the alert open for ever.
        """
        self._routes = routes
        self._rules = RoutingRules(routes, stateful_receivers, max_age, late_page_within)
        self._clock = clock
        self.committed = on_commit
        self.faults = AlertFaults()

    async def record(
        self,
        connection: AsyncConnection,
        event: AlertEvent,
        *,
        opened_at: datetime,
        rebuilt: bool,
        state: AlertState = AlertState.OPEN,
        ended_at: datetime | None = None,
    ) -> list[WrittenDelivery]:
        """Write one delivery for every channel that is notified of an event.

        Args:
            connection: the transaction that commits the event; it has written the event already.
            event: what happened to an alert.
            opened_at: event time at which its alert was opened.
            rebuilt: whether it comes from comments that had been processed before a rebuild.
            state: of the alert after the event. It is read of a revision only: "revised" if the
                alert no longer holds, "open" if a resolution no longer holds.
            ended_at: event time at which the incident ended; None while it lasts. It is read of
                events that were found late.

        Returns:
            The new deliveries; an event that was notified before adds none.
        """
        now = self._clock.now()
        context = await event_context(connection, event, now, state=state)
        payload = AlertPayload.of(
            event,
            opened_at,
            state=state,
            ended_at=ended_at,
            late_comments=context.late_comments,
        )
        planning = Planning(
            RouteInput.of(event, event.reason, context.other_ids),
            self._rules,
            now,
            event,
            context,
            rebuilt,
            payload.state,
            ended_at,
        )
        planned = plan(planning)
        deliveries = new_deliveries(payload, planned, now, revisions=context.revisions)
        return await enqueue(connection, payload, deliveries)

    async def pending(self, connection: AsyncConnection) -> list[SuppressedAlert]:
        """The open alerts of which a channel was not notified because they were muted, and that
        are no longer muted.
        """
        channels = frozenset(name for route in self._routes for name in route.own)
        found = await suppressed_open(
            connection, channels, spared=(TOO_OLD, REBUILT), faults=self.faults
        )
        alerts = [suppressed.alert for suppressed in found]
        statuses = await alert_statuses(connection, alerts, self._clock.now())
        return [
            suppressed
            for suppressed, alert_status in zip(found, statuses, strict=True)
            if alert_status.muted is None
        ]

    async def catch_up(self, connection: AsyncConnection) -> list[WrittenDelivery]:
        """Write a delivery for everything that is pending; afterwards nothing is."""
        now, written = self._clock.now(), list[WrittenDelivery]()
        reason = NotificationReason.STILL_OPEN
        pending: defaultdict[str, list[SuppressedAlert]] = defaultdict(list)
        for suppressed in await self.pending(connection):
            pending[suppressed.alert.alert_id].append(suppressed)
        for of_alert in pending.values():
            alert, new = of_alert[0].alert, []
            with self.faults.isolated(alert.alert_id):
                for suppressed in of_alert:
                    channel = suppressed.channel
                    one = NewDelivery(
                        key=idempotency_key(alert.alert_id, reason, suppressed.at, channel),
                        channel=channel,
                        recorded_at=now,
                        not_before=waits_until(self._routes, channel, alert.severity, now),
                        page=await was_not_called(connection, alert.alert_id, channel),
                    )
                    new.append(one)
                payload = _payload(alert, reason, alert.updated_at)
                async with connection.begin_nested():
                    written += await enqueue(connection, payload, new, replace_skipped=True)
        return written

    async def unattended(
        self, connection: AsyncConnection
    ) -> list[tuple[AlertRecord, list[Overdue]]]:
        """The open alerts with a page that nobody acknowledged in time, and who is to be called."""
        if not any(route.steps for route in self._routes):
            return []
        now = self._clock.now()
        called = await calls_of_open(connection, self.faults)
        statuses = await alert_statuses(connection, [alert for alert, _ in called], now)
        ids = await other_ids(connection, {alert.kol_id for alert, _ in called})
        due = []
        for (alert, deliveries), alert_status in zip(called, statuses, strict=True):
            with self.faults.isolated(alert.alert_id):
                calls = list(_calls(deliveries, ids))
                if steps := overdue(self._routes, calls, alert_status, now):
                    due.append((alert, steps))
        return due

    async def escalate(self, connection: AsyncConnection) -> list[WrittenDelivery]:
        """Write a delivery for every step of an escalation that is due; each is due once."""
        now, written = self._clock.now(), list[WrittenDelivery]()
        reason = NotificationReason.UNACKNOWLEDGED
        for alert, steps in await self.unattended(connection):
            pages: defaultdict[datetime, list[NewDelivery]] = defaultdict(list)
            for due in steps:
                step = f"{reason}-{due.step}"
                call = NewDelivery(
                    key=idempotency_key(alert.alert_id, step, due.at, due.channel),
                    channel=due.channel,
                    recorded_at=now,
                    page=True,
                    step=due.step,
                )
                pages[due.at].append(call)
            with self.faults.isolated(alert.alert_id):
                async with connection.begin_nested():
                    new = list[WrittenDelivery]()
                    for at, calls in pages.items():
                        payload = _payload(alert, reason, at)
                        new += await enqueue(connection, payload, calls, replace_skipped=True)
                written += new
        return written


def _calls(deliveries: Sequence[Delivery], ids: Mapping[str, frozenset[str]]) -> Iterator[Call]:
    """Deliveries as calls. A page after the end of a mute takes the place of the opening.

    Args:
        deliveries: of alerts.
        ids: the other ids of their KOLs.
    """
    for delivery in deliveries:
        alert = delivery.alert
        if alert is None:
            continue
        still_open = alert.reason is NotificationReason.STILL_OPEN
        reason = NotificationReason.OPENED if still_open else alert.reason
        yield Call(
            channel=delivery.channel,
            route_input=RouteInput.of(alert, reason, ids[alert.kol_id]),
            at=alert.at,
            since=delivery.not_before or delivery.recorded_at,
            step=delivery.step,
        )


def _payload(alert: AlertRecord, reason: NotificationReason, at: datetime) -> AlertPayload:
    """An alert as it is now."""
    return AlertPayload(
        alert_id=alert.alert_id,
        kol_id=alert.kol_id,
        kind=alert.kind,
        severity=alert.severity,
        reason=reason,
        at=at,
        opened_at=alert.opened_at,
        evidence=alert.evidence,
        found_at=alert.found_at,
    )
