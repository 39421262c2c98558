"""Delivers what the outbox holds: one lane a channel, none of which waits for another.

At least once: a delivery is closed after the channel took it, so a process that is killed in
between sends it again, with the same idempotency key.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from serving.clock import Clock
from serving.delivery_state import DeliveryState
from serving.errors import StoreError
from serving.metrics import Metrics
from serving.notify.channels.base import Channel, Unavailable
from serving.notify.lane import Lane
from serving.notify.stages import deliver
from serving.notify.stages.message import Message
from serving.storage.delivery_store import DeliveryStore
from serving.storage.outbox import WrittenDelivery

_logger = structlog.get_logger(__name__)
_POLL = 5.0  # seconds after which a lane checks the outbox without being woken


class Dispatcher:
    """Sends what waits, tries again with growing pauses, and gives up after `attempts`."""

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
            stateful_receivers: channels that are notified of every end, even if the alert is muted.
            chance: uniform in [0, 1), for the jitter.
        """
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._lanes = {
            name: Lane(
                name=name,
                channel=channel,
                stateful=name in stateful_receivers,
                store=store,
                clock=clock,
                metrics=metrics,
                max_attempts=attempts,
                timeout=timeout,
                public_url=public_url,
                chance=chance,
                ready_at=clock.now(),
            )
            for name, channel in channels.items()
        }

    @property
    def channels(self) -> list[str]:
        """The names of the channels."""
        return list(self._lanes)

    @property
    def alive(self) -> bool:
        """Whether every lane runs."""
        return all(lane.alive for lane in self._lanes.values())

    async def start(self) -> None:
        """Begin; what waits for a channel that is no longer configured is given up."""
        lost = await self._store.give_up_except(self._lanes, self._clock.now())
        if lost:
            _logger.warning("deliveries_without_channel", given_up=lost)
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

    async def _run(self, lane: Lane) -> None:
        while True:
            try:
                pause = await self.step(lane.name)
            except StoreError as error:
                _logger.warning("outbox_failed", channel=lane.name, error=str(error))
                pause = _POLL
            except Exception:
                _logger.exception("dispatcher_failed", channel=lane.name)
                self._metrics.worker_errors.labels("dispatcher").inc()
                pause = _POLL
            if pause > 0:
                await lane.rest(pause)

    async def step(self, name: str) -> float:
        """Send at most one message on a channel; one by one, if one of several may be at fault.

        Returns:
            Seconds after which there may be something to do; 0 for at once.

        Raises:
            StoreError: the database failed; what was sent may be sent again.
        """
        lane, now = self._lanes[name], self._clock.now()
        if now < lane.ready_at:
            return min(_POLL, (lane.ready_at - now).total_seconds())
        message = await self._due(lane, now)
        if not message.deliveries:
            due = await self._store.next_due(name)
            return _POLL if due is None else min(_POLL, max((due - now).total_seconds(), 0.05))
        sent = await deliver(lane, message)
        if sent.one_by_one:
            await _one_by_one(lane, sent)
        return 0

    async def _due(self, lane: Lane, now: datetime) -> Message:
        """What to send next, with the status of its alerts."""
        found = await self._store.due(lane.name, now, most=lane.channel.most)
        with_alert = [(one.delivery_id, one.alert) for one in found if one.alert is not None]
        statuses = await self._store.alert_statuses([alert for _, alert in with_alert], now)
        by_id = {key: status for (key, _), status in zip(with_alert, statuses, strict=True)}
        ids = {alert.alert_id for _, alert in with_alert}
        withdrawn = await self._store.withdrawn(lane.name, ids)
        late = await self._store.late_sources(ids, now)
        names = await self._store.post_names([alert for _, alert in with_alert])
        return Message(now, tuple(found), by_id, withdrawn, late, names)


async def _one_by_one(lane: Lane, message: Message) -> None:
    """Send the deliveries of a message that failed, each alone, until the channel is unavailable.

    What follows a delivery that is to be tried again waits with it, if it is of the same alert.
    """
    waiting = set[str]()
    for delivery in message.deliveries:
        if delivery.alert is not None and delivery.alert.alert_id in waiting:
            continue
        alone = replace(message, deliveries=(delivery,), suppressed=(), attempt=None, retry=None)
        sent = await deliver(lane, alone)
        if sent.attempt is not None and isinstance(sent.attempt.error, Unavailable):
            return
        if sent.retry is not None and sent.retry.postponed and delivery.alert is not None:
            waiting.add(delivery.alert.alert_id)
