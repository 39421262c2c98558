"""Where a field of a comment is in a row: a column, a key, or a path into nested objects."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from serving.errors import InputError

Cells = Mapping[str, object]
_PLAIN = re.compile(r"[\w$@:-]+")


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Where a field is, and what to make of its value.

    Attributes:
        paths: columns, keys or JMESPath expressions; the first that holds a value is taken.
        document: a key of the JSON document, where the row says nothing.
        pattern: the value is the first group of this regular expression; none without a match.
        nothing: values that mean that there is none.
        lower: whether case does not matter.
        join: whether the values of all paths are joined by a space, for a date and a time.
        within: a key of the document whose value is put before this one, for ids that are unique
            inside one document only.
    """

    paths: tuple[str, ...] = ()
    document: str | None = None
    pattern: str | None = None
    nothing: tuple[str, ...] = ()
    lower: bool = False
    join: bool = False
    within: str | None = None

    @property
    def simple(self) -> bool:
        """Whether the value is that of one path as it is."""
        return self == FieldSource(self.paths) and len(self.paths) == 1

    def bound(
        self, columns: Sequence[str] | None, document: Mapping[str, object]
    ) -> Callable[[Cells], object]:
        """A function from a row to the field's value.

        Args:
            columns: of the file; None where each row has keys of its own.
            document: values that hold for every row.

        Raises:
            InputError: a path is no expression.
        """
        getters = [_getter(path, columns) for path in self.paths]
        if self.simple:
            return getters[0]
        pattern = re.compile(self.pattern) if self.pattern else None
        common = document.get(self.document) if self.document else None
        before = document.get(self.within) if self.within else None

        def read(row: Cells) -> object:
            found = [value for get in getters if (value := get(row)) not in (None, "")]
            if self.join and len(found) > 1:
                return " ".join(str(value) for value in found)
            value = plain(found[0]) if found else common
            if value is None or value in self.nothing:
                return None
            if pattern is not None:
                match = pattern.search(str(value))
                value = match[1] if match else None
            if self.lower and isinstance(value, str):
                value = value.strip().casefold()
            return f"{before}-{value}" if before is not None and value is not None else value

        return read


def plain(value: object) -> object:
    """Numbers and bytes of the readers' libraries as Python's own."""
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value() if value.is_finite() else False
        exact = whole and "E" not in str(value) and "." not in str(value)
        return int(value) if exact else float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value


def column_of(name: str, columns: Sequence[str]) -> str | None:
    """The column of this name; if there is none, the one that differs in case only."""
    if name in columns:
        return name
    folded = [column for column in columns if column.casefold() == name.casefold()]
    return folded[0] if len(folded) == 1 else None


def _getter(path: str, columns: Sequence[str] | None) -> Callable[[Cells], object]:
    if columns is not None and (column := column_of(path, columns)) is not None:
        return lambda row: row.get(column)
    if _PLAIN.fullmatch(path):
        return lambda row: row.get(path)
    try:
        expression = jmespath.compile(path)
    except JMESPathError:
        return lambda row: row.get(path)

    def search(row: Cells) -> Any:
        return row[path] if path in row else expression.search(row)

    return search


def parse_fields(pairs: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """`["text=snippet.textOriginal"]` as `{"text": "snippet.textOriginal"}`.

    Raises:
        InputError: a pair has no `=`, or its left side is not a field of a comment.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, sign, path = (part.strip() for part in pair.partition("="))
        if not sign or not path:
            raise InputError(f"{pair!r} is not FIELD=PATH, for example created_at=time")
        if name not in fields:
            raise InputError(
                f"{pair!r}: a comment has no field {name!r}; its fields are {', '.join(fields)}"
            )
        found[name] = path
    return found
