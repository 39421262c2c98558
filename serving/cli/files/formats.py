"""Parquet, CSV and NDJSON files as rows of plain cells, numbered as a person would number them."""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Protocol, cast

import pyarrow as pa
import pyarrow.parquet as pq

from serving.errors import InputError

# A row is its cells by column, or the reason it cannot be read.
Cells = Mapping[str, object] | str

_SUPPORTED = "parquet, csv, tsv, ndjson or jsonl (the text formats also as .gz)"
_PARQUET_BATCH = 1_000
_MAX_CELL = 1 << 20
_MAX_LINE = 1 << 22
_FIRST_LINES = 10


class RowSource(Protocol):
    """Rows of one format.

    Attributes:
        unit: what the row numbers count, "line" or "row".
    """

    unit: str

    def columns(self) -> Sequence[str]:
        """The column names, read from the header or the first object."""
        ...

    def rows(self) -> Iterator[tuple[int, Mapping[str, object] | str]]:
        """Row numbers with the row's cells by column, or with the reason it cannot be read."""
        ...

    def fraction(self) -> float:
        """How much of the file has been read, in [0, 1]."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def open_source(path: Path, encoding: str, delimiter: str | None) -> RowSource:
    """Open a file by the ending of its name and read its columns.

    Args:
        path: the file.
        encoding: of a CSV file; NDJSON is UTF-8 by definition.
        delimiter: of a CSV file; None to find it in the header.

    Raises:
        InputError: the file cannot be opened, is empty, damaged or of an unknown kind.
    """
    if not path.exists():
        raise InputError(f"there is no file {path}")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give one file: {_SUPPORTED}")
    name = path.name.lower().removesuffix(".gz")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path.name} is empty")
        if path.suffix.lower() in {".parquet", ".pq"}:
            return _Parquet(path)
        if not name.endswith((".csv", ".tsv", ".ndjson", ".jsonl")):
            raise InputError(
                f"{path.name} is not of a known kind; give {_SUPPORTED}. Save a spreadsheet as CSV"
            )
        data = _Bytes(path)
        try:
            if name.endswith((".ndjson", ".jsonl")):
                return _Ndjson(data)
            return _Csv(data, encoding, "\t" if name.endswith(".tsv") else delimiter)
        except BaseException:
            data.close()
            raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


class _Bytes:
    """A file, gunzipped where its name ends in .gz, that knows how far it has been read."""

    def __init__(self, path: Path) -> None:
        self._raw = path.open("rb")
        self._size = max(path.stat().st_size, 1)
        self.name = path.name
        zipped = path.suffix.lower() == ".gz"
        self.stream: IO[bytes] = (
            cast("IO[bytes]", gzip.GzipFile(fileobj=self._raw)) if zipped else self._raw
        )

    def fraction(self) -> float:
        return 1.0 if self._raw.closed else min(self._raw.tell() / self._size, 1.0)

    def lines(self) -> Iterator[bytes]:
        """Lines with their ends.

        Raises:
            InputError: a gzip stream breaks off, or a line does not end within 4 MiB.
        """
        number = 0
        try:
            while line := self.stream.readline(_MAX_LINE):
                number += 1
                if len(line) == _MAX_LINE:
                    raise InputError(f"{self.name}, line {number} does not end within 4 MiB")
                yield line
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f"{self.name}: the gzip data breaks off after line {number} ({error}); "
                "fetch or write the file again"
            ) from None

    def close(self) -> None:
        self.stream.close()
        self._raw.close()


class _Csv:
    unit = "line"

    def __init__(self, data: _Bytes, encoding: str, delimiter: str | None) -> None:
        csv.field_size_limit(_MAX_CELL)
        try:
            readable = "\n".encode(encoding) == b"\n"
        except LookupError:
            raise InputError(f"there is no encoding {encoding!r}; try utf-8 or cp1252") from None
        if not readable:
            raise InputError(f"{encoding} is not read here; save {data.name} as UTF-8")
        self._bytes = data
        self._encoding = encoding
        self._line = 0
        text = self._text()
        header = next(text, "")
        if not header.strip():
            raise InputError(f"{data.name} has no header in line 1")
        if delimiter is None:
            delimiter = max(",;\t|", key=header.count)
        self._reader = csv.reader(chain([header], text), delimiter=delimiter)
        self._header = [name.strip() for name in next(self._reader)]

    def _text(self) -> Iterator[str]:
        for line in self._bytes.lines():
            self._line += 1
            try:
                text = line.decode(self._encoding)
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{self._bytes.name}, line {self._line} is not {self._encoding} "
                    f"(byte 0x{line[error.start]:02x}); save the file as UTF-8 or name its "
                    "encoding, for example --encoding cp1252"
                ) from None
            yield text.removeprefix("\ufeff") if self._line == 1 else text

    def columns(self) -> Sequence[str]:
        return self._header

    def rows(self) -> Iterator[tuple[int, Cells]]:
        while True:
            first = self._line + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield first, f"is not CSV ({error}); is a quotation mark left open?"
                continue
            if not cells:
                continue
            if len(cells) != len(self._header):
                yield first, f"has {len(cells)} cells, the header has {len(self._header)}"
                continue
            yield first, dict(zip(self._header, cells, strict=True))

    def fraction(self) -> float:
        return self._bytes.fraction()

    def close(self) -> None:
        self._bytes.close()


class _Ndjson:
    unit = "line"

    def __init__(self, data: _Bytes) -> None:
        self._bytes = data
        self._parsed = self._parse()
        self._first: list[tuple[int, Cells]] = []
        self._columns: Sequence[str] = ()
        for number, row in self._parsed:
            self._first.append((number, row))
            if not isinstance(row, str):
                self._columns = list(row)
                break
            if len(self._first) == _FIRST_LINES:
                break
        if not self._columns:
            reason = (
                f"line {self._first[0][0]} {self._first[0][1]}"
                if self._first
                else "every line is blank"
            )
            raise InputError(f"{data.name} has no JSON object in its first lines: {reason}")

    def _parse(self) -> Iterator[tuple[int, Cells]]:
        for number, line in enumerate(self._bytes.lines(), start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode("utf-8"))
            except UnicodeDecodeError:
                yield number, "is not UTF-8"
            except (ValueError, RecursionError) as error:
                yield number, f"is not JSON ({error})"
            else:
                yield number, value if isinstance(value, dict) else "is not a JSON object"

    def columns(self) -> Sequence[str]:
        return self._columns

    def rows(self) -> Iterator[tuple[int, Cells]]:
        return chain(self._first, self._parsed)

    def fraction(self) -> float:
        return self._bytes.fraction()

    def close(self) -> None:
        self._bytes.close()


class _Parquet:
    unit = "row"

    def __init__(self, path: Path) -> None:
        self._name = path.name
        try:
            self._file = pq.ParquetFile(path)
        except pa.ArrowInvalid:
            raise InputError(
                f"{path.name} is not a complete parquet file: it breaks off, is still being "
                "written or is something else; fetch or write it again"
            ) from None
        self._read = 0
        self._total = self._file.metadata.num_rows
        if not self._total:
            self._file.close()
            raise InputError(f"{path.name} has no rows")

    def columns(self) -> Sequence[str]:
        return list(self._file.schema_arrow.names)

    def rows(self) -> Iterator[tuple[int, Cells]]:
        try:
            for batch in self._file.iter_batches(batch_size=_PARQUET_BATCH):
                for cells in _timed_in_microseconds(batch).to_pylist():
                    self._read += 1
                    yield self._read, cells
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(
                f"{self._name} is damaged after row {self._read} ({str(error).splitlines()[0]})"
            ) from None

    def fraction(self) -> float:
        return float(self._read / self._total)

    def close(self) -> None:
        self._file.close()


def _timed_in_microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Nanosecond times as microseconds, which is what Python's datetime holds."""
    for index, column in enumerate(batch.schema):
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            kind = pa.timestamp("us", column.type.tz)
            values = batch.column(index).cast(kind, safe=False)
            batch = batch.set_column(index, column.with_type(kind), values)
    return batch
