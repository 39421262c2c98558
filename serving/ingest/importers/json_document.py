"""A JSON document: a list of objects, or an object that holds one somewhere. Read as a stream."""

from collections.abc import Iterator, Sequence

import ijson

from serving.errors import InputError
from serving.ingest.importers.byte_source import ByteSource, CutOff
from serving.ingest.importers.raw_row import RawRow, ReaderOptions
from serving.ingest.importers.registry import ImportFormat, register

_DEEPEST = 6  # levels below which no list is looked for
_TEXTS = {"text", "comment", "body", "message", "content"}
_TIMES = {"created_at", "date", "time", "timestamp", "created_utc", "created_time"}
_SCALARS = {"string", "number", "boolean"}
_CUT = (ijson.IncompleteJSONError, ijson.JSONError)


class JsonReader:
    """A JSON document."""

    unit = "row"
    typed = False
    columns: Sequence[str] | None = None

    def __init__(self, source: ByteSource, options: ReaderOptions) -> None:
        self._source = source
        self._prefix, self.document = _find_list(source, options.records)
        self.notes = (
            [f"list {self._prefix.removesuffix('.item')}"]
            if self._prefix not in {"", "item"}
            else []
        )
        self._opened = source.open()
        self._bytes = self._opened.__enter__()

    def rows(self) -> Iterator[RawRow]:
        """Every object of the list, from 1."""
        number = 0
        try:
            for value in ijson.items(
                _Utf8(self._bytes), self._prefix, map_type=_Object, multiple_values=True
            ):
                number += 1
                if isinstance(value, _Object) and value.repeated is not None:
                    yield RawRow(number, None, f"has the key {value.repeated!r} twice")
                elif isinstance(value, dict):
                    yield RawRow(number, value)
                else:
                    yield RawRow(number, None, "is not a JSON object")
        except CutOff as error:
            yield RawRow(number + 1, None, str(error))
        except _CUT as error:
            yield RawRow(number + 1, None, f"{_reason(error)}; what follows was not read")

    def fraction(self) -> float:
        """How much of the file has been read, in [0, 1]."""
        return self._bytes.fraction()

    def close(self) -> None:
        """Let go of the file."""
        self._opened.__exit__(None, None, None)


class _Object(dict[str, object]):
    """An object of the document.

    Attributes:
        repeated: a key that it has twice.
    """

    repeated: str | None = None

    def __setitem__(self, key: str, value: object) -> None:
        if key in self:
            self.repeated = key
        super().__setitem__(key, value)


class _Utf8:
    """A stream without the mark of its encoding, which ijson does not know."""

    def __init__(self, data: object) -> None:
        self._data = data
        self._begun = False

    def read(self, size: int) -> bytes:
        chunk: bytes = self._data.read(size)  # type: ignore[attr-defined]
        if not self._begun and chunk:
            self._begun = True
            return chunk.removeprefix(b"\xef\xbb\xbf") or self.read(size)
        return chunk


def _find_list(source: ByteSource, records: Sequence[str]) -> tuple[str, dict[str, object]]:
    """Where the comments are, and what the document says about itself.

    It is the first list under one of the keys `records`, else the first list of objects. A document
    without one, or that has a text and a time itself, is a single comment.

    Raises:
        InputError: the document is not JSON from its beginning.
    """
    first: str | None = None
    document: dict[str, object] = {}
    with source.open() as data:
        try:
            for prefix, event, value in ijson.parse(_Utf8(data), multiple_values=True):
                if event in _SCALARS and prefix and "." not in prefix and prefix != "item":
                    document[prefix] = value
                elif event == "start_map" and prefix.endswith("item") and _is_list(prefix):
                    if prefix == "item":
                        return prefix, {}
                    if prefix.removesuffix(".item").rpartition(".")[2] in records:
                        return prefix, document
                    first = first or prefix
        except (CutOff, *_CUT) as error:
            if first is None:
                raise InputError(f"{source.name}: {_reason(error)}") from None
    if first is None:
        empty = source.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
        if empty:
            raise InputError(f"{source.name} is a JSON list without objects")
        return "", document
    if _TEXTS & document.keys() and _TIMES & document.keys():  # a comment with its replies
        return "", document
    return first, document


def _is_list(prefix: str) -> bool:
    parts = prefix.split(".")
    return len(parts) <= _DEEPEST and parts[-1] == "item"


def _reason(error: Exception) -> str:
    said = str(error)
    if "premature EOF" in said or said == "Incomplete JSON content":
        return "the JSON ends in the middle; fetch or write the file again"
    if "NaN" in said or "Infinity" in said:
        return "is not JSON: it holds NaN or Infinity; write null in their place"
    return f"is not JSON ({' '.join(str(error).split())[:120]})"


register(
    ImportFormat(
        name="json",
        about="a JSON document with a list of objects",
        endings=(".json",),
        recognises=lambda source: source.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{"),
        open=JsonReader,
        order=1,
    )
)
