"""Combines many small calls into few large batches; the queues are bounded."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from math import ceil
from typing import Protocol

from model.errors import BackendError, ModelStoppedError, Overloaded, TooManyTextsError
from model.types import Prediction

_SMOOTHING = 0.2
_log = logging.getLogger(__name__)


class Priority(Enum):
    """Whose texts are scored first."""

    HIGH = "high"
    LOW = "low"


class Predictor(Protocol):
    """What the batcher needs of a classifier."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Score texts, in the order given."""
        ...


@dataclass(frozen=True, slots=True)
class BatchReport:
    """One batch, as reported to the observer.

    Attributes:
        texts: number of texts in the batch.
        waiting: number of texts still queued.
        queued_seconds: how long the oldest text of the batch waited.
        seconds: how long the model took.
        failed: whether the model raised.
    """

    texts: int
    waiting: int
    queued_seconds: float
    seconds: float
    failed: bool


@dataclass(slots=True, eq=False)
class _Call:
    """One caller's texts. The future is done when all are scored, one failed, or the call ended."""

    future: asyncio.Future[list[Prediction]]
    since: float
    missing: int
    results: dict[int, Prediction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Entry:
    call: _Call
    place: int
    text: str


@dataclass(slots=True)
class _Queue:
    """The texts of one priority.

    Attributes:
        max_texts: limit on texts per batch.
        max_characters: limit on characters per batch.
        entries: those that wait.
        pending: how many wait or are being scored.
    """

    max_texts: int
    max_characters: int
    entries: deque[_Entry] = field(default_factory=deque)
    pending: int = 0

    def take(self) -> list[_Entry]:
        """The next batch."""
        batch: list[_Entry] = []
        characters = 0
        while self.entries and len(batch) < self.max_texts:
            characters += len(self.entries[0].text)
            if batch and characters > self.max_characters:
                break
            batch.append(self.entries.popleft())
        return batch

    def drop(self, call: _Call) -> None:
        """Remove a call's remaining texts."""
        if call.missing and self.entries:
            kept = [entry for entry in self.entries if entry.call is not call]
            self.pending -= len(self.entries) - len(kept)
            self.entries = deque(kept)


class Batcher:
    """Collects texts of concurrent callers and scores them in one worker thread.

    Texts of high priority go first. Each priority has its own queue and limits, so that no number
    of texts of low priority has one of high priority refused, and those are scored in smaller
    batches: one that has just begun is what a text of high priority waits for at most.

    A failed batch fails every call with a text in it; so does one with more or fewer predictions
    than texts. The next batch is scored all the same, also if the observer raises. Queued texts of
    a cancelled call are dropped.
    If the worker dies, all waiting calls fail and ``alive`` is false.
    """

    def __init__(
        self,
        classifier: Predictor,
        *,
        max_waiting_texts: int = 4096,
        max_batch_texts: int = 64,
        max_batch_characters: int = 65_536,
        low_priority_share: float = 0.25,
        max_delay: float = 0.005,
        observer: Callable[[BatchReport], None] | None = None,
    ) -> None:
        """Configure the batcher; to start its worker, call :meth:`start`.

        Args:
            classifier: scores a batch; called in a thread, never twice at once.
            max_waiting_texts: limit on texts queued or being scored, of each priority.
            max_batch_texts: limit on texts per batch of high priority.
            max_batch_characters: limit on characters per batch; one longer text is a batch alone.
            low_priority_share: how large batches of low priority are in comparison.
            max_delay: seconds that the first text of a batch waits for others.
            observer: called in the event loop after every batch; what it raises is logged.
        """
        self._classifier = classifier
        self._max_waiting = max_waiting_texts
        self._max_delay = max_delay
        self._observer = observer
        # In the order in which they are served.
        self._queues = {
            Priority.HIGH: _Queue(max_batch_texts, max_batch_characters),
            Priority.LOW: _Queue(
                max(1, int(max_batch_texts * low_priority_share)),
                max(1, int(max_batch_characters * low_priority_share)),
            ),
        }
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._calls: set[_Call] = set()
        self._worker: asyncio.Task[None] | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._texts_per_second = 0.0

    @property
    def alive(self) -> bool:
        """Whether the worker is running; false before start, after stop, and if it died."""
        return self._worker is not None and not self._worker.done()

    @property
    def waiting(self) -> int:
        """Texts queued or being scored."""
        return sum(queue.pending for queue in self._queues.values())

    async def start(self) -> None:
        """Start the worker; does nothing if it is running already."""
        if self.alive:
            return
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._worker = asyncio.create_task(self._work(), name="model-batcher")
        self._worker.add_done_callback(self._on_worker_done)

    async def stop(self) -> None:
        """Finish the current batch, fail all waiting calls, and stop the worker."""
        worker, self._worker = self._worker, None
        executor, self._executor = self._executor, None
        if worker is not None:
            worker.cancel()
            await asyncio.wait([worker])
        if executor is not None:
            await asyncio.to_thread(executor.shutdown)

    async def predict(
        self, texts: Sequence[str], *, priority: Priority = Priority.LOW
    ) -> list[Prediction]:
        """Score texts together with those of other calls; results in the order given.

        Args:
            texts: any strings.
            priority: whether they go before others.

        Raises:
            Overloaded: too many texts are waiting; none was queued. Carries ``retry_after``.
            TooManyTextsError: this call alone exceeds ``max_waiting_texts``.
            ModelStoppedError: the worker is not running, or died.
            BackendError: a batch with one of the texts failed.
        """
        if not self.alive:
            raise ModelStoppedError("the model is not running")
        if not texts:
            return []
        if len(texts) > self._max_waiting:
            raise TooManyTextsError(
                f"{len(texts)} texts in one call; the limit is {self._max_waiting}"
            )
        queue = self._queues[priority]
        if queue.pending + len(texts) > self._max_waiting:
            raise Overloaded(queue.pending, self._retry_after(queue.pending + len(texts)))
        loop = asyncio.get_running_loop()
        call = _Call(loop.create_future(), loop.time(), len(texts))
        self._calls.add(call)
        queue.pending += len(texts)
        queue.entries.extend(_Entry(call, place, text) for place, text in enumerate(texts))
        self._arrived.set()
        if len(queue.entries) >= queue.max_texts:
            self._full.set()
        try:
            return await call.future
        finally:
            self._calls.discard(call)
            queue.drop(call)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            await self._fill(loop)
            # After the wait: what is urgent may have come meanwhile.
            queue = self._next()
            if batch := queue.take():
                await self._score(queue, batch, loop)
            if not self._next().entries:
                self._arrived.clear()

    def _next(self) -> _Queue:
        """The queue to serve; an empty one if all are."""
        high, low = self._queues[Priority.HIGH], self._queues[Priority.LOW]
        return high if high.entries or not low.entries else low

    async def _fill(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until the batch is full or its first text has waited ``max_delay``."""
        queue = self._next()
        if not queue.entries:
            return
        remaining = queue.entries[0].call.since + self._max_delay - loop.time()
        if remaining > 0 and len(queue.entries) < queue.max_texts:
            self._full.clear()
            try:
                await asyncio.wait_for(self._full.wait(), remaining)
            except TimeoutError:
                return

    async def _score(
        self, queue: _Queue, batch: list[_Entry], loop: asyncio.AbstractEventLoop
    ) -> None:
        began = loop.time()
        texts = [entry.text for entry in batch]
        running = loop.run_in_executor(self._executor, self._classifier.predict, texts)
        try:
            await asyncio.wait([running])
        finally:
            queue.pending -= len(batch)
        seconds = loop.time() - began
        error = running.exception()
        if error is None and len(running.result()) != len(batch):
            error = ValueError(f"{len(running.result())} predictions for {len(batch)} texts")
        if error is None:
            self._hand_out(batch, running.result())
            speed = len(batch) / max(seconds, 1e-6)
            before = self._texts_per_second or speed
            self._texts_per_second = before + _SMOOTHING * (speed - before)
        else:
            _log.error("a batch of %d texts was not scored: %s", len(batch), error)
            for call in {id(entry.call): entry.call for entry in batch}.values():
                _fail(call, BackendError(f"scoring failed: {error}"), error)
        oldest = min(entry.call.since for entry in batch)
        waiting = sum(len(one.entries) for one in self._queues.values())
        self._report(
            BatchReport(len(batch), waiting, began - oldest, seconds, failed=error is not None)
        )

    def _report(self, report: BatchReport) -> None:
        if self._observer is None:
            return
        try:
            self._observer(report)
        except Exception:  # noqa: BLE001 - counting never stops scoring
            _log.exception("the observer of batches failed")

    def _hand_out(self, batch: list[_Entry], predictions: list[Prediction]) -> None:
        for entry, prediction in zip(batch, predictions, strict=True):
            call = entry.call
            call.results[entry.place] = prediction
            call.missing -= 1
            if not call.missing and not call.future.done():
                call.future.set_result([call.results[i] for i in range(len(call.results))])

    def _retry_after(self, wanted: int) -> float:
        if not self._texts_per_second:
            return 1.0
        return float(max(1, ceil((wanted - self._max_waiting) / self._texts_per_second)))

    def _on_worker_done(self, worker: asyncio.Task[None]) -> None:
        """Fail all waiting calls when the worker ends, whatever the reason."""
        cause = None if worker.cancelled() else worker.exception()
        message = "the model was stopped" if cause is None else f"the model worker died: {cause!r}"
        for call in list(self._calls):
            _fail(call, ModelStoppedError(message), cause)


def _fail(call: _Call, error: Exception, cause: BaseException | None) -> None:
    if not call.future.done():
        error.__cause__ = cause
        call.future.set_exception(error)
