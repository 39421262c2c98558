"""Which row of a table is its header."""

from collections import Counter
from collections.abc import Collection, Sequence

from serving.errors import InputError

LOOK_AHEAD = 100  # rows among which the header is


def find_header(rows: Sequence[Sequence[str]], names: Collection[str]) -> int:
    """The place of the header among the first rows of a table.

    Reports begin with lines about themselves. The header is the row that holds the most known
    names; without any, the first row that is as wide as most rows and has no empty cell.

    Args:
        rows: the first rows; cells without surrounding space.
        names: known names of columns, in lower case.

    Raises:
        InputError: no row is a header.
    """
    known = [len({cell.casefold() for cell in row} & set(names)) for row in rows]
    if known and (most := max(known)) >= 2:
        return known.index(most)
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        if len(rows) and any(len(row) == 1 and row[0] for row in rows):
            return next(index for index, row in enumerate(rows) if row and row[0])
        raise InputError("there is no header: every line is blank")
    usual = widths.most_common(1)[0][0]
    full = (
        index
        for index, row in enumerate(rows)
        if len(row) == usual and all(row) and len(set(row)) == len(row)
    )
    wide = (index for index, row in enumerate(rows) if len(row) == usual)
    return next(full, next(wide))


def column_names(cells: Sequence[str]) -> list[str]:
    """The names of a header's cells; one without a name is called by its place."""
    names = [cell.strip().removeprefix("\ufeff").strip() for cell in cells]
    return [name or f"column {place}" for place, name in enumerate(names, 1)]


def repeated(columns: Sequence[str]) -> frozenset[str]:
    """Names that several columns have, in lower case."""
    counts = Counter(name.casefold() for name in columns)
    return frozenset(name for name, count in counts.items() if count > 1)
