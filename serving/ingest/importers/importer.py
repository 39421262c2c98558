"""Files of comments into the log: read, sorted by time, sent in batches, counted."""

import asyncio
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from serving.errors import InputError, ServingError
from serving.ingest.importers.file_reader import FileReader, reject
from serving.ingest.importers.import_options import ImportOptions
from serving.ingest.importers.rejected import RejectedRows
from serving.ingest.importers.rounded_ids import RoundedIds
from serving.ingest.importers.sorted_runs import BUDGET, SortedRow, SortedRuns
from serving.storage.import_record import ImportCount, RejectedRow
from serving.storage.kol_store import KnownKols

BATCH = 1000
_REMOVED = b',"deleted":true}'  # at the end of an item's line
NO_KOLS = KnownKols()
_ROUNDED = (
    "comment_id was rounded by a spreadsheet, as the zeros at the end of this file's ids show, so "
    "it may name another comment; import the original file, or export the column as text"
)


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What became of a batch.

    Attributes:
        accepted: comments that were new.
        updated: comments that brought something new to one that was there.
        duplicates: comments that were there.
        rejected: (place in the batch, field or "", reason, code) of each that was refused.
        adjustments: what was changed in values, by kind.
    """

    accepted: int
    updated: int
    duplicates: int
    rejected: Sequence[tuple[int, str, str, str]] = ()
    adjustments: dict[str, int] = field(default_factory=dict)


class ImportStopped(ServingError):
    """Nobody waits for an import any more."""

    code = "import_stopped"


class Sink(Protocol):
    """Takes comments."""

    async def send(self, lines: Sequence[bytes]) -> BatchAnswer:
        """Commit comments, each one line of JSON, and say what became of them."""
        ...


class ImportProgress(Protocol):
    """Shows how far an import is."""

    def reading(self, file: str, fraction: float) -> None:
        """So much of a file has been read, in [0, 1]."""
        ...

    def sending(self, done: int, total: int) -> None:
        """So many comments of all have been sent."""
        ...


@dataclass(slots=True)
class Importer:
    """Imports files.

    Attributes:
        options: what the user says about them.
        sink: where comments go.
        rejected: takes the rows that are refused.
        progress: shows how far it is.
        known: KOLs that comments may name by a handle.
        count: kept up to date, so that it is right even if an import raises.
        budget: bytes that rows in memory may take.
        spool: the folder for sorted rows and unpacked files; None for the system's temporary one.
    """

    options: ImportOptions
    sink: Sink
    rejected: RejectedRows
    progress: ImportProgress
    known: KnownKols = NO_KOLS
    count: ImportCount = field(default_factory=ImportCount)
    budget: int = BUDGET
    spool: Path | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)

    async def run(self, files: Sequence[tuple[Path, str]], now: datetime) -> None:
        """Import files as one stream in order of time.

        Args:
            files: each file and what people call it. One that cannot be read is noted in `count`
                and passed over.
            now: the present instant; comments from the future are refused.
        """
        with tempfile.TemporaryDirectory(prefix="groundswell-import-", dir=self.spool) as name:
            folder = Path(name)
            runs = SortedRuns(folder, self.budget)
            try:
                ids = await asyncio.to_thread(self._read, files, runs, folder, now)
            except asyncio.CancelledError:
                self._stopped.set()  # a thread cannot be cancelled; it looks here now and then
                raise
            await self._send(runs, ids)
        self.rejected.close()

    def _read(
        self, files: Sequence[tuple[Path, str]], runs: SortedRuns, folder: Path, now: datetime
    ) -> list[RoundedIds]:
        found = []
        for path, name in files:
            report = partial(self._report, name)
            reader = FileReader(
                self.options, now, self.known, self.count, self.rejected, runs, report, folder
            )
            try:
                found.append(reader.read(path, name))
            except InputError:
                found.append(RoundedIds())
        return found

    def _report(self, name: str, fraction: float) -> None:
        if self._stopped.is_set():
            raise ImportStopped("the import was stopped")
        self.progress.reading(name, fraction)

    async def _send(self, runs: SortedRuns, ids: Sequence[RoundedIds]) -> None:
        certain = [one.certain for one in ids]
        batch: list[SortedRow] = []
        for row in runs.rows():
            if row.rounded and certain[row.file]:
                self._reject(row, "comment_id", _ROUNDED, "rounded_id")
                continue
            batch.append(row)
            if len(batch) == BATCH:
                await self._flush(batch)
                batch = []
        if batch:
            await self._flush(batch)

    async def _flush(self, batch: Sequence[SortedRow]) -> None:
        answer = await self.sink.send([row.line for row in batch])
        count = self.count
        count.accepted += answer.accepted
        count.updated += answer.updated
        count.duplicates += answer.duplicates
        count.adjust(answer.adjustments)
        removed = sum(row.line.endswith(_REMOVED) for row in batch)
        count.removed += max(removed - answer.duplicates - len(answer.rejected), 0)
        for place, name, reason, code in answer.rejected:
            self._reject(batch[place], name, reason, code)
        count.sent += len(batch)
        self.progress.sending(count.sent, count.read)

    def _reject(self, row: SortedRow, name: str, reason: str, code: str) -> None:
        reject(self.count, self.rejected, RejectedRow(row.file, row.number, name, reason, code))
