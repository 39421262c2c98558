"""A file of comments, sent to a service at the speed it happened, faster, or flat out."""

import asyncio
import heapq
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path

from serving.cli.files.readers import CommentFile, Row
from serving.client.client import ServiceClient

BATCH = 500
_RUN = 50_000  # rows sorted in memory at a time
_EXAMPLES = 5
_TICK = 0.1  # seconds; comments that fall due within it travel together
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Tally:
    """What became of a file.

    Attributes:
        accepted: comments that the service did not have.
        duplicates: comments that it had.
        rejected: comments that it refused.
        unreadable: rows that could not be read, and so were not sent.
        faults: the first few refused or unreadable rows, each with its place and reason.
        kol_ids: whose comments were sent.
        first: earliest `created_at` sent, aware; None if nothing was.
        last: latest `created_at` sent.
        at: `created_at` of the comment last sent.
        total: rows of the file; None where it is not known before the end.
    """

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    unreadable: int = 0
    faults: list[str] = field(default_factory=list)
    kol_ids: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None
    at: datetime | None = None
    total: int | None = None

    @property
    def done(self) -> float | None:
        """How much of the file has been dealt with, in [0, 1]; None where `total` is."""
        return (self.sent + self.unreadable) / self.total if self.total else None

    @property
    def sent(self) -> int:
        """Comments that the service answered."""
        return self.accepted + self.duplicates + self.rejected

    def note(self, unit: str, row: Row, reason: str) -> None:
        """Keep a fault if it is among the first."""
        if len(self.faults) < _EXAMPLES:
            self.faults.append(f"{unit} {row.number}: {reason}")


async def replay(
    file: CommentFile,
    client: ServiceClient,
    *,
    speed: float | None,
    tally: Tally,
    report: Callable[[], None] = lambda: None,
) -> None:
    """Send every row of a file.

    Args:
        file: where the comments are.
        client: where they go.
        speed: seconds of the file a second, in order of `created_at`; None to send in file order
            as fast as the service takes them.
        tally: counts, kept up to date, so that they stand even if this raises.
        report: called after each batch.

    Raises:
        InputError: the file turns out damaged; what came before has been sent.
        ServiceUnreachable: the connection was lost; what `tally` counts has arrived.
        ServiceRefused: the service answered with an error.
    """
    sender = _Sender(client, file.unit, tally, report)
    if speed is None:
        for row in file.rows():
            if sender.add(row):
                await sender.flush()
        await sender.flush()
        return
    with tempfile.TemporaryDirectory(prefix="groundswell-replay-") as folder:
        rows, tally.total = await asyncio.to_thread(_sorted_rows, file, Path(folder))
        await _paced(rows, sender, speed)


async def _paced(rows: Iterator[Row], sender: "_Sender", speed: float) -> None:
    clock = asyncio.get_running_loop()
    begun, origin = clock.time(), None
    for row in rows:
        when = _created_at(row)
        if when > _EARLIEST:
            origin = origin or when
            due = begun + (when - origin).total_seconds() / speed
            if due > clock.time():
                await sender.flush()
                await asyncio.sleep(max(due - clock.time(), _TICK))
        if sender.add(row):
            await sender.flush()
    await sender.flush()


class _Sender:
    """Gathers rows into batches and books the answers."""

    def __init__(
        self, client: ServiceClient, unit: str, tally: Tally, report: Callable[[], None]
    ) -> None:
        self._client, self._unit, self._tally, self._report = client, unit, tally, report
        self._rows: list[Row] = []

    def add(self, row: Row) -> bool:
        """Take a row; True when a batch is full."""
        if row.item is None:
            self._tally.unreadable += 1
            self._tally.note(self._unit, row, row.fault or "")
            return False
        self._rows.append(row)
        return len(self._rows) == BATCH

    async def flush(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        answer = await self._client.submit([row.item for row in rows if row.item is not None])
        tally = self._tally
        tally.accepted += answer["accepted"]
        tally.duplicates += answer["duplicates"]
        tally.rejected += answer["rejected"]
        refused = {r["index"]: r["error"] for r in answer["items"] if r["status"] == "rejected"}
        for index, row in enumerate(rows):
            if (error := refused.get(index)) is not None:
                tally.note(self._unit, row, error["message"])
                continue
            when = tally.at = _created_at(row)
            tally.first = min(tally.first or when, when)
            tally.last = max(tally.last or when, when)
            tally.kol_ids.add(str((row.item or {})["kol_id"]))
        self._report()


def _created_at(row: Row) -> datetime:
    """When a row's comment was written; rows that do not say come first."""
    written = (row.item or {}).get("created_at")
    return datetime.fromisoformat(str(written)) if written is not None else _EARLIEST


def _sorted_rows(file: CommentFile, folder: Path) -> tuple[Iterator[Row], int]:
    """Rows by `created_at`, and how many: sorted runs on disk, merged; memory holds one run."""
    runs: list[Iterator[tuple[datetime, Row]]] = []
    total = 0
    rows = file.rows()
    while run := [(_created_at(row), row) for row in itertools.islice(rows, _RUN)]:
        run.sort(key=itemgetter(0))
        total += len(run)
        if len(run) < _RUN:
            runs.append(iter(run))
            break
        path = folder / f"{len(runs)}.ndjson"
        with path.open("w", encoding="utf-8") as spill:
            for _, row in run:
                spill.write(json.dumps([row.number, row.item, row.fault]) + "\n")
        runs.append(_read_run(path))
    return (row for _, row in heapq.merge(*runs, key=itemgetter(0))), total


def _read_run(path: Path) -> Iterator[tuple[datetime, Row]]:
    with path.open(encoding="utf-8") as spilled:
        for line in spilled:
            number, item, fault = json.loads(line)
            row = Row(number, item, fault)
            yield _created_at(row), row
