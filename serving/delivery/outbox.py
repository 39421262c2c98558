"""Turns alert transitions into deliveries, in the transaction that commits the transitions."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from serving.clock import Clock
from serving.delivery.notification import idempotency_key
from serving.delivery.routing import Route, channels_for
from serving.storage.database import to_micros
from serving.storage.delivery_store import SKIPPED, WAITING, enqueue

TOO_OLD, REBUILT = "too old", "told before the rebuild"


class Outbox:
    """Decides who is told of a transition, and writes that down."""

    def __init__(
        self,
        routes: Sequence[Route],
        clock: Clock,
        *,
        max_age: timedelta,
        on_commit: Callable[[Sequence[tuple[str, str]]], None],
    ) -> None:
        """Prepare.

        Args:
            routes: who is told of what.
            clock: to tell how old a transition is.
            max_age: transitions whose event time lies further back are told to nobody.
            on_commit: told (channel, state) of every row, once they are committed.
        """
        self._routes = routes
        self._clock = clock
        self._max_age = max_age
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
            connection: the transaction of the step.
            event: the transition.
            opened_at: when its alert was opened, in microseconds.
            rebuilt: whether it comes from comments that had been worked off before a rebuild.

        Returns:
            (channel, state) of every new row; a transition that was told before adds none.
        """
        now = self._clock.now()
        skipped = TOO_OLD if now - event.at > self._max_age else REBUILT if rebuilt else None
        at, state = to_micros(event.at), WAITING if skipped is None else SKIPPED
        written = []
        for channel in channels_for(self._routes, event.kol_id, event.kind, event.severity):
            row = {
                "key": idempotency_key(event.alert_id, event.reason, at, channel),
                "channel": channel,
                "alert_id": event.alert_id,
                "kol_id": event.kol_id,
                "kind": event.kind,
                "severity": event.severity,
                "reason": event.reason,
                "at": at,
                "opened_at": opened_at,
                "evidence": event.evidence.to_dict(),
                "state": state,
                "attempts": 0,
                "recorded_at": to_micros(now),
                "due_at": to_micros(now),
                "finished_at": None if skipped is None else to_micros(now),
                "error": skipped,
            }
            if await enqueue(connection, row):
                written.append((channel, state))
        return written
