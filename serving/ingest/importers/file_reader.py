"""A file of comments into sorted runs: every row is checked, and kept or refused by number."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

import msgspec

from monitoring.events import Comment
from serving.errors import InputError, InvalidComment
from serving.ingest.comment import parse_comment
from serving.ingest.importers.byte_source import ByteSource
from serving.ingest.importers.import_options import HINTS, ImportOptions
from serving.ingest.importers.preset import catalogue
from serving.ingest.importers.raw_row import RawRow, ReaderOptions, RowReader
from serving.ingest.importers.registry import format_of
from serving.ingest.importers.rejected import RejectedRows
from serving.ingest.importers.rounded_ids import RoundedIds
from serving.ingest.importers.row_mapper import (
    SAMPLE,
    FieldPlan,
    RowMapper,
    check_columns,
    derived_id,
    plan_fields,
)
from serving.ingest.importers.sorted_runs import SortedRuns
from serving.ingest.values.rules import Adjustment, TimeRules
from serving.ingest.values.times import parse_zone
from serving.storage.import_record import FileCount, ImportCount, RejectedRow
from serving.storage.kol_store import KnownKols

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REPORT_EVERY = 2000
_EXAMPLES = 5
_NO_ID = "derived"  # in place of an id until it is derived


@dataclass(slots=True)
class FileReader:
    """Reads files one after the other.

    Attributes:
        options: what the user says about them.
        now: the present instant; comments from the future are refused.
        known: KOLs that comments may name by a handle.
        count: kept up to date.
        rejected: takes the rows that are refused.
        runs: takes the comments.
        report: called now and then with how much of the file has been read, in [0, 1].
    """

    options: ImportOptions
    now: datetime
    known: KnownKols
    count: ImportCount
    rejected: RejectedRows
    runs: SortedRuns
    report: Callable[[float], None] = lambda _: None
    _adjustments: Counter[Adjustment] = field(default_factory=Counter)

    def read(self, path: Path, name: str) -> RoundedIds:
        """Read one file to its end.

        Args:
            path: where it is.
            name: what people call it.

        Returns:
            What its ids look like.

        Raises:
            InputError: the file as a whole cannot be read; nothing of it was kept.
        """
        file = FileCount(name)
        place = len(self.count.files)
        self.count.files.append(file)
        ids = RoundedIds()
        try:
            source = ByteSource(path, name)
            kind = format_of(source)
            reader = kind.open(source, self._reader_options())
        except InputError as error:
            file.failure = str(error)
            raise
        file.format = kind.name
        try:
            rows, plan = self._plan(reader)
            self._describe(file, plan, reader)
            mapper = RowMapper(plan, reader)
            times = self._times(plan)
            for row in rows:
                file.rows += 1
                if file.rows % _REPORT_EVERY == 0:
                    self.report(reader.fraction())
                if row.cells is None:
                    fault = InvalidComment("bad_row", None, row.fault or "")
                    self._reject(place, row.number, fault)
                else:
                    self._adjustments[Adjustment.CELLS_JOINED] += row.joined
                    self._take(place, row, mapper, plan, times, ids)
            file.left_out, file.replies_left_out = mapper.rows_left_out, mapper.replies_left_out
        except InputError as error:
            file.failure = str(error)
            raise
        finally:
            self.count.adjust(+self._adjustments)
            self._adjustments.clear()
            reader.close()
        if not file.rows:
            file.failure = f"{name} has no rows"
            raise InputError(file.failure)
        self.report(1.0)
        return ids

    def _reader_options(self) -> ReaderOptions:
        known, options = catalogue(), self.options
        names = known.names | {path.casefold() for path in options.fields.values()}
        records = known.records
        if options.preset is not None:
            records = [*known.named(options.preset).records, *records]
        return ReaderOptions(options.encoding, options.delimiter, options.sheet, names, records)

    def _plan(self, reader: RowReader) -> tuple[Iterator[RawRow], FieldPlan]:
        known, options = catalogue(), self.options
        preset = known.named(options.preset) if options.preset is not None else None
        rows = reader.rows()
        keys: dict[str, None] = {}
        if reader.columns is not None:
            keys = dict.fromkeys(reader.columns)
        else:
            first = list(islice(rows, SAMPLE))
            for row in first:
                keys |= dict.fromkeys(_keys(row, known.records))
            rows = chain(first, rows)
            if not keys and first:
                fault = next((row.fault for row in first if row.fault), "has no keys")
                raise InputError(f"no row can be read; row {first[0].number} {fault}")
        plan = plan_fields(
            list(keys),
            catalogue=known,
            preset=preset,
            given=options.fields,
            constants=options.constants,
        )
        if reader.columns is not None:
            check_columns(plan, reader.columns, options.fields)
        return rows, plan

    def _describe(self, file: FileCount, plan: FieldPlan, reader: RowReader) -> None:
        file.notes += reader.notes
        if plan.preset is not None:
            file.preset = plan.preset.name
        file.notes += [f"{name} from {column!r}" for name, column in plan.aliases.items()]
        if plan.derive_ids:
            file.notes.append("no ids: derived from author, time and text")

    def _times(self, plan: FieldPlan) -> TimeRules:
        times = self.options.times
        if times.zone is None and plan.preset is not None and plan.preset.zone is not None:
            return replace(times, zone=parse_zone(plan.preset.zone))
        return times

    def _take(
        self,
        place: int,
        row: RawRow,
        mapper: RowMapper,
        plan: FieldPlan,
        times: TimeRules,
        ids: RoundedIds,
    ) -> None:
        above: dict[int, str] = {}
        for mapped in mapper.items(row):
            item = dict(mapped.item)
            if plan.derive_ids:
                item["comment_id"] = _NO_ID
                if mapped.depth and "parent_id" not in item and mapped.depth - 1 in above:
                    item["parent_id"] = above[mapped.depth - 1]
            try:
                comment = parse_comment(
                    item,
                    now=self.now,
                    times=times,
                    adjustments=self._adjustments,
                    known=self.known,
                )
            except InvalidComment as fault:
                self._reject(place, row.number, fault)
                continue
            if plan.derive_ids:
                made = derived_id(comment.author_id, comment.created_at.isoformat(), comment.text)
                comment = replace(comment, comment_id=made)
                above[mapped.depth] = made
            self.count.read += 1
            self.count.see(comment.kol_id, comment.created_at)
            self.runs.add(
                _micros(comment.created_at),
                place,
                row.number,
                ids.add(comment.comment_id),
                to_line(comment),
            )

    def _reject(self, place: int, number: int, fault: InvalidComment) -> None:
        hint = HINTS.get(fault.code)
        reason = f"{fault}; {hint}" if hint else str(fault)
        reject(
            self.count,
            self.rejected,
            RejectedRow(place, number, fault.field or "", reason, fault.code),
        )


def reject(count: ImportCount, rejected: RejectedRows, row: RejectedRow) -> None:
    """Count a refused row and keep it."""
    file = count.files[row.file]
    file.rejected += 1
    if len(count.faults) < _EXAMPLES:
        count.faults.append(f"{file.name}, row {row.number}: {row.reason}")
    rejected.add(row)


def to_line(comment: Comment) -> bytes:
    """A comment as the API takes it, in JSON on one line."""
    item: dict[str, object] = {
        "platform": comment.platform,
        "comment_id": comment.comment_id,
        "kol_id": comment.kol_id,
        "text": comment.text,
        "created_at": comment.created_at,
    }
    for name in ("post_id", "author_id", "parent_id", "lang", "likes", "edited_at"):
        if (value := getattr(comment, name)) is not None:
            item[name] = value
    if comment.removed:
        item["deleted"] = True
    return msgspec.json.encode(item)


def _keys(row: RawRow, records: object) -> Iterator[str]:
    """The keys of a row; of a page of an API those of its items."""
    if row.cells is None:
        return
    yield from row.cells
    if isinstance(inner := row.cells.get("data"), list):
        for part in inner[:5]:
            if isinstance(part, dict):
                yield from part


def _micros(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
