"""Turns alert transitions into deliveries, in the transaction that commits the transitions."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from serving.clock import Clock
from serving.delivery.notification import idempotency_key
from serving.delivery.routing import Route, channels_for
from serving.storage.database import to_micros
from serving.storage.delivery_store import SKIPPED, WAITING, enqueue, untold
from serving.storage.standing import standings

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
        mirrors: Collection[str] = frozenset(),
    ) -> None:
        """Prepare.

        Args:
            routes: who is told of what.
            clock: to tell how old a transition is, and what is muted.
            max_age: transitions whose event time lies further back are told to nobody.
            on_commit: told (channel, state) of every row, once they are committed.
            mirrors: channels that are told of a resolution though the alert is muted, because
                a system behind them would else take the alert for open for ever.
        """
        self._routes = routes
        self._clock = clock
        self._max_age = max_age
        self._mirrors = mirrors
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
        channels = channels_for(self._routes, event.kol_id, event.kind, event.severity)
        if not channels:
            return []
        now = self._clock.now()
        alert = {
            "alert_id": event.alert_id,
            "kol_id": event.kol_id,
            "kind": event.kind,
            "severity": event.severity,
            "opened_at": opened_at,
            "evidence": event.evidence.to_dict(),
        }
        skipped = TOO_OLD if now - event.at > self._max_age else REBUILT if rebuilt else None
        muted = None
        if skipped is None:
            (standing,) = await standings(connection, [alert], now)
            muted = standing.muted
        at, written = to_micros(event.at), []
        for channel in channels:
            passes = event.reason == "resolved" and channel in self._mirrors
            row = _row(
                alert,
                channel=channel,
                reason=event.reason,
                at=at,
                key=idempotency_key(event.alert_id, event.reason, at, channel),
                now=now,
                skipped=skipped or (None if passes else muted),
            )
            if await enqueue(connection, row):
                written.append((channel, row["state"]))
        return written

    async def owed(self, connection: AsyncConnection) -> list[Mapping[Any, Any]]:
        """The open alerts of which a channel was last not told because they were muted, and
        which no longer are; each with its `channel`.
        """
        channels = {name for route in self._routes for name in route.channels}
        rows = await untold(connection, channels, spared=(TOO_OLD, REBUILT))
        found = await standings(connection, rows, self._clock.now())
        return [row for row, standing in zip(rows, found, strict=True) if standing.muted is None]

    async def catch_up(self, connection: AsyncConnection) -> list[tuple[str, str]]:
        """Write a delivery for everything that is owed; after that it is owed no more.

        Returns:
            (channel, state) of every new row.
        """
        now, written = self._clock.now(), []
        for alert in await self.owed(connection):
            channel = alert["channel"]
            row = _row(
                alert,
                channel=channel,
                reason=STILL_OPEN,
                at=alert["updated_at"],
                key=idempotency_key(alert["alert_id"], STILL_OPEN, alert["muted_at"], channel),
                now=now,
                skipped=None,
            )
            if await enqueue(connection, row):
                written.append((channel, WAITING))
        return written


def _row(
    alert: Mapping[Any, Any],
    *,
    channel: str,
    reason: str,
    at: int,
    key: str,
    now: datetime,
    skipped: str | None,
) -> dict[str, Any]:
    """A delivery: what a channel is to be told of an alert, or why it is not."""
    same = ("alert_id", "kol_id", "kind", "severity", "opened_at", "evidence")
    return {name: alert[name] for name in same} | {
        "key": key,
        "channel": channel,
        "reason": reason,
        "at": at,
        "state": WAITING if skipped is None else SKIPPED,
        "attempts": 0,
        "recorded_at": to_micros(now),
        "due_at": to_micros(now),
        "finished_at": None if skipped is None else to_micros(now),
        "error": skipped,
    }
