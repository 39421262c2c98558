"""Tables in text: CSV of any delimiter, quoting, encoding and line end.

Python's `csv` takes a record apart. What it cannot know is where a quotation mark was left open: a
record that breaks the rules, or that holds whole records in a cell, is refused by its first line,
and reading goes on with the next line.
"""

import csv
import itertools
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from serving.errors import InputError
from serving.ingest.importers.byte_source import ByteSource, CutOff
from serving.ingest.importers.header import LOOK_AHEAD, column_names, find_header
from serving.ingest.importers.raw_row import RawRow, ReaderOptions
from serving.ingest.importers.registry import ImportFormat, register
from serving.ingest.importers.text_encoding import find_encoding, text_of

_DELIMITERS = ",;\t|\x1f^~"
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SEVERAL = ("||", "::", ";;", "~|~", "|~|", "\x01")  # tried where the first lines hold them
_SAID = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "bar": "|"}
_STAND_IN = "\x1e"
_MAX_CELL = 1 << 20
_MAX_LINES = 2000  # of one record
_SEP = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)
# `csv` takes a carriage return in a cell for a line end. It is a character that no text has until
# the record is taken apart.
_RETURN = "\ufdd0"
_UNDECODED = re.compile("[\udc80-\udcff]")
# How a cell with a time begins.
_TIME = re.compile(
    r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{10,19}(\.\d+)?\s*$"
    r"|([A-Z][a-z]{2},? )?(\d{1,2}[ -][A-Z][a-z]{2}|[A-Z][a-z]{2} \d{1,2})[ ,-])"
)
_OPEN_QUOTE = "a quotation mark is left open, or is inside a text without being doubled"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How records are written.

    Attributes:
        delimiter: between cells; one character or several.
        escape: before a quotation mark in a text, instead of a second one; None if not used.
        spaced: whether a space follows each delimiter.
    """

    delimiter: str
    escape: str | None = None
    spaced: bool = False

    def records(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """The cells of each record; raises `csv.Error` where quotation marks do not match."""
        if len(self.delimiter) == 1:
            return self._reader(lines, self.delimiter)
        # `csv` takes one character only. Where the delimiter is inside a cell, it comes back.
        single = (line.replace(self.delimiter, _STAND_IN) for line in lines)
        return (
            [cell.replace(_STAND_IN, self.delimiter) for cell in cells]
            for cells in self._reader(single, _STAND_IN)
        )

    def _reader(self, lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
        return csv.reader(
            lines,
            delimiter=delimiter,
            doublequote=self.escape is None,
            escapechar=self.escape,
            skipinitialspace=self.spaced,
            strict=True,
        )


class DelimitedReader:
    """A table in text."""

    unit = "line"
    typed = False
    document: Mapping[str, object] = MappingProxyType({})

    def __init__(self, source: ByteSource, options: ReaderOptions) -> None:
        csv.field_size_limit(_MAX_CELL)
        self._encoding, guessed = find_encoding(source, options.encoding)
        self._opened = source.open()
        self._bytes = self._opened.__enter__()
        self._text = text_of(self._bytes, self._encoding)
        self._ahead: deque[str] = deque()
        self._taken: list[str] = []  # lines of the record that is being read
        self._line = 0  # of the line taken last
        self._time_column: int | None = None
        self._least = 0  # delimiters before a carriage return that ends a record; 0 if any does
        first = list(itertools.islice(self._lines(), LOOK_AHEAD * 3))
        delimiter, start = _said(options.delimiter), 0
        if first and (match := _SEP.match(first[0].removeprefix("\ufeff").rstrip("\r\n"))):
            delimiter, start = delimiter or match[1], 1
        self._dialect = _find_dialect(first[start:], delimiter, options.names)
        try:
            begun, self.columns = self._header(first[start:], options)
        except InputError as error:
            self.close()
            raise InputError(f"{source.name}: {error}") from None
        self._ahead.extend(first[start + begun :])
        self._line = start + begun
        if sum(line.endswith("\r") for line in first) * 2 < len(first):
            self._least = len(self.columns) - 1
        self.notes = self._described(begun - 1, guessed)

    def _header(self, lines: list[str], options: ReaderOptions) -> tuple[int, Sequence[str]]:
        """How many lines precede the first record, and the columns."""
        rows, ends = [], []
        for cells, end in _tried(lines, self._dialect):
            rows.append([cell.strip() for cell in cells])
            ends.append(end)
            if len(rows) == LOOK_AHEAD:
                break
        index = find_header(rows, options.names)
        return ends[index], column_names(rows[index])

    def _described(self, skipped: int, guessed: bool) -> list[str]:
        delimiter = self._dialect.delimiter
        notes = []
        if len(self.columns) > 1 and delimiter != ",":
            notes.append(f"separated by {_NAMES.get(delimiter, repr(delimiter))}")
        if self._encoding not in {"utf-8", "utf-8-sig"}:
            notes.append(f"encoding {self._encoding}" + (" (guessed)" if guessed else ""))
        if skipped:
            notes.append(f"{skipped} line{'s' if skipped > 1 else ''} before the header")
        return notes

    def _lines(self) -> Iterator[str]:
        """Lines with their ends; none is longer than `_MAX_CELL`."""
        ahead, readline = self._ahead, self._text.readline
        while True:
            if len(self._taken) == _MAX_LINES:
                raise csv.Error("the record has too many lines")
            line = ahead.popleft() if ahead else self._composed(readline(_MAX_CELL))
            if not line:
                return
            if self._least and line[-1] == "\r":
                line = self._with_returns(line)
            self._line += 1
            self._taken.append(line)
            yield line

    def _with_returns(self, line: str) -> str:
        """A line with what follows a carriage return that is in one of its cells."""
        delimiter = self._dialect.delimiter
        while line[-1] == "\r" and line.strip() and line.count(delimiter) < self._least:
            more = self._ahead.popleft() if self._ahead else self._text.readline(_MAX_CELL)
            if not more or len(line) > _MAX_CELL:
                break
            line = line[:-1] + _RETURN + more
        return line

    def _composed(self, line: str) -> str:
        """Vietnamese Windows writes the marks of tones behind their letters."""
        return unicodedata.normalize("NFC", line) if self._encoding == "cp1258" else line

    def rows(self) -> Iterator[RawRow]:
        """Every record after the header."""
        width, columns = len(self.columns), self.columns
        records = self._dialect.records(self._lines())
        while True:
            self._taken.clear()
            first = self._line + 1
            fault = None
            try:
                cells = next(records)
            except StopIteration:
                return
            except CutOff as error:
                yield RawRow(first, None, str(error))
                return
            except csv.Error:
                fault = _OPEN_QUOTE
            else:
                if not "".join(cells).strip():
                    continue
                if any(_RETURN in line for line in self._taken):
                    cells = [cell.replace(_RETURN, "\r") for cell in cells]
                whole = cells if len(cells) <= width else self._joined(cells, width)
                fault = self._fault(whole, width)
                if fault is None:
                    cut = len(whole) < len(cells)
                    yield RawRow(first, dict(zip(columns, whole, strict=False)), joined=cut)
                    continue
            yield RawRow(first, None, fault)
            if len(self._taken) > 1:  # its other lines may be records of their own
                self._ahead.extendleft(reversed(self._taken[1:]))
                self._line = first
            records = self._dialect.records(self._lines())

    def _fault(self, cells: list[str], width: int) -> str | None:
        """Why a record is none; None if it is one."""
        if len(cells) != width and (len(cells) < width or any(map(str.strip, cells[width:]))):
            if len(self._taken) > 1:
                return _OPEN_QUOTE
            return f"has {len(cells)} cells, the header has {width}"
        if self._time_column is None:
            found = (i for i, c in enumerate(cells) if _TIME.match(c) and "\n" not in c.strip())
            self._time_column = next(found, -1)
        if len(self._taken) > 1 and self._swallowed(width):
            return _OPEN_QUOTE
        if any(not cell.isascii() and _UNDECODED.search(cell) for cell in cells):
            return f"has bytes that are not {self._encoding}; name the encoding"
        return None

    def _joined(self, cells: list[str], width: int) -> list[str]:
        """Cells where a text with ", " in it was not quoted: the surplus begins with a space."""
        surplus = [place for place, cell in enumerate(cells) if place and cell.startswith(" ")]
        if self._dialect.spaced or len(cells) - len(surplus) != width:
            return cells
        whole: list[str] = []
        for cell in cells:
            if whole and cell.startswith(" "):
                whole[-1] += self._dialect.delimiter + cell
            else:
                whole.append(cell)
        return whole

    def _swallowed(self, width: int) -> bool:
        """Whether the lines of a record are records of their own, the first but for its quotation
        marks: each has a time in its place.
        """
        place = self._time_column
        if place is None or place < 0:
            return False
        first = self._taken[0].replace('"', "").split(self._dialect.delimiter)
        if len(first) < width or not any(_TIME.match(cell) for cell in first[place:]):
            return False
        for line in self._taken[1:]:
            try:
                inner = next(self._dialect.records(iter([line])))
            except (csv.Error, StopIteration):
                inner = line.split(self._dialect.delimiter)
            if len(inner) == width and _TIME.match(inner[place]):
                return True
        return False

    def fraction(self) -> float:
        """How much of the file has been read, in [0, 1]."""
        return self._bytes.fraction()

    def close(self) -> None:
        """Let go of the file."""
        self._opened.__exit__(None, None, None)


def _said(delimiter: str | None) -> str | None:
    """A delimiter as people type it."""
    if delimiter is None:
        return None
    found = _SAID.get(delimiter.lower(), delimiter)
    if not found or set(found) & set('"\r\n' + _STAND_IN):
        raise InputError(f"{delimiter!r} cannot be a delimiter; try , or ; or | or tab")
    return found


def _tried(lines: list[str], dialect: Dialect) -> Iterator[tuple[list[str], int]]:
    """The records of some lines, each with the number of lines up to its end; none of a line that
    breaks the rules.
    """
    place = 0
    while place < len(lines):
        counted = itertools.count()
        after = itertools.islice(lines, place, None)
        rest = (line for line, _ in zip(after, counted, strict=False))
        try:
            cells = next(dialect.records(rest))
        except csv.Error:
            cells, used = [], 1
        except StopIteration:
            return
        else:
            used = next(counted)
        place += used
        yield cells, place


def _find_dialect(lines: list[str], delimiter: str | None, names: frozenset[str]) -> Dialect:
    """The dialect in which the header holds most known names and most records have one width."""
    head = "".join(lines[:5])
    several = [one for one in _SEVERAL if one in head]
    candidates = [delimiter] if delimiter else [*several, *_DELIMITERS]
    escapes = (None, "\\") if any('\\"' in line for line in lines) else (None,)
    dialects = [Dialect(one, escape) for one in candidates for escape in escapes]
    dialects += [
        Dialect(one, None, spaced=True)
        for one in candidates
        if any(f'{one} "' in line for line in lines)
    ]
    return max(dialects, key=lambda dialect: _score(lines, dialect, names))


def _score(lines: list[str], dialect: Dialect, names: frozenset[str]) -> tuple[int, bool, float]:
    """Known names in the best header, then whether the delimiter is more than one character, then
    how many cells lie in records of one width.
    """
    several = len(dialect.delimiter) > 1
    widths: Counter[int] = Counter()
    known = 0
    for cells, _ in _tried(lines, dialect):
        known = max(known, len({cell.strip().casefold() for cell in cells} & names))
        widths[len(cells)] += 1
    broken = widths.pop(0, 0)
    widths.pop(1, None)
    if not widths:
        return known, several, -broken
    width, number = widths.most_common(1)[0]
    return known, several, number * (1 - 1 / (width + 1)) - broken


register(
    ImportFormat(
        name="delimited",
        about="CSV, TSV and other tables in text",
        endings=(".csv", ".tsv", ".tab", ".txt"),
        recognises=lambda source: True,
        open=DelimitedReader,
        order=2,
    )
)
