"""Files of comments, read as a stream: parquet, CSV and NDJSON, the last two also gzipped.

A row comes out as an item of the API, unchecked: the service decides what a comment is. A row that
cannot even be read comes out with the reason instead, and reading goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from serving.cli.files.columns import ColumnBinding, ColumnMap, NaiveTime, RowFault
from serving.cli.files.formats import open_source
from serving.errors import InputError


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file.

    Attributes:
        number: its line in a text file (header = 1), its row in a parquet file, from 1.
        item: the API's item; None where the row cannot be read.
        fault: why not; None where it can.
    """

    number: int
    item: dict[str, object] | None
    fault: str | None = None


class CommentFile:
    """A file of comments and how to read it. A context manager.

    Attributes:
        path: the file.
        binding: which column holds which field.
        unit: what `FileRow.number` counts, "line" or "row".
    """

    def __init__(
        self,
        path: Path,
        mapping: ColumnMap | None = None,
        *,
        encoding: str = "utf-8",
        delimiter: str | None = None,
    ) -> None:
        """Open the file and read its columns.

        Args:
            path: a parquet, csv, tsv, ndjson or jsonl file; text formats may end in `.gz`.
            mapping: columns with other names, constants and the time zone.
            encoding: of a text file.
            delimiter: of a CSV file; None to find it in the header.

        Raises:
            InputError: the file does not exist, is empty, damaged, of an unknown kind or encoding,
                or lacks a required column.
        """
        self.path = path
        self._source = open_source(path, encoding, delimiter)
        self.unit = self._source.unit
        try:
            self.binding: ColumnBinding = (mapping or ColumnMap()).bind(self._source.columns())
        except InputError as error:
            self._source.close()
            raise InputError(f"{path.name}: {error}") from None

    def __enter__(self) -> "CommentFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def fraction(self) -> float:
        """How much of the file has been read, in [0, 1]; of a text file, in bytes."""
        return self._source.fraction()

    def rows(self) -> Iterator[FileRow]:
        """Every row in file order. Can be walked once.

        Raises:
            InputError: the file ends early or turns out damaged, or its first time has no zone
                and none was given.
        """
        timed = False
        for number, cells in self._source.rows():
            if isinstance(cells, str):
                yield FileRow(number, None, cells)
                continue
            try:
                item = self.binding.item(cells)
            except NaiveTime as fault:
                if not timed:
                    raise InputError(
                        f"{self.path.name}, {self.unit} {number}: {fault}; name it, "
                        "for example --timezone UTC or --timezone Asia/Seoul"
                    ) from None
                yield FileRow(number, None, str(fault))
            except RowFault as fault:
                yield FileRow(number, None, str(fault))
            else:
                timed = True
                yield FileRow(number, item)
