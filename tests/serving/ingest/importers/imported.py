"""Runs an import on files that a test writes, into memory."""

import asyncio
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from serving.ingest.importers.import_options import ImportOptions
from serving.ingest.importers.importer import NO_KOLS, BatchAnswer, Importer
from serving.ingest.importers.rejected import RejectedFiles
from serving.ingest.importers.sorted_runs import BUDGET
from serving.ingest.values.rules import TimeRules
from serving.ingest.values.times import parse_zone
from serving.storage.import_record import ImportCount
from serving.storage.kol_store import KnownKols

NOW = datetime(2026, 12, 1, tzinfo=UTC)


@dataclass
class MemorySink:
    """Keeps what is sent."""

    items: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, lines: Sequence[bytes]) -> BatchAnswer:
        self.items += [json.loads(line) for line in lines]
        return BatchAnswer(len(lines), 0, 0)


class NoProgress:
    """Shows nothing."""

    def reading(self, file: str, fraction: float) -> None:
        assert 0 <= fraction <= 1

    def sending(self, done: int, total: int) -> None:
        assert done <= total


@dataclass
class Imported:
    """What an import made of files."""

    items: list[dict[str, Any]]
    count: ImportCount
    rejected: list[dict[str, str]]

    @property
    def by_id(self) -> dict[str, dict[str, Any]]:
        return {item["comment_id"]: item for item in self.items}

    @property
    def refused(self) -> dict[int, str]:
        """The code of each rejected row by its number."""
        return {int(row["row"]): row["code"] for row in self.rejected}

    @property
    def failure(self) -> str:
        return next((file.failure for file in self.count.files if file.failure), "")


def imported(
    *paths: Path,
    kol: str | None = None,
    platform: str | None = None,
    zone: str | None = None,
    budget: int = BUDGET,
    day_first: bool | None = None,
    as_of: datetime | None = None,
    known: KnownKols = NO_KOLS,
    **options: Any,
) -> Imported:
    """Import files, and read back what was rejected."""
    given = (("kol_id", kol), ("platform", platform))
    sink, rejected = MemorySink(), RejectedFiles(list(paths))
    time_zone = parse_zone(zone) if zone else None
    importer = Importer(
        ImportOptions(
            constants={name: value for name, value in given if value},
            times=TimeRules(time_zone, options.pop("date_format", None), day_first, as_of),
            **options,
        ),
        sink,
        rejected,
        NoProgress(),
        known,
        budget=budget,
    )
    asyncio.run(importer.run([(path, path.name) for path in paths], NOW))
    rows: list[dict[str, str]] = []
    for path in paths:
        if (file := path.with_name(f"{path.name}.rejected.csv")).exists():
            with file.open(encoding="utf-8", newline="") as lines:
                rows += csv.DictReader(lines)
    return Imported(sink.items, importer.count, rows)


def items(count: int = 3, **change: Any) -> list[dict[str, Any]]:
    """Comments of a KOL, a minute apart, as the API takes them."""
    return [
        {
            "platform": "youtube",
            "comment_id": f"c{number}",
            "kol_id": "lena",
            "text": f"where is my order, line {number}",
            "created_at": f"2026-11-20T10:{number % 60:02}:00Z",
            "likes": number,
        }
        | change
        for number in range(count)
    ]


def write_ndjson(path: Path, rows: Sequence[object]) -> Path:
    """A file of one JSON value a line."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path
