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
                    yield _row(number, line)
        except CutOff as error:
            yield RawRow(number + 1, None, str(error))

    def fraction(self) -> float:
        """How much of the file has been read, in [0, 1]."""
        return self._bytes.fraction()

    def close(self) -> None:
        """Let go of the file."""
        self._opened.__exit__(None, None, None)


def _row(number: int, line: bytes) -> RawRow:
    try:
        value = json.loads(line.decode("utf-8"), object_pairs_hook=unique)
    except UnicodeDecodeError:
        return RawRow(number, None, "is not UTF-8")
    except RepeatedKey as error:
        return RawRow(number, None, str(error))
    except (ValueError, RecursionError) as error:
        return RawRow(number, None, f"is not JSON ({error}); is the file cut off?")
    if not isinstance(value, dict):
        return RawRow(number, None, "is not a JSON object")
    return RawRow(number, value)


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
    if not first.startswith(b"{") or not ended or not rest.lstrip().startswith(b"{"):
        return False
    try:
        json.loads(first)
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
