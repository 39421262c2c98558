"""Spreadsheets: Excel's xlsx, xlsb and xls, and ods."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from zipfile import BadZipFile, ZipFile, is_zipfile

import python_calamine as calamine

from serving.errors import InputError
from serving.ingest.importers.byte_source import ByteSource
from serving.ingest.importers.header import LOOK_AHEAD, column_names, find_header
from serving.ingest.importers.raw_row import RawRow, ReaderOptions
from serving.ingest.importers.registry import ImportFormat, register

_ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_BYTES = 4 * 2**30  # unpacked


class SpreadsheetReader:
    """One sheet of a spreadsheet."""

    unit = "row"
    typed = True
    document: Mapping[str, object] = MappingProxyType({})

    def __init__(self, source: ByteSource, options: ReaderOptions) -> None:
        self._name = source.name
        self._opened = source.on_disk()
        path = self._opened.__enter__()
        try:
            _check_size(path)
            self._book = calamine.CalamineWorkbook.from_path(str(path))
            sheet, place, self.columns = self._choose(options)
            self._sheet = self._book.get_sheet_by_name(sheet)
        except InputError:
            self.close()
            raise
        except (calamine.CalamineError, OSError, RuntimeError, ValueError, BadZipFile) as error:
            self.close()
            raise InputError(f"{source.name} is not a readable spreadsheet: {error}") from None
        self._skip = place + 1
        self._read, self._total = 0, max(self._sheet.total_height, 1)
        self.notes = [f"sheet {sheet!r}"] if len(self._book.sheet_names) > 1 else []
        if place:
            self.notes.append(f"{place} rows before the header")

    def _choose(self, options: ReaderOptions) -> tuple[str, int, Sequence[str]]:
        """A sheet, the place of its header, and its columns."""
        names = self._book.sheet_names
        if options.sheet is not None and options.sheet not in names:
            raise InputError(
                f"{self._name} has no sheet {options.sheet!r}; it has {', '.join(names)}"
            )
        found = []
        for name in names if options.sheet is None else [options.sheet]:
            rows = self._first_rows(name)
            if not any(any(row) for row in rows):
                continue
            place = find_header(rows, options.names)
            columns = column_names(rows[place])
            known = len({column.casefold() for column in columns} & options.names)
            found.append((known, name, place, columns))
        if not found:
            raise InputError(f"{self._name} has no rows")
        best = max(known for known, *_ in found)
        likely = [(name, place, columns) for known, name, place, columns in found if known == best]
        if len(likely) > 1:
            raise InputError(
                f"{self._name} has {len(likely)} sheets that may hold comments; name one: "
                + ", ".join(name for name, *_ in likely)
            )
        return likely[0]

    def _first_rows(self, name: str) -> list[list[str]]:
        sheet = self._book.get_sheet_by_name(name)
        rows = []
        for row in sheet.iter_rows():
            cells = [str(cell).strip() for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            rows.append(cells)
            if len(rows) == LOOK_AHEAD:
                break
        return rows

    def rows(self) -> Iterator[RawRow]:
        """Every row after the header that is not blank."""
        for number, row in enumerate(self._sheet.iter_rows(), 1):
            self._read = number
            if number <= self._skip:
                continue
            cells = dict(zip(self.columns, map(_value, row), strict=False))
            if any(value not in (None, "") for value in cells.values()):
                yield RawRow(number, cells)

    def fraction(self) -> float:
        """How much of the sheet has been read, in [0, 1]."""
        return min(self._read / self._total, 1.0)

    def close(self) -> None:
        """Let go of the file."""
        self._opened.__exit__(None, None, None)


def _value(cell: object) -> object:
    """Spreadsheets store every number as a float; whole ones are meant as such."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, date | str | int | float):
        return cell
    return str(cell)


def _check_size(path: Path) -> None:
    """Refuse a file that unpacks to more than memory should hold.

    Raises:
        InputError: it does.
    """
    if is_zipfile(path):
        with ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
                raise InputError("the spreadsheet unpacks to more than 4 GiB; save it as CSV")


register(
    ImportFormat(
        name="spreadsheet",
        about="Excel (xlsx, xlsm, xlsb, xls) and OpenDocument (ods)",
        endings=_ENDINGS,
        # Many tools call a table in text .xls: the content says what it is.
        recognises=lambda source: source.head.startswith((b"PK\x03\x04", _OLD_EXCEL)),
        open=SpreadsheetReader,
    )
)
