"""One row of a file before anybody knows which field is where."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as its format has it.

    Attributes:
        number: its line in a text file (the first is 1), else its row.
        cells: values by column or key; None where the row cannot be read.
        fault: why not; None where it can.
        joined: whether a text that its delimiter had cut was joined.
    """

    number: int
    cells: Mapping[str, object] | None
    fault: str | None = None
    joined: bool = False


class RowReader(Protocol):
    """A file of one format, opened."""

    @property
    def unit(self) -> str:
        """What row numbers count, "line" or "row"."""
        ...

    @property
    def columns(self) -> Sequence[str] | None:
        """The columns that every row has; None where each row has keys of its own."""
        ...

    @property
    def document(self) -> Mapping[str, object]:
        """Values that hold for every row, by key: of a JSON document its own values."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What was found out about the file, for people."""
        ...

    @property
    def typed(self) -> bool:
        """Whether a number may have been typed as a text, as in a spreadsheet's cell."""
        ...

    def rows(self) -> Iterator[RawRow]:
        """Every row in file order. Can be walked once."""
        ...

    def fraction(self) -> float:
        """How much of the file has been read, in [0, 1]."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """What the user says about the form of a file; None to find out.

    Attributes:
        encoding: of a text file.
        delimiter: of a table in text.
        sheet: of a spreadsheet.
        names: names that columns may have; a row that holds many of them is the header.
        records: keys that may hold the list of comments in a JSON document.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    names: frozenset[str] = field(default_factory=frozenset)
    records: Sequence[str] = ()
