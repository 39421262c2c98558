"""Runs a source: in which order it commits, when it asks again, what it reports."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from serving.clock import TestClock
from serving.errors import StoreError, TooBusy
from serving.metrics import Metrics
from serving.sources import runner
from serving.sources.committer import BatchResult
from serving.sources.faults import FaultKind, PlatformUnavailable, QuotaSpent
from serving.sources.outage_tracker import OutageTracker
from serving.sources.runner import SourceRunner
from serving.sources.source import (
    Poller,
    Source,
    SourceCursor,
    SourcePreview,
    StreamReader,
    SubscriptionCheck,
    WebhookAnswer,
    WebhookReceiver,
    WebhookRequest,
)
from serving.sources.source_batch import SourceBatch, SourceComment
from serving.sources.source_metrics import SourceMetrics
from serving.storage.database import Database
from serving.storage.outage_store import OutageStore
from serving.storage.source_record import SourceRecord

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
RECORD = SourceRecord("s1", "toy", "Robot", "lena", "toy", {}, None, "t", 1, None, "mai", NOW)


@dataclass
class Committed:
    """Takes the place of the committer."""

    batches: list[tuple[SourceBatch, Mapping[str, Any] | None]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    async def commit(
        self, _record: SourceRecord, batch: SourceBatch, cursor: Any, **_: Any
    ) -> BatchResult:
        if self.errors:
            raise self.errors.pop(0)
        self.batches.append((batch, cursor))
        written_at = tuple(NOW for _ in batch.comments)
        return BatchResult(len(batch.comments), 0, 0, None, written_at)


class Previewed(Source):
    async def preview(self) -> SourcePreview:
        return SourcePreview("x", ("y",), (), ())


class Scripted(Previewed, Poller):
    """Answers with one batch or error after the other, then with nothing new."""

    least_interval = most_interval = timedelta(milliseconds=1)

    def __init__(self, *answers: SourceBatch | Exception) -> None:
        self.answers = list(answers)
        self.cursors: list[SourceCursor | None] = []

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        self.cursors.append(cursor)
        answer = self.answers.pop(0) if self.answers else SourceBatch()
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class SourceRun:
    """A source that runs."""

    runner: SourceRunner
    committed: Committed
    store: OutageStore
    metrics: SourceMetrics

    def errors(self, kind: FaultKind) -> float:
        return self.metrics.errors.labels("Robot", "toy", kind.value)._value.get()


Start = Callable[..., SourceRun]


@pytest.fixture
async def start(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Start]:
    monkeypatch.setattr("serving.sources.backoff.FIRST", 0.001)
    database = Database(f"sqlite:///{shutil.copy(empty, tmp_path / 'test.db')}")
    tasks = []

    def begin(source: Source, record: SourceRecord = RECORD, *errors: Exception) -> SourceRun:
        metrics, registry = Metrics(CollectorRegistry(), max_kols=1), CollectorRegistry()
        committed, store = Committed(errors=list(errors)), OutageStore(database)
        made = SourceRunner(
            record,
            source,
            committed,  # type: ignore[arg-type]
            OutageTracker(record, store),
            TestClock(NOW),
            metrics,
            SourceMetrics(registry),
            lambda said: said.replace("s3cr3t", "…"),
        )
        tasks.append(asyncio.create_task(made.run()))
        return SourceRun(made, committed, store, made._source_metrics)

    yield begin
    for task in tasks:
        assert not task.done(), "the runner ended"
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await database.close()


async def until(found: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not found():
            await asyncio.sleep(0.002)


def at(hours: float, comment_id: str) -> SourceComment:
    return SourceComment(comment_id, "hi", NOW - timedelta(hours=hours))


def ids(batch: SourceBatch) -> list[str]:
    return [comment.comment_id for comment in batch.comments]


async def test_a_history_is_committed_as_one_in_the_order_of_writing(start: Start) -> None:
    pages = [[at(1, "e"), at(2, "d")], [at(3, "c"), at(4, "b")], [at(5, "a")]]
    found = Scripted(
        *(
            SourceBatch(page, cursor={"page": number}, more=number < 3, history=True)
            for number, page in enumerate(pages, start=1)
        ),
        SourceBatch([at(0, "f")], cursor={"page": 9}),
    )
    run = start(found)
    await until(lambda: len(run.committed.batches) >= 2)
    (history, cursor), (live, later) = run.committed.batches[:2]
    assert (ids(history), cursor) == (["a", "b", "c", "d", "e"], {"poll": {"page": 3}})
    assert (ids(live), later) == (["f"], {"poll": {"page": 9}})
    assert found.cursors[:4] == [None, {"page": 1}, {"page": 2}, {"page": 3}]


async def test_of_a_history_only_so_much_is_held(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_HELD", 2)
    batch = SourceBatch([at(1, "b"), at(2, "a")], cursor={"page": 1}, more=True, history=True)
    last = SourceBatch([at(3, "0")], cursor={"page": 2}, history=True)
    found = Scripted(batch, PlatformUnavailable("x"), last)
    run = start(found)
    await until(lambda: len(run.committed.batches) >= 2)
    assert [ids(one) for one, _ in run.committed.batches[:2]] == [["a", "b"], ["0"]]
    assert found.cursors[:3] == [None, {"page": 1}, {"page": 1}]


async def test_a_history_that_is_interrupted_continues_where_it_was(start: Start) -> None:
    batch = SourceBatch([at(1, "b")], cursor={"page": 1}, more=True, history=True)
    last = SourceBatch([at(3, "a")], cursor={"page": 2}, history=True)
    found = Scripted(batch, PlatformUnavailable("x"), last)
    run = start(found)
    await until(lambda: run.committed.batches)
    assert ids(run.committed.batches[0][0]) == ["a", "b"]
    assert found.cursors[:3] == [None, {"page": 1}, {"page": 1}]


async def test_what_is_held_is_committed_before_a_long_pause(start: Start) -> None:
    batch = SourceBatch([at(1, "a")], cursor={"page": 1}, more=True, history=True)
    run = start(Scripted(batch, QuotaSpent("x", retry_after=5000)))
    await until(lambda: run.committed.batches)
    assert run.committed.batches[0][1] == {"poll": {"page": 1}}
    await until(lambda: run.runner.next_at)
    assert run.runner.next_at is not None
    assert run.runner.next_at >= NOW + timedelta(seconds=5000)


async def test_what_could_not_be_committed_is_committed_later(start: Start) -> None:
    batches = SourceBatch([at(1, "a")], cursor={"n": 1}), SourceBatch([at(0, "b")], cursor={"n": 2})
    run = start(Scripted(*batches), RECORD, StoreError("full"), TooBusy("busy", retry_after=0))
    await until(lambda: len(run.committed.batches) >= 2)
    assert [ids(one) for one, _ in run.committed.batches[:2]] == [["a"], ["b"]]


async def test_an_exception_is_a_failed_attempt(start: Start) -> None:
    run = start(Scripted(RuntimeError("a bug"), SourceBatch([at(0, "a")], cursor={"n": 1})))
    await until(lambda: run.committed.batches)
    assert run.errors(FaultKind.UNEXPECTED) == 1
    await until(lambda: run.runner.tracker.fault is None)


async def test_a_secret_in_a_refusal_is_hidden(start: Start) -> None:
    run = start(Scripted(QuotaSpent("the token s3cr3t is spent", retry_after=50)))
    await until(lambda: run.runner.tracker.outage)
    (outage,) = await run.store.page(before=None, limit=9)
    assert outage.cause == "the token … is spent"


async def test_a_platform_that_hangs_is_unavailable(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_POLL_SECONDS", 0.02)

    class HangingPoller(Scripted):
        async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
            await asyncio.sleep(3600)
            raise AssertionError

    run = start(HangingPoller())
    await until(lambda: run.errors(FaultKind.PLATFORM_UNAVAILABLE) >= 2)


class BreakingStream(Previewed, StreamReader):
    """Breaks after each two batches, and begins after the cursor."""

    silence = timedelta(milliseconds=30)

    def __init__(self, *, hang: bool = False) -> None:
        self.cursors: list[SourceCursor | None] = []
        self.closed = 0
        self.hang = hang

    async def read(self, cursor: SourceCursor | None) -> AsyncGenerator[SourceBatch, None]:
        self.cursors.append(cursor)
        first = (cursor or {"n": 0})["n"]
        try:
            for n in (first + 1, first + 2):
                yield SourceBatch([at(0, str(n))], cursor={"n": n})
            if self.hang:
                await asyncio.sleep(3600)
        finally:
            self.closed += 1


async def test_a_stream_that_breaks_is_read_on_from_its_cursor(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_STREAM_PAUSE", 0.001)
    stream = BreakingStream()
    run = start(stream)
    await until(lambda: len(stream.cursors) >= 3)
    assert stream.cursors[:3] == [None, {"n": 2}, {"n": 4}]
    assert [ids(one)[0] for one, _ in run.committed.batches[:4]] == ["1", "2", "3", "4"]
    assert run.errors(FaultKind.PLATFORM_UNAVAILABLE) >= 2


async def test_a_stream_that_is_silent_for_too_long_is_closed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_STREAM_PAUSE", 0.001)
    stream = BreakingStream(hang=True)
    start(stream)
    await until(lambda: stream.closed)


class Called(Previewed, WebhookReceiver):
    check_interval = timedelta(milliseconds=5)

    def receive(self, request: WebhookRequest) -> WebhookAnswer:
        return WebhookAnswer(SourceBatch([at(0, "a")]))

    async def check_subscription(self) -> SubscriptionCheck:
        return SubscriptionCheck(timedelta(hours=1))


async def test_a_webhook_that_is_silent_for_too_long_is_reported_and_its_end(
    start: Start,
) -> None:
    long_ago = NOW - timedelta(hours=2)
    record = SourceRecord(
        "s1", "toy", "Robot", "lena", "toy", {}, None, "t", 1, None, "mai", long_ago
    )
    run = start(Called(), record)
    await until(lambda: run.runner.tracker.outage)
    (outage,) = await run.store.page(before=None, limit=9)
    assert outage.kind == FaultKind.SUBSCRIPTION_LOST
    await run.runner.receive(WebhookRequest("POST", {}, {}, b""))
    await until(lambda: run.runner.tracker.outage is None)
