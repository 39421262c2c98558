"""Counts what a JSON text holds while it arrives, before any value of it is built."""

import re
from dataclasses import dataclass

from serving.errors import InvalidRequest

_STRUCTURE = re.compile(rb'["\[\]{},]')
_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_QUOTE, _COMMA = b'",'
_OPEN, _OPEN_LIST = b"[{", b"["[0]


@dataclass(frozen=True, slots=True)
class JsonBounds:
    """What a JSON text may hold.

    Attributes:
        items: of its list of items; None if it has no such list.
        list_depth: where that list is: 1 if the text is the list, 2 if it is a member of an object.
        field: the name of that member.
        item_bytes: of one item, or of the whole text without the list.
        item_values: values in one item, with those inside of others and the names of members.
        values: values in the whole text.
        depth: lists and objects inside of each other.
    """

    items: int | None = None
    list_depth: int = 1
    field: str | None = None
    item_bytes: int = 1024 * 1024
    item_values: int = 10_000
    values: int = 10_000
    depth: int = 64


class JsonScan:
    """Goes over a text piece by piece. It checks no syntax: what passes is parsed afterwards.

    Attributes:
        cuts: where the list of items opens, its commas, and where it closes; empty without a list.
        closed: whether the list closes.
    """

    def __init__(self, bounds: JsonBounds) -> None:
        self._bounds = bounds
        self._offset = 0
        self._depth = 0
        self._values = 0
        self._item_values = 0
        self._item_start = 0
        self._in_string = False
        self._escaped = False
        self._in_object = False  # whether the outermost value is an object
        self._in_list = False
        self.cuts: list[int] = []
        self.closed = False

    def feed(self, piece: bytes) -> None:
        """Go on; time is proportional to the structure in the piece, so keep pieces small.

        Raises:
            InvalidRequest: `too_complex`, `too_many_items` or `body_too_large`.
        """
        position = self._end_of_string(piece, 0) if self._in_string else 0
        while (match := _STRUCTURE.search(piece, position)) is not None:
            token, at = piece[match.start()], self._offset + match.start()
            position = match.end()
            if token == _QUOTE:
                self._count()
                position = self._end_of_string(piece, position)
            elif token == _COMMA:
                self._count()
                if self._in_list and self._depth == self._bounds.list_depth:
                    self._cut(at)
            elif token in _OPEN:
                self._count()
                self._open(token, at)
            else:
                self._close(at)
        self._offset += len(piece)
        self._check_size(self._offset)

    def _open(self, token: int, at: int) -> None:
        self._depth += 1
        if self._depth > self._bounds.depth:
            raise InvalidRequest(
                "too_complex",
                f"lists and objects are nested more than {self._bounds.depth} deep; flatten them",
            )
        if self._depth == 1:
            self._in_object = token != _OPEN_LIST
        if (
            token == _OPEN_LIST
            and self._bounds.items is not None
            and not self.cuts
            and self._depth == self._bounds.list_depth
            and self._in_object == (self._depth == 2)
        ):
            self._in_list = True
            self._start_item(at)

    def _close(self, at: int) -> None:
        if self._in_list and self._depth == self._bounds.list_depth:
            self._in_list, self.closed = False, True
            self._start_item(at)
        self._depth -= 1

    def _cut(self, at: int) -> None:
        self._start_item(at)
        most = self._bounds.items
        if most is not None and len(self.cuts) >= most + 1:
            raise InvalidRequest(
                "too_many_items",
                f"more than {most} items in one request; split the list",
                field=self._bounds.field,
            )

    def _start_item(self, at: int) -> None:
        self._check_size(at)
        self.cuts.append(at)
        self._item_start, self._item_values = at, 0

    def _check_size(self, end: int) -> None:
        if end - self._item_start > self._bounds.item_bytes:
            raise InvalidRequest(
                "body_too_large",
                f"one item is larger than {self._bounds.item_bytes} bytes; leave out what is not"
                " needed",
            )

    def _count(self) -> None:
        self._values += 1
        self._item_values += 1
        if self._item_values > self._bounds.item_values or self._values > self._bounds.values:
            raise InvalidRequest(
                "too_complex",
                f"more than {self._bounds.item_values} values in one item, or "
                f"{self._bounds.values} in one request; leave out what is not needed",
            )

    def _end_of_string(self, piece: bytes, position: int) -> int:
        """Where what follows a string begins; the end of the piece if the string goes on."""
        if self._escaped and piece:
            position, self._escaped = position + 1, False
        found = _STRING.match(piece, position)
        end = position if found is None else found.end()
        if end < len(piece) and piece[end] == _QUOTE:
            self._in_string = False
            return end + 1
        self._in_string = True
        self._escaped = end < len(piece)  # a backslash whose other half comes with the next piece
        return len(piece)
