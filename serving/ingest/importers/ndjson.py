"""NDJSON: one JSON object a line, each with keys of its own."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from serving.errors import InputError
from serving.ingest.importers.byte_source import ByteSource, CutOff
from serving.ingest.importers.raw_row import RawRow, ReaderOptions
from serving.ingest.importers.registry import ImportFormat, register

_MAX_LINE = 4 * 2**20


class RepeatedKey(ValueError):
    """An object has a key twice."""


class NdjsonReader:
    """Lines of JSON."""

    unit = "line"
    typed = False
    columns: Sequence[str] | None = None
    notes: Sequence[str] = ()
    document: Mapping[str, object] = MappingProxyType({})

    def __init__(self, source: ByteSource, options: ReaderOptions) -> None:
        if options.encoding is not None and options.encoding.lower() not in {"utf-8", "utf8"}:
            raise InputError(f"{source.name}: NDJSON is always UTF-8; leave the encoding out")
        self._opened = source.open()
        self._bytes = self._opened.__enter__()

    def rows(self) -> Iterator[RawRow]:
        """Every line that is not blank."""
        lines = io.BufferedReader(self._bytes, 2**18)
        number = 0
        try:
            while line := lines.readline(_MAX_LINE):
                number += 1
                if len(line) == _MAX_LINE and not line.endswith(b"\n"):
                    yield RawRow(number, None, "is longer than 4 MiB")
                    while (line := lines.readline(_MAX_LINE)) and not line.endswith(b"\n"):
                        pass
                    continue
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if line.strip():
                    yield from _rows(number, line)
        except CutOff as error:
            yield RawRow(number + 1, None, str(error))

    def fraction(self) -> float:
        """How much of the file has been read, in [0, 1]."""
        return self._bytes.fraction()

    def close(self) -> None:
        """Let go of the file."""
        self._opened.__exit__(None, None, None)


def _rows(number: int, line: bytes) -> Iterator[RawRow]:
    """The object of a line, or each of its list of objects. A comma behind it does no harm."""
    try:
        text = line.decode("utf-8").strip().removesuffix(",")
        value = json.loads(text, object_pairs_hook=unique)
    except UnicodeDecodeError:
        yield RawRow(number, None, "is not UTF-8")
        return
    except RepeatedKey as error:
        yield RawRow(number, None, str(error))
        return
    except (ValueError, RecursionError) as error:
        cut = "" if line.endswith(b"\n") else "; is the file cut off?"
        yield RawRow(number, None, f"is not JSON ({error}){cut}")
        return
    for one in value if isinstance(value, list) and value else [value]:
        fault = None if isinstance(one, dict) else "is not a JSON object"
        yield RawRow(number, one if fault is None else None, fault)


def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of its pairs.

    Raises:
        RepeatedKey: a key is there twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise RepeatedKey(f"has the key {twice!r} twice")
    return found


def _is_ndjson(source: ByteSource) -> bool:
    if source.name.lower().endswith((".ndjson", ".jsonl")):
        return True
    head = source.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    first, ended, rest = head.partition(b"\n")
    begin = first[:1]
    if begin not in (b"{", b"[") or not ended or not rest.lstrip().startswith(begin):
        return False
    try:
        json.loads(first.strip().removesuffix(b","))
    except ValueError:
        return False
    return True


register(
    ImportFormat(
        name="ndjson",
        about="NDJSON (JSON Lines): one object a line",
        endings=(".ndjson", ".jsonl"),
        recognises=_is_ndjson,
        open=NdjsonReader,
    )
)
