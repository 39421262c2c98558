"""External sort: rows in any order in, rows by time out. Memory holds one run."""

import heapq
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BUDGET = 64 * 2**20  # bytes of rows in memory
_OVERHEAD = 250  # bytes of a row's Python objects, beside its line
_MOST_RUNS = 64  # files that are merged at a time
_HEADER = struct.Struct("<qqiq?I")


@dataclass(frozen=True, slots=True, order=True)
class SortedRow:
    """A row as it is sorted.

    Attributes:
        at: event time, microseconds since 1970.
        order: its place among all rows read; equal times keep it.
        file: its file, counted from 0.
        number: its number in the file.
        rounded: whether its id looks rounded.
        line: its item as one line of JSON.
    """

    at: int
    order: int
    file: int
    number: int
    rounded: bool
    line: bytes


Packed = tuple[int, int, int, int, bool, bytes]


class SortedRuns:
    """Rows that are sorted by time. A folder of its own holds what memory does not."""

    def __init__(self, folder: Path, budget: int = BUDGET) -> None:
        """Begin without rows.

        Args:
            folder: an empty folder for the runs.
            budget: bytes that the rows in memory may take.
        """
        self._folder, self._budget = folder, budget
        self._rows: list[Packed] = []
        self._bytes = 0
        self._runs: list[Path] = []
        self._made = 0
        self.count = 0

    def add(self, at: int, file: int, number: int, rounded: bool, line: bytes) -> None:
        """Take a row.

        Raises:
            OSError: the disk is full.
        """
        self._rows.append((at, self.count, file, number, rounded, line))
        self.count += 1
        self._bytes += len(line) + _OVERHEAD
        if self._bytes > self._budget:
            self._spill()

    def rows(self) -> Iterator[SortedRow]:
        """Every row by time. Can be walked once."""
        self._rows.sort()
        merged = heapq.merge(*(_read(run) for run in self._runs), iter(self._rows))
        for packed in merged:
            yield SortedRow(*packed)

    def _spill(self) -> None:
        self._rows.sort()
        self._runs.append(self._write(iter(self._rows)))
        self._rows.clear()
        self._bytes = 0
        if len(self._runs) == _MOST_RUNS:
            merged = self._write(heapq.merge(*(_read(run) for run in self._runs)))
            for run in self._runs:
                run.unlink()
            self._runs = [merged]

    def _write(self, rows: Iterator[Packed]) -> Path:
        path = self._folder / f"{self._made}.run"
        self._made += 1
        with path.open("wb", buffering=2**20) as run:
            for at, order, file, number, rounded, line in rows:
                run.write(_HEADER.pack(at, order, file, number, rounded, len(line)))
                run.write(line)
        return path


def _read(path: Path) -> Iterator[Packed]:
    with path.open("rb", buffering=2**18) as run:
        while header := run.read(_HEADER.size):
            at, order, file, number, rounded, length = _HEADER.unpack(header)
            yield at, order, file, number, rounded, run.read(length)
