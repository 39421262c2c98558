"""A file of comments for a replay: its rows as items of the API, with the time of each read.

The readers are those of imports. What else a comment needs is for the service to check.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from serving.errors import ServingError
from serving.ingest.importers.comment_source import CommentSource
from serving.ingest.importers.import_options import ImportOptions
from serving.ingest.importers.raw_row import RawRow
from serving.ingest.values.invalid_value import InvalidValue
from serving.ingest.values.times import read_time

_NO_OPTIONS = ImportOptions()


class RowFault(ServingError):
    """One row of a file cannot be read."""

    code = "bad_row"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One comment of a file, or one row that is none.

    Attributes:
        number: its line in a text file (header = 1), else its row, from 1.
        item: the API's item; None where the row cannot be read.
        fault: why not; None where it can.
    """

    number: int
    item: dict[str, object] | None
    fault: str | None = None


class CommentFile:
    """A file of comments. A context manager.

    Attributes:
        path: the file.
        unit: what `FileRow.number` counts, "line" or "row".
    """

    def __init__(self, path: Path, options: ImportOptions = _NO_OPTIONS) -> None:
        """Open the file and find its fields.

        Raises:
            InputError: the file cannot be read, or lacks a required field.
        """
        self.path = path
        self._source = CommentSource(path, path.name, options)
        self.unit = self._source.unit
        self.notes = self._source.notes

    def __enter__(self) -> "CommentFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def fraction(self) -> float:
        """How much of the file has been read, in [0, 1]."""
        return self._source.fraction()

    def rows(self) -> Iterator[FileRow]:
        """Every comment in file order. Can be walked once."""
        for row in self._source.rows():
            if row.cells is None:
                yield FileRow(row.number, None, row.fault)
            else:
                yield from self._comments(row)

    def _comments(self, row: RawRow) -> Iterator[FileRow]:
        for item in self._source.items(row):
            try:
                yield FileRow(row.number, self._timed(item))
            except RowFault as fault:
                yield FileRow(row.number, None, str(fault))

    def _timed(self, item: dict[str, object]) -> dict[str, object]:
        for name in ("created_at", "edited_at"):
            if name in item:
                try:
                    at = read_time(item[name], self._source.times)
                except InvalidValue as fault:
                    raise RowFault(f"{name} {fault.message}") from None
                item = item | {name: at.isoformat()}
        return item
