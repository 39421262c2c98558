"""A channel as the dispatcher sends on it: one message at a time, at the channel's rate."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from serving.clock import Clock
from serving.metrics import Metrics
from serving.notify.channels.base import Channel
from serving.storage.delivery_store import DeliveryStore


@dataclass(slots=True)
class Lane:
    """A channel, and how messages are sent on it.

    Attributes:
        name: the channel's name.
        channel: the channel.
        stateful: whether it is notified of the end of an alert even if the alert is muted.
        store: the deliveries.
        clock: where time comes from.
        metrics: where outcomes are counted.
        max_attempts: after so many a delivery is given up.
        timeout: of one attempt, in seconds.
        public_url: the address of this service for people; None leaves links out.
        chance: uniform in [0, 1), for the jitter of pauses.
        ready_at: nothing is sent before.
        woken: set when something may be due.
        task: the loop that sends; None before the start.
    """

    name: str
    channel: Channel
    stateful: bool
    store: DeliveryStore
    clock: Clock
    metrics: Metrics
    max_attempts: int
    timeout: float
    public_url: str | None
    chance: Callable[[], float]
    ready_at: datetime
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether its loop runs."""
        return self.task is not None and not self.task.done()

    async def rest(self, seconds: float) -> None:
        """Wait until it is woken, or some seconds have passed."""
        try:
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        except TimeoutError:
            pass
        self.woken.clear()
