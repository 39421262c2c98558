"""Sends a file of comments to a service, as fast as possible or at the pace of `created_at`."""

import asyncio
import heapq
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path

from groundswell_client import AsyncClient
from serving.cli.files.readers import CommentFile, FileRow
from serving.cli.files.replay_count import ReplayCount

BATCH = 500
_RUN = 50_000  # rows sorted in memory at a time
_TICK = 0.1  # seconds; comments that are due within it are sent together
_EARLIEST = datetime.min.replace(tzinfo=UTC)


async def replay(
    file: CommentFile,
    client: AsyncClient,
    *,
    speed: float | None,
    count: ReplayCount,
    report: Callable[[], None] = lambda: None,
) -> None:
    """Send every row of a file.

    Args:
        file: where the comments are.
        client: where they go.
        speed: seconds of the file a second, in order of `created_at`; None to send in file order
            as fast as the service takes them.
        count: kept up to date, so that it is right even if this raises.
        report: called after each batch.

    Raises:
        InputError: the file turns out damaged; what came before has been sent.
        ServiceUnreachable: the connection was lost; what `count` holds has arrived.
        ServiceRefused: the service answered with an error.
    """
    sender = _Sender(client, file.unit, count, report)
    if speed is None:
        for row in file.rows():
            if sender.add(row):
                await sender.flush()
        await sender.flush()
        return
    with tempfile.TemporaryDirectory(prefix="groundswell-replay-") as folder:
        rows, count.total = await asyncio.to_thread(_sorted_rows, file, Path(folder))
        await _paced(rows, sender, speed)


async def _paced(rows: Iterator[FileRow], sender: "_Sender", speed: float) -> None:
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
    """Sends rows in batches, and counts what became of them."""

    def __init__(
        self, client: AsyncClient, unit: str, count: ReplayCount, report: Callable[[], None]
    ) -> None:
        self._client, self._unit, self._count, self._report = client, unit, count, report
        self._rows: list[FileRow] = []

    def add(self, row: FileRow) -> bool:
        """Take a row; True when a batch is full."""
        if row.item is None:
            self._count.unreadable += 1
            self._count.add_fault(self._unit, row, row.fault or "")
            return False
        self._rows.append(row)
        return len(self._rows) == BATCH

    async def flush(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        receipt = await self._client.comments.send(
            [row.item for row in rows if row.item is not None]
        )
        count = self._count
        count.accepted += receipt.accepted
        count.updated += receipt.updated
        count.duplicates += receipt.duplicates
        count.rejected += receipt.rejected
        refused = {item.index: item.error for item in receipt.items if item.error is not None}
        for index, row in enumerate(rows):
            if (error := refused.get(index)) is not None:
                count.add_fault(self._unit, row, error.message)
                continue
            when = count.at = _created_at(row)
            count.first = min(count.first or when, when)
            count.last = max(count.last or when, when)
            if (kol_id := (row.item or {}).get("kol_id")) is not None:
                count.kol_ids.add(str(kol_id))
        self._report()


def _created_at(row: FileRow) -> datetime:
    """When a row's comment was written; rows that do not say come first."""
    written = (row.item or {}).get("created_at")
    return datetime.fromisoformat(str(written)) if written is not None else _EARLIEST


def _sorted_rows(file: CommentFile, folder: Path) -> tuple[Iterator[FileRow], int]:
    """Rows by `created_at`, and how many: sorted runs on disk, merged; memory holds one run."""
    runs: list[Iterator[tuple[datetime, FileRow]]] = []
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


def _read_run(path: Path) -> Iterator[tuple[datetime, FileRow]]:
    with path.open(encoding="utf-8") as spilled:
        for line in spilled:
            number, item, fault = json.loads(line)
            row = FileRow(number, item, fault)
            yield _created_at(row), row
