"""Imports files that were sent to the service, one after the other."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from serving.clock import Clock
from serving.errors import ServingError, StoreError, TooBusy
from serving.ingest.importers.import_options import ImportOptions
from serving.ingest.importers.importer import BatchAnswer, Importer
from serving.ingest.importers.known_kols import known_kols
from serving.ingest.intake import Intake
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.metrics import Metrics
from serving.storage.comment_update import CommentOutcome
from serving.storage.import_record import ImportCount, ImportState, RejectedRow
from serving.storage.import_store import ImportStore
from serving.storage.kol_store import KnownKols, KolStore

_logger = structlog.get_logger(__name__)

MOST_WAITING = 20
MOST_REJECTED = 100_000  # rows that are kept of one import; the others are counted
_SAVE_EVERY = 1.0  # seconds
_BACKLOG = 64  # comments that may wait to be scored while an import sends more …
_AT_ONCE = 64  # … so many at once: a live comment waits for no more than both
_LOOK_EVERY = 0.05
_PAUSE, _LONGEST_PAUSE = 0.2, 30.0
_PAGE = 1000
_RETRY_AFTER = 60


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that was sent.

    Attributes:
        path: where it is; deleted after its import.
        name: what the sender calls it.
        options: how it is read.
        allowed: the KOLs that its sender may send comments for.
    """

    path: Path
    name: str
    options: ImportOptions
    allowed: KolLimit = EVERY_KOL


class ImportWorker:
    """Takes files and imports them in order. Live comments go first: while many wait to be
    scored, an import pauses.
    """

    def __init__(
        self,
        store: ImportStore,
        kols: KolStore,
        clock: Clock,
        metrics: Metrics,
        *,
        new_intake: Callable[[KolLimit], Intake],
        backlog: Callable[[], Awaitable[int]],
        last_seq: Callable[[], Awaitable[int]],
        folder: Path,
    ) -> None:
        """Nothing runs before `start`.

        Args:
            store: of the imports.
            kols: whom comments may name.
            clock: for their times.
            metrics: counts unexpected errors.
            new_intake: makes the way into the log for one import, for comments on some KOLs.
            backlog: comments that wait to be scored.
            last_seq: the log's last place.
            folder: for files while they are imported.
        """
        self.folder = folder
        self._store, self._kols, self._clock, self._metrics = store, kols, clock, metrics
        self._new_intake, self._backlog, self._last_seq = new_intake, backlog, last_seq
        self._queue: asyncio.Queue[tuple[int, UploadedFile]] = asyncio.Queue()
        self._unfinished = 0  # files that wait, are being received or are being imported
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Mark what an earlier run left behind as interrupted, and begin."""
        await self._store.interrupt(self._clock.now())
        self._task = asyncio.create_task(self._run(), name="imports")

    async def stop(self) -> None:
        """Stop; an import that is under way is interrupted."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            try:
                await self._store.interrupt(self._clock.now())
            except StoreError as error:  # the next start marks them
                _logger.warning("imports_not_marked", error=str(error))

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Keep a place for a file while it is received: it takes room on the disk already.

        Raises:
            TooBusy: too many wait or are being received.
        """
        if self._unfinished >= MOST_WAITING:
            raise TooBusy(
                "too many imports wait already; send the file again later",
                retry_after=_RETRY_AFTER,
            )
        self._unfinished += 1
        try:
            yield
        finally:
            self._unfinished -= 1

    async def take(self, file: UploadedFile) -> int:
        """Import a file, which has a place, when its turn comes; returns the import's id."""
        import_id = await self._store.add(file.name, self._clock.now(), file.allowed)
        self._unfinished += 1
        self._queue.put_nowait((import_id, file))
        return import_id

    async def _run(self) -> None:
        while True:
            import_id, file = await self._queue.get()
            try:
                await self._import(import_id, file)
            except ServingError as error:
                _logger.warning("import_failed", import_id=import_id, error=str(error))
                await self._end(import_id, str(error))
            except Exception:
                _logger.exception("import_failed", import_id=import_id)
                self._metrics.worker_errors.labels("imports").inc()
                await self._end(import_id, "see the service's log")
            finally:
                self._unfinished -= 1
                with suppress(OSError):  # the folder is emptied at the end in any case
                    file.path.unlink(missing_ok=True)

    async def _end(self, import_id: int, reason: str) -> None:
        """Store that an import failed, at whatever point, as soon as the database takes that."""
        error = f"{reason}; it is safe to send the file again"
        pause = _PAUSE
        while True:
            try:
                await self._store.fail(import_id, self._clock.now(), error)
            except StoreError as failed:
                _logger.warning("imports_not_marked", error=str(failed))
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return

    async def _import(self, import_id: int, file: UploadedFile) -> None:
        rejections, progress = RejectionBuffer(), ServiceProgress()
        importer = Importer(
            file.options,
            IntakeSink(self._new_intake(file.allowed), self._backlog),
            rejections,
            progress,
            await self._known(file.allowed),
            spool=self.folder,
        )

        progress.count = importer.count

        async def save(
            state: ImportState, *, last_seq: int | None = None, error: str | None = None
        ) -> None:
            await self._store.save(
                import_id,
                self._clock.now(),
                state=state,
                fraction=progress.fraction,
                count=progress.snapshot if state == ImportState.READING else importer.count,
                rejected=rejections.drain(),
                last_seq=last_seq,
                error=error,
            )

        work = asyncio.create_task(
            importer.run([(file.path, file.name)], self._clock.now()), name=f"import-{import_id}"
        )
        try:
            while not work.done():
                await save(progress.state)
                await asyncio.wait([work], timeout=_SAVE_EVERY)
            await work
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            raise
        except Exception:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await save(progress.state)  # what it came to
            raise
        failure = importer.count.files[0].failure
        await save(
            ImportState.FINISHED if failure is None else ImportState.FAILED,
            last_seq=await self._last_seq(),
            error=failure,
        )

    async def _known(self, allowed: KolLimit) -> KnownKols:
        found: list[tuple[str, Mapping[str, str]]] = []
        after: str | None = None
        while page := await self._kols.page(after=after, limit=_PAGE, visible=allowed):
            found += [(kol.kol_id, kol.profile.handles) for kol in page]
            after = page[-1].kol_id
        return known_kols(found)


class IntakeSink:
    """Comments of an import into the log of this service."""

    def __init__(self, intake: Intake, backlog: Callable[[], Awaitable[int]]) -> None:
        self._intake = intake
        self._backlog = backlog

    async def send(self, lines: Sequence[bytes]) -> BatchAnswer:
        """Commit comments, some at a time, as soon as few others wait to be scored.

        Raises:
            NotReady: the log is not being written.
            StoreError: the database refused; some may be kept, and are duplicates when sent again.
        """
        counts = dict.fromkeys(CommentOutcome, 0)
        faults: list[tuple[int, str, str, str]] = []
        for first in range(0, len(lines), _AT_ONCE):
            await self._wait_for_room()
            some = enumerate(lines[first : first + _AT_ONCE], start=first)
            items = {place: msgspec.json.decode(line) for place, line in some}
            for receipt in await self._intake.take(items, wait=True):
                counts[receipt.status] += 1
                if (fault := receipt.fault) is not None:
                    faults.append((receipt.index, fault.field or "", str(fault), fault.code))
        return BatchAnswer(
            counts[CommentOutcome.ACCEPTED],
            counts[CommentOutcome.UPDATED],
            counts[CommentOutcome.DUPLICATE],
            faults,
        )

    async def _wait_for_room(self) -> None:
        while True:
            if await self._backlog() <= _BACKLOG:
                return
            await asyncio.sleep(_LOOK_EVERY)


class RejectionBuffer:
    """Rejected rows until they are stored, at most `MOST_REJECTED` of one import."""

    def __init__(self) -> None:
        self._rows: list[RejectedRow] = []
        self._room = MOST_REJECTED
        self._lock = threading.Lock()  # rows come from the thread that reads the file

    def add(self, row: RejectedRow) -> None:
        """Keep a row, if there is room."""
        with self._lock:
            if self._room:
                self._room -= 1
                self._rows.append(row)

    def drain(self) -> list[RejectedRow]:
        """The rows since the last time."""
        with self._lock:
            rows, self._rows = self._rows, []
        return rows

    def close(self) -> None:
        """Nothing more comes."""


class ServiceProgress:
    """How far an import is.

    Attributes:
        state: reading or sending.
        fraction: of it, in [0, 1].
        count: of the import.
        snapshot: `count` as it was a moment ago, while another thread changes it.
    """

    def __init__(self) -> None:
        self.state = ImportState.READING
        self.fraction = 0.0
        self.count = self.snapshot = ImportCount()
        self._taken = time.monotonic()

    def reading(self, file: str, fraction: float) -> None:
        """So much of a file has been read, in [0, 1]; called by the thread that reads it."""
        self.fraction = fraction
        if time.monotonic() - self._taken > _SAVE_EVERY:
            self.snapshot = deepcopy(self.count)  # it changes while it is being stored
            self._taken = time.monotonic()

    def sending(self, done: int, total: int) -> None:
        """So many comments of all have been sent."""
        self.state = ImportState.SENDING
        self.fraction = done / total if total else 1.0
