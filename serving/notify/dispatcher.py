"""Delivers what the outbox holds: one lane a channel, none of which waits for another.

At least once: a delivery is closed after the channel took it, so a process that is killed in
between sends it again, with the same idempotency key.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from serving.clock import Clock
from serving.delivery_state import DeliveryState
from serving.errors import StoreError
from serving.metrics import POSTPONED, Metrics
from serving.notify.channels.base import Channel, DigestChannel, Rejected, Unavailable
from serving.notify.notification import Notification
from serving.notify.routing.suppression import suppressed
from serving.storage.delivery_record import Delivery
from serving.storage.delivery_store import DeliveryStore
from serving.storage.outbox import WrittenDelivery
from serving.storage.payloads import AlertPayload, DigestPayload, UnreadablePayload

_log = structlog.get_logger(__name__)
_FIRST_BACKOFF, _LAST_BACKOFF = timedelta(seconds=2), timedelta(minutes=5)
_POLL = 5.0  # seconds after which a lane looks by itself


@dataclass(slots=True)
class _Lane:
    """A channel, and the instant before which it is left alone."""

    name: str
    channel: Channel
    ready_at: datetime
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Dispatcher:
    """Sends what waits, tries again with growing pauses, and gives up after so many attempts."""

    def __init__(
        self,
        *,
        store: DeliveryStore,
        channels: Mapping[str, Channel],
        clock: Clock,
        metrics: Metrics,
        attempts: int,
        timeout: float,
        public_url: str | None,
        stateful_receivers: Collection[str] = frozenset(),
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Prepare.

        Args:
            store: the outbox's table.
            channels: by name.
            clock: decides what is due.
            metrics: where outcomes are counted.
            attempts: after which a delivery is dead.
            timeout: of one attempt, in seconds.
            public_url: under which people reach this service; None leaves links out.
            stateful_receivers: channels that hear of every end, though the alert is muted.
            chance: uniform in [0, 1), for the jitter.
        """
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._attempts = attempts
        self._timeout = timeout
        self._public_url = public_url
        self._stateful_receivers = stateful_receivers
        self._chance = chance
        now = clock.now()
        self._lanes = {name: _Lane(name, channel, now) for name, channel in channels.items()}

    @property
    def channels(self) -> list[str]:
        """The names of the channels."""
        return list(self._lanes)

    @property
    def alive(self) -> bool:
        """Whether every lane runs."""
        return all(lane.task is not None and not lane.task.done() for lane in self._lanes.values())

    async def start(self) -> None:
        """Begin; what waits for a channel that is no longer configured is given up."""
        lost = await self._store.give_up_except(self._lanes, self._clock.now())
        if lost:
            _log.warning("deliveries_without_channel", given_up=lost)
        for lane in self._lanes.values():
            lane.task = asyncio.create_task(self._run(lane), name=f"sender-{lane.name}")

    async def stop(self) -> None:
        """Stop; an attempt that was under way is made again at the next start."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def committed(self, written: Sequence[WrittenDelivery]) -> None:
        """Say that deliveries were written to the outbox."""
        for one in written:
            if one.state is DeliveryState.WAITING:
                self.wake(one.channel)
            else:
                self._metrics.deliveries.labels(one.channel, one.state).inc()

    def wake(self, channel: str) -> None:
        """Say that something waits for a channel."""
        if channel in self._lanes:
            self._lanes[channel].woken.set()

    async def _run(self, lane: _Lane) -> None:
        try:
            while True:
                try:
                    pause = await self.step(lane.name)
                except StoreError as error:
                    _log.error("outbox_failed", channel=lane.name, error=str(error))
                    pause = _POLL
                if pause > 0:
                    await _rest(lane, pause)
        except Exception:
            _log.exception("dispatcher_died", channel=lane.name)
            raise

    async def step(self, name: str) -> float:
        """Send at most one message on a channel.

        Returns:
            Seconds after which there may be something to do; 0 for at once.

        Raises:
            StoreError: the database failed; what was sent may be sent again.
        """
        lane, now = self._lanes[name], self._clock.now()
        if now < lane.ready_at:
            return min(_POLL, (lane.ready_at - now).total_seconds())
        rows = _together(await self._store.due(name, now, most=lane.channel.most))
        if not rows:
            due = await self._store.next_due(name)
            return _POLL if due is None else min(_POLL, max((due - now).total_seconds(), 0.05))
        rows = await self._still_told(lane, rows, now)
        if not rows:
            return 0
        lane.ready_at = now + lane.channel.interval
        await self._attempt(lane, rows)
        return 0

    async def _still_told(
        self, lane: _Lane, rows: Sequence[Delivery], now: datetime
    ) -> list[Delivery]:
        """Those of the rows that are to be told now; the others are closed.

        Since they were written their alerts may have been muted, or a page acknowledged.
        """
        alerts = [delivery.alert for delivery in rows if delivery.alert is not None]
        statuses = iter(await self._store.alert_statuses(alerts, now))
        kept = []
        stateful = lane.name in self._stateful_receivers
        for delivery in rows:
            why = None
            if delivery.alert is not None:
                reason, by_hand = delivery.alert.reason, delivery.by_hand
                why = suppressed(reason, next(statuses), stateful=stateful, by_hand=by_hand)
            if why is None:
                kept.append(delivery)
                continue
            await self._store.suppress(delivery.delivery_id, now, why)
            self._metrics.deliveries.labels(lane.name, DeliveryState.SKIPPED).inc()
        return kept

    async def _attempt(self, lane: _Lane, rows: Sequence[Delivery]) -> bool:
        """Try a message; returns False if its channel should be left alone for now."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._send(lane.channel, rows)
        except Rejected as error:
            if len(rows) > 1:  # one of them is at fault; the others must not die with it
                for row in rows:
                    if not await self._attempt(lane, [row]):
                        return False
                return True
            await self._close(lane, rows, DeliveryState.DEAD, str(error))
        except Unavailable as error:
            await self._postpone(lane, rows, str(error), error.retry_after)
            return False
        except TimeoutError:
            await self._postpone(lane, rows, f"no answer within {self._timeout:g} s", None)
            return False
        else:
            await self._close(lane, rows, DeliveryState.DELIVERED, None)
        return True

    async def _send(self, channel: Channel, rows: Sequence[Delivery]) -> None:
        first = rows[0].payload
        if isinstance(first, DigestPayload):
            if not isinstance(channel, DigestChannel):
                raise Rejected("a digest goes by e-mail, and the channel is of another type now")
            await channel.send_digest(first.digest, key=rows[0].key, public_url=self._public_url)
            return
        notifications = []
        for delivery in rows:
            match delivery.payload:
                case AlertPayload() as alert:
                    notifications.append(self._notification(delivery, alert))
                case UnreadablePayload(error):
                    raise Rejected(f"the message cannot be read: {error}")
        await channel.send(notifications)

    async def _close(
        self, lane: _Lane, rows: Sequence[Delivery], state: DeliveryState, error: str | None
    ) -> None:
        if error is not None:
            _log.error("delivery_given_up", channel=lane.name, key=rows[0].key, error=error)
        await self._store.finish([row.delivery_id for row in rows], state, self._clock.now(), error)
        self._metrics.deliveries.labels(lane.name, state).inc(len(rows))

    async def _postpone(
        self,
        lane: _Lane,
        rows: Sequence[Delivery],
        error: str,
        retry_after: timedelta | None,
    ) -> None:
        """Try again later, or give up what was tried often enough."""
        now = self._clock.now()
        last = [row for row in rows if row.attempts + 1 >= self._attempts]
        again = [row for row in rows if row.attempts + 1 < self._attempts]
        if last:
            await self._close(lane, last, DeliveryState.DEAD, error)
        pause = self._backoff(max(row.attempts for row in rows))
        if retry_after is not None:
            pause = max(pause, retry_after)
        if retry_after is not None or lane.channel.most > 1:
            lane.ready_at = max(lane.ready_at, now + pause)
        if again:
            await self._store.postpone([row.delivery_id for row in again], now + pause, error)
            self._metrics.deliveries.labels(lane.name, POSTPONED).inc(len(again))
        _log.warning(
            "delivery_failed",
            channel=lane.name,
            key=rows[0].key,
            error=error,
            retry_in=str(pause),
        )

    def _backoff(self, failures: int) -> timedelta:
        """A pause after so many failures before this one: doubling, with full jitter."""
        longest: timedelta = min(_LAST_BACKOFF, _FIRST_BACKOFF * 2 ** min(failures, 16))
        return longest * self._chance()

    def _notification(self, delivery: Delivery, alert: AlertPayload) -> Notification:
        return Notification(
            key=delivery.key,
            alert_id=alert.alert_id,
            kol_id=alert.kol_id,
            kol_name=delivery.kol_name,
            kind=alert.kind,
            severity=alert.severity,
            reason=alert.reason,
            at=alert.at,
            opened_at=alert.opened_at,
            evidence=alert.evidence,
            public_url=self._public_url,
            page=delivery.page,
            step=delivery.step,
        )


def _together(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Those of the deliveries that go as one message: what was tried together stays together.

    Else a message that the other side took, but answered too late, would come again as part of
    another one, under another id, and nobody could tell that it had been there. And a digest goes
    alone.
    """
    chosen, passed_over = list[Delivery](), set[str]()
    for delivery in deliveries:
        alert_id = "" if delivery.alert is None else delivery.alert.alert_id
        if _trial(delivery) == _trial(deliveries[0]) and alert_id not in passed_over:
            chosen.append(delivery)
        else:
            passed_over.add(alert_id)  # what follows of this alert must not overtake it
    return chosen


def _trial(delivery: Delivery) -> tuple[int, datetime | None, int]:
    """The same for what was last tried in one message, and for all that never was."""
    alone = 0 if delivery.digest is None else delivery.delivery_id
    return delivery.attempts, delivery.due_at if delivery.attempts else None, alone


async def _rest(lane: _Lane, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await lane.woken.wait()
    except TimeoutError:
        pass
    lane.woken.clear()
