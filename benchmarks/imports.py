"""`python -m benchmarks.imports`: how fast files of comments are imported, and in how much memory.

Each way runs in a process of its own, on a file in random order: *read* reads, checks and sorts it
and sends the comments nowhere; *unscored* imports it into a new SQLite database, with a model that
takes no time; *scored* does so with the shipped model, on the first rows of the file only.
"""

import argparse
import asyncio
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.cli.files.client_sink import ClientSink
from serving.cli.hosting import in_process
from serving.clock import SystemClock
from serving.ingest.importers.import_options import ImportOptions
from serving.ingest.importers.importer import BatchAnswer, Importer, Sink
from serving.ingest.importers.rejected import RejectedFiles
from serving.settings import Settings
from serving.storage.import_record import ImportCount

RESULT = Path(__file__).parent / "results" / "imports.json"
WAYS = ("read", "unscored", "scored")
KOLS, DAYS = 20, 30
_TEXTS = (
    "love this", "what time is it on", "terrible, I hate it", "from Jakarta", "first",
    "the parcel came after three weeks and half of it was broken, \"thanks\"",
    "quá đẹp luôn chị ơi", "배송이 너무 늦어요", "pagué y nunca llegó, ¿alguien más?",
)  # fmt: skip


class Nowhere:
    """Takes comments and forgets them."""

    async def send(self, lines: Sequence[bytes]) -> BatchAnswer:
        """Nothing becomes of them."""
        return BatchAnswer(len(lines), 0, 0)


class Silent:
    """Shows nothing."""

    def reading(self, file: str, fraction: float) -> None:
        """Nobody looks."""

    def sending(self, done: int, total: int) -> None:
        """Nobody looks."""


def write_file(path: Path, rows: int, ending: str) -> None:
    """A file of comments on 20 KOLs over 30 days, in random order."""
    chance = random.Random(7)
    begun = datetime(2026, 10, 1, tzinfo=UTC)
    with path.open("w", encoding="utf-8", newline="") as file:
        names = ("platform", "comment_id", "kol_id", "text", "created_at", "author_id", "likes")
        table = csv.writer(file)
        if ending == "csv":
            table.writerow(names)
        for number in range(rows):
            at = begun + timedelta(seconds=chance.random() * DAYS * 86_400)
            cells = (
                "instagram", str(17_900_000_000_000_000 + number), f"kol-{number % KOLS}",
                f"{chance.choice(_TEXTS)} {number}", at.isoformat(), f"a{chance.randrange(90_000)}",
                chance.randrange(50),
            )  # fmt: skip
            if ending == "csv":
                table.writerow(cells)
            else:
                row = dict(zip(names, cells, strict=True))
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


async def run_import(path: Path, sink: Sink) -> ImportCount:
    """Import a file; what became of it."""
    importer = Importer(ImportOptions(), sink, RejectedFiles([path]), Silent())
    await importer.run([(path, path.name)], SystemClock().now())
    return importer.count


async def into_service(path: Path, settings: Settings) -> ImportCount:
    """Import a file into a service in this process, until all is processed."""
    async with in_process(settings) as client:
        count = await run_import(path, ClientSink(client))
        await client.wait_until_processed()
    return count


def measure(way: str, path: Path) -> dict[str, Any]:
    """Import a file one way: rows, seconds, and the most memory that this process had, in MiB."""
    with tempfile.TemporaryDirectory(prefix="groundswell-benchmark-") as folder:
        database = f"sqlite:///{folder}/b.db"
        settings = Settings(database_url=database, log_level="error", _env_file=None)
        if way == "unscored":
            free = SentimentClassifier.from_backend(FakeBackend())
            SentimentClassifier.load = staticmethod(lambda *_, **__: free)  # type: ignore[method-assign, assignment]
        begun = time.perf_counter()
        work = run_import(path, Nowhere()) if way == "read" else into_service(path, settings)
        count = asyncio.run(work)
        seconds = time.perf_counter() - begun
    if count.accepted != count.read or count.rejected:
        sys.exit(f"{count.accepted} of {count.read} accepted, {count.rejected} rejected")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": count.read, "seconds": round(seconds, 1), "peak_mib": round(peak)}


def in_own_process(way: str, path: Path) -> dict[str, Any]:
    """What `measure` gives, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.imports", "--way", way, "--file", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def first_rows(path: Path, rows: int, target: Path) -> Path:
    """A file of the first rows of another."""
    with path.open(encoding="utf-8") as file, target.open("w", encoding="utf-8") as cut:
        cut.writelines(islice(file, rows))
    return target


def run(
    rows: int, scored_rows: int, one: Callable[[str, Path], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Measure every format and way."""
    found = []
    with tempfile.TemporaryDirectory(prefix="groundswell-benchmark-") as folder:
        for ending in ("csv", "ndjson"):
            path = Path(folder) / f"comments.{ending}"
            write_file(path, rows, ending)
            size = round(path.stat().st_size / 2**20)
            for way in WAYS if ending == "csv" else WAYS[:1]:
                file = path
                if way == "scored":
                    file = first_rows(path, scored_rows + 1, path.with_name(f"first.{ending}"))
                measured = one(way, file)
                rate = round(measured["rows"] / measured["seconds"])
                found.append(
                    {
                        "format": ending,
                        "file_mib": size,
                        "way": way,
                        **measured,
                        "rows_a_second": rate,
                    }
                )
    return found


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the file")
    parser.add_argument("--scored-rows", type=int, default=2000, help="rows for the way 'scored'")
    parser.add_argument("--out", type=Path, default=RESULT, help="result file")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.way is not None:
        print(json.dumps(measure(args.way, args.file)))
        return
    rows = run(args.rows, args.scored_rows, in_own_process)
    table = Table("format", "way", "rows", "seconds", "rows/s", "peak MiB")
    for row in rows:
        table.add_row(
            *(f"{row[name]:,}" if isinstance(row[name], int | float) else row[name]
              for name in ("format", "way", "rows", "seconds", "rows_a_second", "peak_mib"))
        )  # fmt: skip
    Console(width=100).print(table)
    args.out.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
