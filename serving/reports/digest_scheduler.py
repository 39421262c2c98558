"""Writes the digests that are due into the outbox."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from model.errors import GroundswellError
from serving.clock import Clock
from serving.delivery_state import DeliveryState
from serving.errors import NotFound
from serving.metrics import Metrics
from serving.notify.config.period import Period
from serving.notify.config.subscription import Subscription
from serving.notify.outbox import NotificationOutbox
from serving.notify.workers.periodic import PeriodicWorker
from serving.reports.digest_builder import DigestBuilder, DigestRequest, compose
from serving.storage.database import Database
from serving.storage.delivery_record import NewDelivery
from serving.storage.digest_record import Digest, DigestInterval
from serving.storage.digest_store import begin, holds_unread, reach, reached
from serving.storage.instants import to_micros
from serving.storage.outbox import WrittenDelivery
from serving.storage.outbox_queries import enqueue
from serving.storage.payloads import DigestPayload

_GRACE = timedelta(minutes=10)
_ATTEMPTS = 10  # to build a digest
_logger = structlog.get_logger(__name__)
_PATIENCE = timedelta(hours=1)


class DigestScheduler(PeriodicWorker):
    """Writes every digest of the channels file when it is due: once, and late if necessary.

    If several became due while the service was down, only the last is written. None is written in
    the first ten minutes after a start, so that comments that arrived meanwhile are included. For
    up to an hour, none is written while comments of its period are stored but not processed.
    """

    name = "digest_scheduler"

    def __init__(
        self,
        database: Database,
        outbox: NotificationOutbox,
        metrics: Metrics,
        clock: Clock,
        subscriptions: Sequence[Subscription],
    ) -> None:
        super().__init__(database, outbox, metrics)
        self._clock = clock
        self._subscriptions = subscriptions
        self._begins = clock.now() + _GRACE
        self._ready: list[tuple[Subscription, Digest]] = []
        self._given_up: list[tuple[Subscription, DigestInterval, datetime]] = []
        self._failures: Counter[tuple[str, DigestInterval, datetime]] = Counter()

    async def start(self) -> None:
        """Start. A digest that was due before it was added to the channels file is not sent.

        Raises:
            StoreError: the database failed.
        """
        async with self._database.write() as connection:
            wanted = {(one.name, every) for one in self._subscriptions for every in one.every}
            await begin(connection, wanted, self._clock.now())
        await super().start()

    async def is_due(self, connection: AsyncConnection) -> bool:
        """Whether a digest is due; builds those that are."""
        now = self._clock.now()
        self._ready, self._given_up = [], []
        if not self._subscriptions or now < self._begins:
            return False
        done = await reached(connection)
        for subscription in self._subscriptions:
            for every in subscription.every:
                period = subscription.latest(every, now)
                due_at = subscription.due_at(period)
                last = done[subscription.name, every]
                if due_at <= last:
                    continue
                patient = now < max(due_at, self._begins) + _PATIENCE
                if patient and await holds_unread(connection, period.until):
                    continue
                request = DigestRequest(
                    period, subscription.kols, subscription.name, due_at, found_since=last
                )
                await self._compose(connection, subscription, request, now)
        return bool(self._ready or self._given_up)

    async def _compose(
        self,
        connection: AsyncConnection,
        subscription: Subscription,
        request: DigestRequest,
        now: datetime,
    ) -> None:
        """Build a digest. One that fails is tried again, then given up; the others go on."""
        assert request.due_at is not None
        key = subscription.name, request.period.every, request.due_at
        try:
            digest = await compose(connection, request, now)
        except GroundswellError:
            raise
        except Exception:
            _logger.exception("digest_failed", digest=subscription.name)
            self._metrics.worker_errors.labels(self.name).inc()
            self._failures[key] += 1
            if self._failures[key] >= _ATTEMPTS:
                self._given_up.append((subscription, *key[1:]))
        else:
            self._ready.append((subscription, digest))

    async def write(self, connection: AsyncConnection) -> list[WrittenDelivery]:
        """Put the digests that `is_due` built into the outbox."""
        written: list[WrittenDelivery] = []
        for subscription, every, due_at in self._given_up:
            _logger.error("digest_given_up", digest=subscription.name, due_at=due_at.isoformat())
            await reach(connection, subscription.name, every, due_at)
            for channel in subscription.channels:
                self._metrics.deliveries.labels(channel, DeliveryState.DEAD).inc()
        for subscription, digest in self._ready:
            assert digest.due_at is not None
            await reach(connection, subscription.name, digest.every, digest.due_at)
            key = _key(subscription.name, digest.every, digest.first.isoformat())
            written += await _enqueue(connection, subscription, digest, key)
        return written

    async def send(self, name: str, period: Period) -> Digest:
        """Write a digest of the channels file now and put it into the outbox, due or not.

        Args:
            name: name of the digest.
            period: its period; it begins before now.

        Raises:
            NotFound: the channels file has no such digest.
            StoreError: the database failed.
        """
        subscription = self.subscription(name)
        now = self._clock.now()
        digest = await DigestBuilder(self._database).write(
            DigestRequest(period, subscription.kols, name), now
        )
        key = _key(name, period.every, f"{period.first.isoformat()}-{to_micros(now)}")
        async with self._database.write() as connection:
            written = await _enqueue(connection, subscription, digest, key)
        self._outbox.committed(written)
        return digest

    def subscription(self, name: str) -> Subscription:
        """A digest of the channels file.

        Raises:
            NotFound: it has no such digest.
        """
        for one in self._subscriptions:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self._subscriptions) or "none"
        raise NotFound(f"the channels file has no digest {name!r}; it has: {known}")


def _key(name: str, every: DigestInterval, what: str) -> str:
    return f"digest-{name}-{every}-{what}"


async def _enqueue(
    connection: AsyncConnection, subscription: Subscription, digest: Digest, key: str
) -> list[WrittenDelivery]:
    """Write a delivery for every channel."""
    new = [
        NewDelivery(f"{key}-{channel}", channel, recorded_at=digest.written_at)
        for channel in subscription.channels
    ]
    return await enqueue(connection, DigestPayload(digest), new)
