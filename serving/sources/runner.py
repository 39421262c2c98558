"""Runs one source: asks, commits, waits, and asks again after failures."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

import structlog

from serving.clock import Clock
from serving.errors import ServingError
from serving.metrics import Metrics
from serving.sources.backoff import Backoff
from serving.sources.committer import BatchResult, SourceCommitter, written
from serving.sources.faults import (
    BadAnswer,
    FaultKind,
    PlatformUnavailable,
    SourceFault,
    SubscriptionLost,
)
from serving.sources.outage_tracker import OutageTracker
from serving.sources.source import (
    Poller,
    Source,
    StreamReader,
    WebhookAnswer,
    WebhookReceiver,
    WebhookRequest,
)
from serving.sources.source_batch import SourceBatch, SourceComment
from serving.sources.source_metrics import SourceMetrics
from serving.storage.source_record import SourceRecord

_logger = structlog.get_logger(__name__)
_POLL_SECONDS = 120.0  # that one request for a batch may take, with all that it asks
_HELD = 20_000  # comments of the history that wait for older ones
_LOOK = 10.0  # seconds between two looks at how long something lasts
_STREAM_PAUSE = 1.0  # seconds after the first break of a connection
_LONG = 120.0  # a pause after which what is held is committed first


class SourceRunner:
    """The loops of one source: its poller, its stream, its subscription.

    Attributes:
        tracker: whether it is blind.
        backlog: comments that are known to wait on the platform; None if nobody says.
        arrival: seconds from the writing of comments to their commit, in the last batch with any.
        next_at: when the platform is asked next, aware; None while it is being asked.
        rejected_why: why the last comment could not be taken.
    """

    def __init__(
        self,
        record: SourceRecord,
        source: Source,
        committer: SourceCommitter,
        tracker: OutageTracker,
        clock: Clock,
        metrics: Metrics,
        source_metrics: SourceMetrics,
        hide: Callable[[str], str] = str,
    ) -> None:
        """Nothing runs before `run`.

        Args:
            record: as it is stored.
            source: asks the platform.
            committer: takes what it brings.
            tracker: takes failures and successes.
            clock: for times.
            metrics: counts unexpected exceptions.
            source_metrics: counts failures.
            hide: takes secrets out of a text.
        """
        self.tracker = tracker
        self.backlog: int | None = None
        self.arrival: float | None = None
        self.next_at: datetime | None = None
        self.rejected_why: str | None = None
        self._record = record
        self._source = source
        self._committer = committer
        self._clock = clock
        self._metrics = metrics
        self._source_metrics = source_metrics
        self._hide = hide
        self._cursors: dict[str, Any] = dict(record.cursor or {})
        self._committing = asyncio.Lock()
        self._wake = asyncio.Event()
        self._held: list[SourceBatch] = []
        self._ahead: Mapping[str, Any] | None = None
        self._called_at: datetime | None = None

    async def run(self) -> None:
        """Run until cancelled."""
        source = self._source
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_again())
            if isinstance(source, Poller):
                group.create_task(self._poll(source))
            if isinstance(source, StreamReader):
                group.create_task(self._read(source))
            if isinstance(source, WebhookReceiver):
                group.create_task(self._check_subscription(source))

    def wake(self) -> None:
        """Ask at once."""
        self._wake.set()

    async def receive(self, request: WebhookRequest) -> WebhookAnswer:
        """Take a call of the platform: verify it, commit what it brings.

        Raises:
            UnverifiedRequest: it is not the platform's.
            BadAnswer: it cannot be read.
            TooBusy, NotReady, StoreError: it could not be committed; the platform calls again.
        """
        assert isinstance(self._source, WebhookReceiver)
        try:
            answer = self._source.receive(request)
        except BadAnswer as fault:
            self._count(fault.kind)
            _logger.warning("source_call_not_read", source=self._record.name, error=str(fault))
            raise
        result = await self._committer.commit(
            self._record,
            answer.batch,
            None,
            delivery_key=answer.delivery_key,
            whole=True,
            wait=False,
        )
        await self._note(answer.batch, result)
        self._called_at = self._clock.now()
        await self.tracker.succeeded("webhook", self._called_at)
        if answer.poll_now:
            self.wake()
        return answer

    async def _poll(self, poller: Poller) -> None:
        backoff = Backoff()
        least = poller.least_interval.total_seconds()
        most = max(poller.most_interval.total_seconds(), least)
        interval = least
        while True:
            self.next_at = None
            found = await self._attempt("poll", lambda: self._poll_all(poller), backoff)
            if isinstance(found, float):
                if found > _LONG and self._held:
                    await self._attempt("poll", self._commit_held, Backoff())
                await self._rest(found)
                continue
            interval = least if found > 10 else interval / 2 if found else interval * 1.3
            interval = min(max(interval, least), most)
            await self._rest(interval)

    async def _poll_all(self, poller: Poller) -> int:
        """Ask until there is nothing more; new comments that came."""
        accepted = 0
        if self._held and not self._held[-1].history:  # it could not be committed
            accepted += await self._commit_held()
        while True:
            cursor = self._ahead if self._ahead is not None else self._cursors.get("poll")
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    batch = await poller.poll(cursor)
            except TimeoutError:
                raise PlatformUnavailable(f"no answer within {_POLL_SECONDS:g} s") from None
            self._held.append(batch)
            self._ahead = batch.cursor if batch.cursor is not None else cursor
            self.backlog = batch.backlog
            waiting = sum(len(one.comments) for one in self._held)
            # Of a history, pages come newest first; what is judged is judged in order.
            if not (batch.history and batch.more and waiting < _HELD):
                accepted += await self._commit_held()
            await self.tracker.succeeded("poll", self._clock.now())
            if not batch.more:
                return accepted

    async def _commit_held(self) -> int:
        if not self._held:
            return 0
        result = await self._commit(merged(self._held), "poll", self._ahead)
        self._held, self._ahead = [], None
        return result.accepted

    async def _read(self, reader: StreamReader) -> None:
        backoff = Backoff(first=_STREAM_PAUSE)
        while True:
            found = await self._attempt("stream", lambda: self._read_on(reader, backoff), backoff)
            await asyncio.sleep(found)

    async def _read_on(self, reader: StreamReader, backoff: Backoff) -> int:
        silence = reader.silence.total_seconds()
        async with aclosing(reader.read(self._cursors.get("stream"))) as batches:
            while True:
                try:
                    async with asyncio.timeout(silence):
                        batch = await anext(batches)
                except TimeoutError:
                    raise PlatformUnavailable(f"nothing came for {silence:g} s") from None
                except StopAsyncIteration:
                    raise PlatformUnavailable("the platform closed the connection") from None
                self.backlog = batch.backlog
                await self._commit(batch, "stream", batch.cursor)
                backoff.succeed()
                await self.tracker.succeeded("stream", self._clock.now())

    async def _check_subscription(self, receiver: WebhookReceiver) -> None:
        backoff = Backoff()
        while True:
            found = await self._attempt("subscription", lambda: self._ask(receiver), backoff)
            pause = receiver.check_interval.total_seconds()
            await asyncio.sleep(min(found, 60.0) if isinstance(found, float) else pause)

    async def _ask(self, receiver: WebhookReceiver) -> int:
        check = await receiver.check_subscription()
        now = self._clock.now()
        if check.expected_within is not None:
            last = self._called_at or self._record.success_at or self._record.created_at
            if now - last > check.expected_within:
                raise SubscriptionLost(f"the platform has not called since {last:%H:%M} UTC")
        await self.tracker.succeeded("subscription", now)
        return 0

    async def _look_again(self) -> None:
        """Report a failure once it has lasted, also while the next attempt waits."""
        while True:
            await asyncio.sleep(_LOOK)
            try:
                await self.tracker.look(self._clock.now())
            except ServingError as error:
                _logger.warning("source_outage_not_stored", error=str(error))

    async def _attempt(
        self, part: str, work: Callable[[], Awaitable[int]], backoff: Backoff
    ) -> int | float:
        """Do something once; whatever happens is an answer.

        Returns:
            What the work returns, or the seconds until the next attempt as a `float`.
        """
        name = self._record.name
        try:
            found = await work()
        except SourceFault as fault:
            self._count(fault.kind)
            fault.args = (self._hide(str(fault)),)
            _logger.info("source_failed", source=name, part=part, kind=fault.kind, error=str(fault))
            await self._failed(part, fault)
            return float(backoff.fail(fault.retry_after))
        except ServingError as error:  # ours, not the platform's: the database, the log
            _logger.warning("source_not_committed", source=name, part=part, error=str(error))
            await self._failed(part, SourceFault(f"what it brings cannot be stored: {error}"))
            return float(backoff.fail(getattr(error, "retry_after", None)))
        except Exception:
            _logger.exception("source_failed", source=name, part=part)
            self._metrics.worker_errors.labels("source").inc()
            self._count(FaultKind.UNEXPECTED)
            await self._failed(part, SourceFault("an unexpected error; see the service's log"))
            return float(backoff.fail())
        backoff.succeed()
        return found

    async def _failed(self, part: str, fault: SourceFault) -> None:
        try:
            await self.tracker.failed(part, fault, self._clock.now())
        except ServingError as error:
            _logger.warning("source_outage_not_stored", error=str(error))

    async def _commit(
        self,
        batch: SourceBatch,
        part: str,
        cursor: Mapping[str, Any] | None,
    ) -> BatchResult:
        """Commit a batch with the cursors of all parts."""
        async with self._committing:
            moved = {} if cursor is None else {part: cursor}
            cursors = self._cursors | moved
            result = await self._committer.commit(self._record, batch, cursors or None)
            self._cursors = cursors
        await self._note(batch, result)
        return result

    async def _note(self, batch: SourceBatch, result: BatchResult) -> None:
        """Keep what is worth knowing of a batch that was committed."""
        if result.why is not None:
            self.rejected_why = self._hide(result.why)
        if result.written_at:
            now = self._clock.now()
            if not batch.history:
                ages = [(now - at).total_seconds() for at in result.written_at]
                self.arrival = max(statistics.median(ages), 0.0)
            await self.tracker.brought(list(result.written_at))

    def _count(self, kind: FaultKind) -> None:
        self._source_metrics.errors.labels(
            self._record.name, self._record.platform, kind.value
        ).inc()

    async def _rest(self, seconds: float) -> None:
        """Wait, unless something says that there is work."""
        self.next_at = self._clock.now() + timedelta(seconds=seconds)
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()


def merged(batches: Sequence[SourceBatch]) -> SourceBatch:
    """Batches as one, with the comments in the order in which they were written."""
    if len(batches) == 1 and not batches[0].history:
        return batches[0]
    comments = [comment for batch in batches for comment in batch.comments]
    return SourceBatch(
        comments=sorted(comments, key=_when),
        removals=[one for batch in batches for one in batch.removals],
        posts=[one for batch in batches for one in batch.posts],
        followers=[one for batch in batches for one in batch.followers],
        history=any(batch.history for batch in batches),
    )


def _when(comment: SourceComment) -> float:
    at = written(comment)
    return 0.0 if at is None else at.timestamp()
