"""A file that was opened and understood: its rows as items of the API, not yet checked."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from itertools import chain, islice
from pathlib import Path

from serving.errors import InputError
from serving.ingest.importers.byte_source import ByteSource
from serving.ingest.importers.import_options import ImportOptions
from serving.ingest.importers.preset import Catalogue, catalogue
from serving.ingest.importers.raw_row import RawRow, ReaderOptions, RowReader
from serving.ingest.importers.registry import format_of
from serving.ingest.importers.row_mapper import (
    SAMPLE,
    FieldPlan,
    RowMapper,
    check_columns,
    plan_fields,
)
from serving.ingest.values.invalid_value import InvalidValue
from serving.ingest.values.rules import TimeRules
from serving.ingest.values.times import parse_zone, read_time


class CommentSource:
    """A file of comments.

    Attributes:
        format: the name of its format.
        plan: which field is where.
        mapper: makes items of its rows.
        times: how its times are read.
        unit: what row numbers count, "line" or "row".
    """

    def __init__(
        self, path: Path, name: str, options: ImportOptions, spool: Path | None = None
    ) -> None:
        """Open a file and find the fields of a comment in it.

        Args:
            path: where it is.
            name: what people call it.
            options: what the user says about it.
            spool: the folder where it is unpacked; None for the system's temporary folder.

        Raises:
            InputError: it cannot be read, or a required field is nowhere.
        """
        source, known = ByteSource(path, name, spool), catalogue()
        kind = format_of(source)
        self.format = kind.name
        self._reader = kind.open(source, _reader_options(options, known))
        self.unit = self._reader.unit
        try:
            self._rows, self.plan = _planned(self._reader, options, known)
            self.mapper = RowMapper(self.plan, self._reader)
        except InputError as error:
            self.close()
            raise InputError(
                str(error) if str(error).startswith(name) else f"{name}: {error}"
            ) from None
        self.times = _times(options.times, self.plan)

    @property
    def notes(self) -> Sequence[str]:
        """What was found out about the file, for people."""
        notes = list(self._reader.notes)
        notes += [f"{name} from {column!r}" for name, column in self.plan.aliases.items()]
        if self.plan.derive_ids:
            notes.append("no ids: derived from author, time and text")
        return notes

    def rows(self) -> Iterator[RawRow]:
        """Every row in file order. Can be walked once."""
        return self._rows

    def items(self, row: RawRow) -> Iterator[dict[str, object]]:
        """The items of a row: of its comment, then of the replies that it holds."""
        if not self.plan.derive_ids:
            for mapped in self.mapper.items(row):
                yield mapped.item
            return
        above: dict[int, str] = {}
        for mapped in self.mapper.items(row):
            made = above[mapped.depth] = self._derived_id(mapped.item)
            item = mapped.item | {"comment_id": made}
            if mapped.depth - 1 in above:
                item.setdefault("parent_id", above[mapped.depth - 1])
            yield item

    def _derived_id(self, item: dict[str, object]) -> str:
        """The id of a comment whose export has none: the same comment gets the same id again."""
        at = item.get("created_at")
        with suppress(InvalidValue, OverflowError):  # whoever checks the item says so
            at = read_time(at, self.times).astimezone(UTC)
        whole = json.dumps([str(item.get("author_id")), str(at), str(item.get("text"))])
        return f"derived-{hashlib.sha256(whole.encode()).hexdigest()[:32]}"

    def fraction(self) -> float:
        """How much of the file has been read, in [0, 1]."""
        return self._reader.fraction()

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()


def _reader_options(options: ImportOptions, known: Catalogue) -> ReaderOptions:
    names = known.names | {path.casefold() for path in options.fields.values()}
    records = known.records
    if options.preset is not None:
        records = [*known.named(options.preset).records, *records]
    return ReaderOptions(options.encoding, options.delimiter, options.sheet, names, records)


def _planned(
    reader: RowReader, options: ImportOptions, known: Catalogue
) -> tuple[Iterator[RawRow], FieldPlan]:
    """The rows, and where their fields are."""
    rows = reader.rows()
    keys: dict[str, None] = {}
    if reader.columns is not None:
        keys = dict.fromkeys(reader.columns)
    else:
        first = list(islice(rows, SAMPLE))
        for row in first:
            keys |= dict.fromkeys(_keys(row))
        rows = chain(first, rows)
        if not keys and first:
            fault = next((row.fault for row in first if row.fault), "has no keys")
            raise InputError(f"no row can be read; {reader.unit} {first[0].number} {fault}")
    plan = plan_fields(
        list(keys),
        catalogue=known,
        preset=known.named(options.preset) if options.preset is not None else None,
        given=options.fields,
        constants=options.constants,
    )
    if reader.columns is not None:
        check_columns(plan, reader.columns, options.fields)
    return rows, plan


def _keys(row: RawRow) -> Iterator[str]:
    """The keys of a row; of a page of an API also those of its items."""
    if row.cells is None:
        return
    yield from row.cells
    if isinstance(inner := row.cells.get("data"), list):
        for part in inner[:5]:
            if isinstance(part, dict):
                yield from part


def _times(times: TimeRules, plan: FieldPlan) -> TimeRules:
    if times.zone is None and plan.preset is not None and plan.preset.zone is not None:
        return replace(times, zone=parse_zone(plan.preset.zone))
    return times
