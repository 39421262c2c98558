"""Many small calls into few large batches, with a bound on what may wait."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

from model.errors import BackendError, ModelStoppedError, Overloaded, TooManyTextsError
from model.types import Prediction

_SMOOTHING = 0.2


class Predictor(Protocol):
    """What the batcher needs of a classifier."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Score texts, in the order given."""
        ...


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What an observer is told after every batch.

    Attributes:
        texts: scored together.
        waiting: texts still queued.
        queued_seconds: how long the oldest text of the batch had waited.
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
    """One caller's texts; the future is done when all are scored, one failed, or nobody waits."""

    future: asyncio.Future[list[Prediction]]
    since: float
    missing: int
    results: dict[int, Prediction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Entry:
    call: _Call
    place: int
    text: str


class Batcher:
    """Collects texts of concurrent callers and scores them in one worker thread.

    A failed batch fails every call that has a text in it. A cancelled caller's texts that are still
    queued are dropped. If the worker itself dies, all waiters fail and ``alive`` is false.
    """

    def __init__(
        self,
        classifier: Predictor,
        *,
        max_waiting_texts: int = 4096,
        max_batch_texts: int = 64,
        max_batch_characters: int = 65_536,
        max_delay: float = 0.005,
        observer: Callable[[BatchReport], None] | None = None,
    ) -> None:
        """Set the bounds; :meth:`start` starts the worker.

        Args:
            classifier: scores a batch; called in a thread, never twice at once.
            max_waiting_texts: permits: texts queued or being scored at any time.
            max_batch_texts: texts a batch.
            max_batch_characters: characters a batch, unless a single text is longer.
            max_delay: seconds the first text of a batch waits for company.
            observer: called in the event loop after every batch.
        """
        self._classifier = classifier
        self._max_waiting = max_waiting_texts
        self._max_texts = max_batch_texts
        self._max_characters = max_batch_characters
        self._max_delay = max_delay
        self._observer = observer
        self._queue: deque[_Entry] = deque()
        self._held = 0
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._calls: set[_Call] = set()
        self._worker: asyncio.Task[None] | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._texts_per_second = 0.0

    @property
    def alive(self) -> bool:
        """Whether the worker runs; false before start, after stop, and when it died."""
        return self._worker is not None and not self._worker.done()

    @property
    def waiting(self) -> int:
        """Texts queued or being scored."""
        return self._held

    async def start(self) -> None:
        """Start the worker; does nothing where it runs already."""
        if self.alive:
            return
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._worker = asyncio.create_task(self._work(), name="model-batcher")
        self._worker.add_done_callback(self._bury)

    async def stop(self) -> None:
        """Let the batch under way end, fail what still waits, and stop the worker."""
        worker, self._worker = self._worker, None
        executor, self._executor = self._executor, None
        if worker is not None:
            worker.cancel()
            await asyncio.wait([worker])
        if executor is not None:
            await asyncio.to_thread(executor.shutdown)

    async def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Score texts, in the order given, together with whatever else waits.

        Raises:
            Overloaded: too many texts wait; nothing was taken. Carries ``retry_after``.
            TooManyTextsError: the call alone is over ``max_waiting_texts``.
            ModelStoppedError: the worker is not running, or died.
            BackendError: the batch that held one of the texts failed.
        """
        if not self.alive:
            raise ModelStoppedError("the model is not running")
        if not texts:
            return []
        if len(texts) > self._max_waiting:
            raise TooManyTextsError(
                f"{len(texts)} texts in one call; at most {self._max_waiting} may wait at once"
            )
        if self._held + len(texts) > self._max_waiting:
            raise Overloaded(self._held, self._retry_after(len(texts)))
        loop = asyncio.get_running_loop()
        call = _Call(loop.create_future(), loop.time(), len(texts))
        self._calls.add(call)
        self._held += len(texts)
        self._queue.extend(_Entry(call, place, text) for place, text in enumerate(texts))
        self._arrived.set()
        if len(self._queue) >= self._max_texts:
            self._full.set()
        try:
            return await call.future
        finally:
            self._calls.discard(call)
            self._drop(call)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            await self._linger(loop)
            batch = self._take()
            if batch:
                await self._score(batch, loop)

    async def _linger(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for company until the batch is full or its first text has waited long enough."""
        if not self._queue:
            return
        patience = self._queue[0].call.since + self._max_delay - loop.time()
        if patience > 0 and len(self._queue) < self._max_texts:
            self._full.clear()
            try:
                await asyncio.wait_for(self._full.wait(), patience)
            except TimeoutError:
                return

    def _take(self) -> list[_Entry]:
        batch: list[_Entry] = []
        characters = 0
        while self._queue and len(batch) < self._max_texts:
            characters += len(self._queue[0].text)
            if batch and characters > self._max_characters:
                break
            batch.append(self._queue.popleft())
        if not self._queue:
            self._arrived.clear()
        return batch

    async def _score(self, batch: list[_Entry], loop: asyncio.AbstractEventLoop) -> None:
        began = loop.time()
        texts = [entry.text for entry in batch]
        running = loop.run_in_executor(self._executor, self._classifier.predict, texts)
        try:
            await asyncio.wait([running])
        finally:
            self._held -= len(batch)
        seconds = loop.time() - began
        error = running.exception()
        if error is None:
            self._hand_out(batch, running.result())
            speed = len(batch) / max(seconds, 1e-6)
            before = self._texts_per_second or speed
            self._texts_per_second = before + _SMOOTHING * (speed - before)
        else:
            for call in {id(entry.call): entry.call for entry in batch}.values():
                _fail(call, BackendError(f"scoring failed: {error}"), error)
        if self._observer is not None:
            oldest = min(entry.call.since for entry in batch)
            self._observer(
                BatchReport(
                    len(batch), len(self._queue), began - oldest, seconds, error is not None
                )
            )

    def _hand_out(self, batch: list[_Entry], predictions: list[Prediction]) -> None:
        for entry, prediction in zip(batch, predictions, strict=True):
            call = entry.call
            call.results[entry.place] = prediction
            call.missing -= 1
            if not call.missing and not call.future.done():
                call.future.set_result([call.results[i] for i in range(len(call.results))])

    def _drop(self, call: _Call) -> None:
        """Take what a call has left in the queue out of it and free its permits."""
        if call.missing and self._queue:
            kept = [entry for entry in self._queue if entry.call is not call]
            self._held -= len(self._queue) - len(kept)
            self._queue = deque(kept)

    def _retry_after(self, texts: int) -> float:
        if not self._texts_per_second:
            return 1.0
        return float(
            max(1, ceil((self._held + texts - self._max_waiting) / self._texts_per_second))
        )

    def _bury(self, worker: asyncio.Task[None]) -> None:
        """Fail everyone who waits on a worker that ended, however it ended."""
        cause = None if worker.cancelled() else worker.exception()
        message = "the model was stopped" if cause is None else f"the model worker died: {cause!r}"
        for call in list(self._calls):
            _fail(call, ModelStoppedError(message), cause)


def _fail(call: _Call, error: Exception, cause: BaseException | None) -> None:
    if not call.future.done():
        error.__cause__ = cause
        call.future.set_exception(error)
