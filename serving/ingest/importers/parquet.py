"""Parquet files, in batches."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from serving.errors import InputError
from serving.ingest.importers.byte_source import ByteSource
from serving.ingest.importers.raw_row import RawRow, ReaderOptions
from serving.ingest.importers.registry import ImportFormat, register

_BATCH = 1_000


class ParquetReader:
    """A parquet file."""

    unit = "row"
    typed = True
    columns: Sequence[str]
    notes: Sequence[str] = ()
    document: Mapping[str, object] = MappingProxyType({})

    def __init__(self, source: ByteSource, _options: ReaderOptions) -> None:
        self._opened = source.on_disk()
        path = self._opened.__enter__()
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError, ValueError):
            self._opened.__exit__(None, None, None)
            raise InputError(
                f"{source.name} is not a complete parquet file: it breaks off, is still being "
                "written or is something else; fetch or write it again"
            ) from None
        self._read = 0
        self._total = self._file.metadata.num_rows
        self.columns = list(self._file.schema_arrow.names)

    def rows(self) -> Iterator[RawRow]:
        """Every row."""
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH):
                timed = _in_microseconds(batch)
                names = timed.schema.names
                columns = [timed.column(place).to_pylist() for place in range(len(names))]
                for cells in zip(*columns, strict=True):
                    self._read += 1
                    yield RawRow(self._read, dict(zip(names, cells, strict=True)))
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            yield RawRow(self._read + 1, None, f"the file is damaged from here on ({reason})")

    def fraction(self) -> float:
        """How much of the file has been read, in [0, 1]."""
        return float(self._read / self._total) if self._total else 1.0

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        self._opened.__exit__(None, None, None)


def _in_microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Nanosecond times as microseconds, which is what Python's datetime holds."""
    for index, column in enumerate(batch.schema):
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            kind = pa.timestamp("us", column.type.tz)
            values = batch.column(index).cast(kind, safe=False)
            batch = batch.set_column(index, column.with_type(kind), values)
    return batch


register(
    ImportFormat(
        name="parquet",
        about="Parquet",
        endings=(".parquet", ".pq"),
        recognises=lambda source: (
            source.head.startswith(b"PAR1") or source.name.lower().endswith((".parquet", ".pq"))
        ),
        open=ParquetReader,
    )
)
