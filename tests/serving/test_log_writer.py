"""Group commit: full queues turn away, failures reach everybody, the dead say so."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from monitoring.events import Comment
from serving.clock import TestClock
from serving.errors import NotReady, StoreError, TooBusy
from serving.ingest.group_commit import GroupCommit
from serving.metrics import Metrics
from serving.storage.comment_log import LogEntry
from serving.storage.comment_update import CommentOutcome

ACCEPTED, DUPLICATE = CommentOutcome.ACCEPTED, CommentOutcome.DUPLICATE
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Log:
    """Replaces the comment log; holds each commit until it is released."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.let_go = asyncio.Event()
        self.error: BaseException | None = None
        self.bad: dict[str, Exception] = {}

    async def append_entries(
        self, entries: Sequence[LogEntry], _received_at: datetime
    ) -> list[list[CommentOutcome]]:
        batch = [comment for entry in entries for comment in entry.comments]
        await self.let_go.wait()
        self.groups.append(len(batch))
        if self.error is not None:
            raise self.error
        for comment in batch:
            if comment.comment_id in self.bad:
                raise self.bad[comment.comment_id]
        return [
            [DUPLICATE if one.comment_id == "old" else ACCEPTED for one in entry.comments]
            for entry in entries
        ]


def comments(*ids: str) -> list[Comment]:
    return [Comment("x", comment_id, "lena", "hi", NOW) for comment_id in ids]


def writer(log: Log, capacity: int = 100) -> GroupCommit:
    return GroupCommit(
        log,
        TestClock(NOW),
        capacity=capacity,
        on_commit=lambda: None,
        metrics=Metrics(CollectorRegistry(), max_kols=1),
    )  # type: ignore[arg-type]


async def test_what_waits_is_committed_together() -> None:
    log = Log()
    log_writer = writer(log)
    await log_writer.start()
    first = asyncio.create_task(log_writer.append(comments("a")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the first is being committed by now
    rest = [asyncio.create_task(log_writer.append(comments("b", "old"))) for _ in range(3)]
    await asyncio.sleep(0)
    log.let_go.set()
    assert await first == [ACCEPTED]
    assert await asyncio.gather(*rest) == [[ACCEPTED, DUPLICATE]] * 3
    assert log.groups == [1, 6]
    assert log_writer.waiting == 0
    await log_writer.stop()


async def test_a_full_queue_turns_away_and_keeps_what_it_has() -> None:
    log = Log()
    log_writer = writer(log, capacity=3)
    await log_writer.start()
    kept = asyncio.create_task(log_writer.append(comments("a", "b")))
    await asyncio.sleep(0)
    with pytest.raises(TooBusy) as caught:
        await log_writer.append(comments("c", "d"))
    assert caught.value.retry_after > 0
    log.let_go.set()
    assert await kept == [ACCEPTED] * 2
    assert await log_writer.append(comments("c", "d")) == [ACCEPTED] * 2
    await log_writer.stop()


async def test_a_refused_commit_reaches_every_sender_and_the_next_succeeds() -> None:
    log = Log()
    log.error = StoreError("disk full")
    log_writer = writer(log)
    await log_writer.start()
    senders = [asyncio.create_task(log_writer.append(comments(name))) for name in "ab"]
    await asyncio.sleep(0)
    log.let_go.set()
    results = await asyncio.gather(*senders, return_exceptions=True)
    assert all(isinstance(result, StoreError) for result in results)
    log.error = None
    assert await log_writer.append(comments("a")) == [ACCEPTED]
    await log_writer.stop()


@pytest.mark.parametrize("error", [RuntimeError("no"), MemoryError()])
async def test_an_unexpected_exception_fails_one_request_and_no_other(error: Exception) -> None:
    log = Log()
    log.bad = {"bad": error}
    log_writer = writer(log)
    await log_writer.start()
    sent = [asyncio.create_task(log_writer.append(comments(one))) for one in ("a", "bad", "c")]
    await asyncio.sleep(0)
    log.let_go.set()
    first, bad, last = await asyncio.gather(*sent, return_exceptions=True)
    assert first == last == [ACCEPTED]
    assert isinstance(bad, NotReady)
    assert log_writer.alive
    assert log_writer.waiting == 0
    assert await log_writer.append(comments("d")) == [ACCEPTED]
    await log_writer.stop()


async def test_a_writer_that_stopped_takes_nothing() -> None:
    log_writer = writer(Log())
    await log_writer.start()
    await log_writer.stop()
    with pytest.raises(NotReady):
        await log_writer.append(comments("b"))


async def test_stopping_commits_what_waits() -> None:
    log = Log()
    log_writer = writer(log)
    await log_writer.start()
    waiting = asyncio.create_task(log_writer.append(comments("a")))
    await asyncio.sleep(0)
    log.let_go.set()
    await log_writer.stop()
    assert await waiting == [ACCEPTED]
    assert not log_writer.alive


async def test_nothing_to_append() -> None:
    assert await writer(Log()).append([]) == []
