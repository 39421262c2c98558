"""Group commit: everything that waits for the log is committed together."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from monitoring.events import Comment
from serving.clock import Clock
from serving.errors import NotReady, ServingError, TooBusy
from serving.ingest.fast_clocks import FastClocks
from serving.metrics import Metrics
from serving.storage.author_ids import AuthorIds
from serving.storage.comment_log import CommentLog, LogEntry
from serving.storage.comment_update import CommentOutcome
from serving.storage.source_record import SourceStep

_logger = structlog.get_logger(__name__)
_COMMIT_AT_MOST = 5000
_RETRY_AFTER = 1

Waiting = tuple[LogEntry, asyncio.Future[list[CommentOutcome]]]


class GroupCommit:
    """Takes comments from many requests and answers each after its commit.

    At most `capacity` comments wait; past that a request is turned away (HTTP 429), never
    queued without bound. A failed commit reaches every request that was part of it. After an
    unexpected exception each is committed alone, so that one cannot be in the way of the others.

    Attributes:
        fast_clocks: the senders whose comments claim to be from after their receipt.
        author_ids: how the ids of authors are stored.
        deleted_kols: KOLs whose comments are not taken, because they were deleted.
    """

    def __init__(
        self,
        log: CommentLog,
        clock: Clock,
        *,
        capacity: int,
        on_commit: Callable[[], None],
        metrics: Metrics,
        author_ids: AuthorIds | None = None,
    ) -> None:
        self._log = log
        self._clock = clock
        self._capacity = capacity
        self._on_commit = on_commit
        self._metrics = metrics
        self.author_ids = author_ids or AuthorIds()
        self._queue: deque[Waiting] = deque()
        self._waiting = 0
        self._arrived = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._task: asyncio.Task[None] | None = None
        self.fast_clocks = FastClocks()
        self.deleted_kols: frozenset[str] = frozenset()

    @property
    def waiting(self) -> int:
        """Comments that wait for their commit."""
        return self._waiting

    @property
    def alive(self) -> bool:
        """Whether comments are being committed."""
        return self._task is not None and not self._task.done()

    async def start(self) -> None:
        """Begin committing."""
        self._task = asyncio.create_task(self._run(), name="log-writer")

    async def stop(self) -> None:
        """Commit what waits, then stop."""
        if self._task is None:
            return
        if self.alive:
            await self._drained.wait()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def append(
        self, comments: Sequence[Comment], step: SourceStep | None = None
    ) -> list[CommentOutcome]:
        """Commit comments to the log, and in the same transaction the step of their source.

        Returns:
            For each what became of it; after the commit.

        Raises:
            TooBusy: too many wait already; nothing was taken.
            NotReady: the writer has died.
            StoreError: the database refused; nothing was kept.
        """
        if not comments and step is None:
            return []
        if not self.alive:
            raise NotReady("the comment log is not being written; see the service's log")
        if self._waiting and self._waiting + len(comments) > self._capacity:
            raise TooBusy(
                f"{self._waiting} comments wait for their commit already; send these again later",
                retry_after=_RETRY_AFTER,
            )
        done: asyncio.Future[list[CommentOutcome]] = asyncio.get_running_loop().create_future()
        self._queue.append((LogEntry(comments, step), done))
        self._waiting += len(comments)
        self._drained.clear()
        self._arrived.set()
        return await done

    async def settle(self) -> None:
        """Wait until everything that was handed over by now is committed or refused."""
        if self.alive and self._waiting:
            done: asyncio.Future[list[CommentOutcome]] = asyncio.get_running_loop().create_future()
            self._queue.append((LogEntry(()), done))
            self._arrived.set()
            await asyncio.wait([done])

    async def _run(self) -> None:
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._queue:
                    await self._commit(self._take())
                self._drained.set()
        finally:
            for entry, done in self._queue:
                self._waiting -= len(entry.comments)
                if not done.done():
                    done.set_exception(NotReady("the comment log stopped; send these again"))
            self._queue.clear()

    def _take(self) -> list[Waiting]:
        group = [self._queue.popleft()]
        size = len(group[0][0].comments)
        while self._queue and size + len(self._queue[0][0].comments) <= _COMMIT_AT_MOST:
            group.append(self._queue.popleft())
            size += len(group[-1][0].comments)
        return group

    async def _commit(self, group: list[Waiting]) -> None:
        """Commit a group, and tell everybody in it; whatever happens, the next group goes on."""
        count = sum(len(entry.comments) for entry, _ in group)
        try:
            await self._try(group)
        except asyncio.CancelledError:
            _refuse(group, NotReady("the comment log stopped; send these again"))
            raise
        finally:
            self._waiting -= count

    async def _try(self, group: list[Waiting]) -> None:
        try:
            await self._append(group)
        except ServingError as error:
            _refuse(group, error)
        except Exception:
            _logger.exception("commit_failed", requests=len(group))
            self._metrics.worker_errors.labels("group_commit").inc()
            if len(group) > 1:  # one of them may be at fault
                for one in group:
                    await self._try([one])
            else:
                _refuse(group, NotReady("these comments could not be stored; see the log"))

    async def _append(self, group: list[Waiting]) -> None:
        entries = [
            LogEntry(self.author_ids.of_comments(entry.comments), entry.step) for entry, _ in group
        ]
        now = self._clock.now()
        outcomes = await self._log.append_entries(entries, now)
        for (_, done), found in zip(group, outcomes, strict=True):
            if not done.done():  # its caller may have gone; the comments are in the log
                done.set_result(found)
        self._on_commit()
        self.fast_clocks.look([one for entry in entries for one in entry.comments], now)


def _refuse(group: list[Waiting], error: ServingError) -> None:
    for _, done in group:
        if not done.done():
            done.set_exception(error)
