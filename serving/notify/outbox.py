"""Turns alert events into deliveries, in the transaction that commits the events."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.kinds import AlertKind, Reason, Severity
from serving.clock import Clock
from serving.delivery_state import DeliveryState
from serving.notify.notification import idempotency_key
from serving.notify.routing.escalation import Call, Overdue, overdue
from serving.notify.routing.plan import PlannedNotification, plan, waits_until
from serving.notify.routing.routes import Route, RouteInput, platform_of
from serving.storage.alert_record import AlertRecord
from serving.storage.alert_status import alert_statuses
from serving.storage.delivery_record import Delivery, NewDelivery
from serving.storage.notification_reason import NotificationReason
from serving.storage.outbox import WrittenDelivery
from serving.storage.outbox_queries import (
    SuppressedAlert,
    calls_of_open,
    enqueue,
    notified_channels,
    release,
    suppressed_open,
    was_not_called,
)
from serving.storage.payloads import AlertPayload
from serving.triage.muting import MutableAlert

TOO_OLD, REBUILT = "too old", "notified before the rebuild"


class Outbox:
    """Decides who is notified of an alert event, and writes that down."""

    def __init__(
        self,
        routes: Sequence[Route],
        clock: Clock,
        *,
        max_age: timedelta,
        on_commit: Callable[[Sequence[WrittenDelivery]], None],
        stateful_receivers: Collection[str] = frozenset(),
    ) -> None:
        """Prepare.

        Args:
            routes: which channels are notified of what.
            clock: says how old an event is, and what is muted.
            max_age: nobody is notified of events whose event time is further back.
            on_commit: called with the new deliveries once they are committed.
            stateful_receivers: channels that are notified of a resolution although the alert is
                muted: the system behind them would otherwise keep the alert open for ever.
        """
        self._routes = routes
        self._clock = clock
        self._max_age = max_age
        self._stateful_receivers = stateful_receivers
        self.committed = on_commit

    async def record(
        self, connection: AsyncConnection, event: AlertEvent, *, opened_at: datetime, rebuilt: bool
    ) -> list[WrittenDelivery]:
        """Write one delivery for every channel that is notified of an event.

        Args:
            connection: the transaction of the step, the event being written.
            event: what happened to an alert.
            opened_at: event time at which its alert was opened.
            rebuilt: whether it comes from comments that had been processed before a rebuild.

        Returns:
            The new deliveries; an event that was notified before adds none.
        """
        now = self._clock.now()
        resolved = event.reason == Reason.RESOLVED
        planned = plan(
            self._routes,
            _route_input(event, event.reason),
            now,
            told=await notified_channels(connection, event.alert_id) if resolved else (),
            stateful_receivers=self._stateful_receivers,
        )
        if not planned:
            return []
        skipped = TOO_OLD if now - event.at > self._max_age else REBUILT if rebuilt else None
        muted = None
        if skipped is None:
            (alert_status,) = await alert_statuses(connection, [event], now)
            muted = alert_status.muted
        new = []
        for one in planned:
            passes = resolved and one.channel in self._stateful_receivers
            key = idempotency_key(event.alert_id, event.reason, event.at, one.channel)
            new.append(_new(one, key, now, skipped=skipped or (None if passes else muted)))
        payload = AlertPayload(
            alert_id=event.alert_id,
            kol_id=event.kol_id,
            kind=AlertKind(event.kind),
            severity=Severity(event.severity),
            reason=NotificationReason(event.reason),
            at=event.at,
            opened_at=opened_at,
            evidence=event.evidence,
        )
        return await _write(connection, payload, new, now)

    async def pending(self, connection: AsyncConnection) -> list[SuppressedAlert]:
        """The open alerts of which a channel was not notified because they were muted, and that
        are no longer muted.
        """
        channels = frozenset(name for route in self._routes for name in route.own)
        found = await suppressed_open(connection, channels, spared=(TOO_OLD, REBUILT))
        alerts = [suppressed.alert for suppressed in found]
        statuses = await alert_statuses(connection, alerts, self._clock.now())
        return [
            suppressed
            for suppressed, alert_status in zip(found, statuses, strict=True)
            if alert_status.muted is None
        ]

    async def catch_up(self, connection: AsyncConnection) -> list[WrittenDelivery]:
        """Write a delivery for everything that is pending; after that it is pending no more."""
        now, written = self._clock.now(), list[WrittenDelivery]()
        for suppressed in await self.pending(connection):
            alert, channel = suppressed.alert, suppressed.channel
            page = await was_not_called(connection, alert.alert_id, channel)
            until = waits_until(self._routes, channel, alert.severity, now)
            reason = NotificationReason.STILL_OPEN
            new = _new(
                PlannedNotification(channel, page, until, "is muted no more"),
                idempotency_key(alert.alert_id, reason, suppressed.at, channel),
                now,
            )
            payload = _payload(alert, reason, alert.updated_at)
            written += await _write(connection, payload, [new], now, replace_skipped=True)
        return written

    async def unattended(
        self, connection: AsyncConnection
    ) -> list[tuple[AlertRecord, list[Overdue]]]:
        """The open alerts with a page that nobody acknowledged in time, and who is to be called."""
        if not any(route.steps for route in self._routes):
            return []
        now = self._clock.now()
        called = await calls_of_open(connection)
        statuses = await alert_statuses(connection, [alert for alert, _ in called], now)
        due = [
            (alert, overdue(self._routes, list(_calls(deliveries)), alert_status, now))
            for (alert, deliveries), alert_status in zip(called, statuses, strict=True)
        ]
        return [(alert, steps) for alert, steps in due if steps]

    async def escalate(self, connection: AsyncConnection) -> list[WrittenDelivery]:
        """Write a delivery for every step of an escalation that is due; each is due once."""
        now, written = self._clock.now(), list[WrittenDelivery]()
        reason = NotificationReason.UNACKNOWLEDGED
        for alert, steps in await self.unattended(connection):
            for due in steps:
                new = NewDelivery(
                    key=idempotency_key(
                        alert.alert_id, f"{reason}-{due.step}", due.at, due.channel
                    ),
                    channel=due.channel,
                    recorded_at=now,
                    page=True,
                    step=due.step,
                )
                payload = _payload(alert, reason, due.at)
                written += await _write(connection, payload, [new], now, replace_skipped=True)
        return written


async def _write(
    connection: AsyncConnection,
    payload: AlertPayload,
    new: Sequence[NewDelivery],
    now: datetime,
    *,
    replace_skipped: bool = False,
) -> list[WrittenDelivery]:
    """Write deliveries; one that goes at once takes along what waits for a team's hours."""
    written = await enqueue(connection, payload, new, replace_skipped=replace_skipped)
    at_once = {one.channel for one in new if one.not_before is None}
    for one in written:
        if one.state is DeliveryState.WAITING and one.channel in at_once:
            await release(connection, one.channel, payload.alert_id, now)
    return written


def _route_input(alert: MutableAlert, reason: str) -> RouteInput:
    return RouteInput(
        kol_id=alert.kol_id,
        kind=alert.kind,
        severity=alert.severity,
        reason=reason,
        platform=platform_of(alert.evidence),
    )


def _calls(deliveries: Sequence[Delivery]) -> Iterator[Call]:
    """Deliveries as calls. A page after the end of a mute takes the place of the opening."""
    for delivery in deliveries:
        alert = delivery.alert
        if alert is None:
            continue
        still_open = alert.reason is NotificationReason.STILL_OPEN
        reason = NotificationReason.OPENED if still_open else alert.reason
        yield Call(
            channel=delivery.channel,
            route_input=_route_input(alert, reason),
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
    )


def _new(
    planned: PlannedNotification, key: str, now: datetime, *, skipped: str | None = None
) -> NewDelivery:
    return NewDelivery(
        key=key,
        channel=planned.channel,
        recorded_at=now,
        not_before=planned.not_before,
        page=planned.page,
        skipped=skipped,
    )
