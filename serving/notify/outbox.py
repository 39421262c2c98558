"""Turns alert transitions into deliveries, in the transaction that commits the transitions."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from serving.clock import Clock
from serving.delivery_state import DeliveryState
from serving.notify.notification import idempotency_key
from serving.notify.routing.escalation import UNACKNOWLEDGED, Call, Overdue, overdue
from serving.notify.routing.plan import PlannedNotification, plan, waits_until
from serving.notify.routing.routes import Route, RouteInput, platform_of
from serving.storage.alert_status import alert_statuses
from serving.storage.database import from_micros, to_micros
from serving.storage.delivery_store import (
    calls_of_open,
    enqueue,
    notified_channels,
    release,
    suppressed_open,
    was_not_called,
)

TOO_OLD, REBUILT = "too old", "told before the rebuild"
STILL_OPEN = "still_open"


class Outbox:
    """Decides who is told of a transition, and writes that down."""

    def __init__(
        self,
        routes: Sequence[Route],
        clock: Clock,
        *,
        max_age: timedelta,
        on_commit: Callable[[Sequence[tuple[str, str]]], None],
        stateful_receivers: Collection[str] = frozenset(),
    ) -> None:
        """Prepare.

        Args:
            routes: who is told of what.
            clock: to tell how old a transition is, and what is muted.
            max_age: transitions whose event time lies further back are told to nobody.
            on_commit: told (channel, state) of every row, once they are committed.
            stateful_receivers: channels that are told of a resolution though the alert is muted:
                a system behind them would else take the alert for open for ever.
        """
        self._routes = routes
        self._clock = clock
        self._max_age = max_age
        self._stateful_receivers = stateful_receivers
        self.committed = on_commit

    async def record(
        self,
        connection: AsyncConnection,
        event: AlertEvent,
        *,
        opened_at: int,
        rebuilt: bool,
    ) -> list[tuple[str, str]]:
        """Write one delivery for every channel that a transition goes to.

        Args:
            connection: the transaction of the step, the transition being written.
            event: the transition.
            opened_at: when its alert was opened, in microseconds.
            rebuilt: whether it comes from comments that had been worked off before a rebuild.

        Returns:
            (channel, state) of every new row; a transition that was told before adds none.
        """
        now = self._clock.now()
        alert = {
            "alert_id": event.alert_id,
            "kol_id": event.kol_id,
            "kind": event.kind,
            "severity": event.severity,
            "opened_at": opened_at,
            "evidence": event.evidence.to_dict(),
        }
        before = (
            await notified_channels(connection, event.alert_id)
            if event.reason == "resolved"
            else ()
        )
        told = plan(
            self._routes,
            _route_input(alert, event.reason),
            now,
            told=before,
            stateful_receivers=self._stateful_receivers,
        )
        if not told:
            return []
        skipped = TOO_OLD if now - event.at > self._max_age else REBUILT if rebuilt else None
        muted = None
        if skipped is None:
            (alert_status,) = await alert_statuses(connection, [alert], now)
            muted = alert_status.muted
        at, written = to_micros(event.at), []
        for planned in told:
            passes = event.reason == "resolved" and planned.channel in self._stateful_receivers
            row = _row(
                alert,
                planned,
                reason=event.reason,
                at=at,
                key=idempotency_key(event.alert_id, event.reason, at, planned.channel),
                now=now,
                skipped=skipped or (None if passes else muted),
            )
            written += await _write(connection, row, now)
        return written

    async def pending(self, connection: AsyncConnection) -> list[Mapping[Any, Any]]:
        """The open alerts of which a channel was last not told because they were muted, and
        which no longer are; each with its `channel`.
        """
        channels = frozenset(name for route in self._routes for name in route.own)
        rows = await suppressed_open(connection, channels, spared=(TOO_OLD, REBUILT))
        found = await alert_statuses(connection, rows, self._clock.now())
        return [
            row for row, alert_status in zip(rows, found, strict=True) if alert_status.muted is None
        ]

    async def catch_up(self, connection: AsyncConnection) -> list[tuple[str, str]]:
        """Write a delivery for everything that is owed; after that it is owed no more.

        Returns:
            (channel, state) of every new row.
        """
        now, written = self._clock.now(), []
        for alert in await self.pending(connection):
            channel = alert["channel"]
            page = await was_not_called(connection, alert["alert_id"], channel)
            until = waits_until(self._routes, channel, alert["severity"], now)
            row = _row(
                alert,
                PlannedNotification(channel, page, until, "is muted no more"),
                reason=STILL_OPEN,
                at=alert["updated_at"],
                key=idempotency_key(alert["alert_id"], STILL_OPEN, alert["muted_at"], channel),
                now=now,
                skipped=None,
            )
            written += await _write(connection, row, now, again=True)
        return written

    async def unattended(
        self, connection: AsyncConnection
    ) -> list[tuple[Mapping[Any, Any], list[Overdue]]]:
        """The open alerts of which nobody acknowledged a page in time, and who is to be called."""
        if not any(route.steps for route in self._routes):
            return []
        now = self._clock.now()
        called = await calls_of_open(connection)
        found = await alert_statuses(connection, [alert for alert, _ in called], now)
        due = [
            (alert, overdue(self._routes, [_call(row) for row in rows], alert_status, now))
            for (alert, rows), alert_status in zip(called, found, strict=True)
        ]
        return [(alert, steps) for alert, steps in due if steps]

    async def escalate(self, connection: AsyncConnection) -> list[tuple[str, str]]:
        """Write a delivery for every step of an escalation that is due; each is due once.

        Returns:
            (channel, state) of every new row.
        """
        now, written = self._clock.now(), []
        for alert, steps in await self.unattended(connection):
            for due in steps:
                reason = f"{UNACKNOWLEDGED}-{due.step}"
                row = _row(
                    alert,
                    PlannedNotification(due.channel, True, None, UNACKNOWLEDGED),
                    reason=UNACKNOWLEDGED,
                    at=due.at,
                    key=idempotency_key(alert["alert_id"], reason, due.at, due.channel),
                    now=now,
                    skipped=None,
                )
                written += await _write(connection, row | {"step": due.step}, now, again=True)
        return written


async def _write(
    connection: AsyncConnection, row: Mapping[str, Any], now: datetime, *, again: bool = False
) -> list[tuple[str, str]]:
    """Write a delivery; what is told at once takes along what of its alert waits for a team."""
    if not await enqueue(connection, row, again=again):
        return []
    if row["state"] == DeliveryState.WAITING and row["not_before"] is None:
        await release(connection, row["channel"], row["alert_id"], now)
    return [(row["channel"], row["state"])]


def _route_input(alert: Mapping[Any, Any], reason: str) -> RouteInput:
    return RouteInput(
        kol_id=alert["kol_id"],
        kind=alert["kind"],
        severity=alert["severity"],
        reason=reason,
        platform=platform_of(alert["evidence"]),
    )


def _call(row: Mapping[Any, Any]) -> Call:
    """A delivery as a call. What is told of an alert that was muted stands in for its opening."""
    reason = "opened" if row["reason"] == STILL_OPEN else row["reason"]
    since = row["recorded_at"] if row["not_before"] is None else row["not_before"]
    return Call(
        row["channel"], _route_input(row, reason), row["at"], from_micros(since), row["step"]
    )


def _row(
    alert: Mapping[Any, Any],
    planned: PlannedNotification,
    *,
    reason: str,
    at: int,
    key: str,
    now: datetime,
    skipped: str | None,
) -> dict[str, Any]:
    """A delivery: what a channel is to be told of an alert, or why it is not."""
    same = ("alert_id", "kol_id", "kind", "severity", "opened_at", "evidence")
    not_before = None if planned.not_before is None else to_micros(planned.not_before)
    return {name: alert[name] for name in same} | {
        "key": key,
        "channel": planned.channel,
        "reason": reason,
        "at": at,
        "state": DeliveryState.WAITING if skipped is None else DeliveryState.SKIPPED,
        "attempts": 0,
        "recorded_at": to_micros(now),
        "due_at": to_micros(now) if not_before is None else not_before,
        "finished_at": None if skipped is None else to_micros(now),
        "error": skipped,
        "not_before": not_before if skipped is None else None,
        "page": planned.page,
        "step": None,
        "by_hand": False,
    }
