"""A file of comments into sorted runs: every row is checked, and kept or refused by number."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from monitoring.events import Comment
from serving.errors import InputError, InvalidComment
from serving.ingest.comment import parse_comment
from serving.ingest.importers.comment_source import CommentSource
from serving.ingest.importers.import_options import HINTS, ImportOptions
from serving.ingest.importers.raw_row import RawRow
from serving.ingest.importers.rejected import RejectedRows
from serving.ingest.importers.rounded_ids import RoundedIds
from serving.ingest.importers.sorted_runs import SortedRuns
from serving.ingest.values.rules import Adjustment
from serving.storage.import_record import FileCount, ImportCount, RejectedRow
from serving.storage.kol_store import KnownKols

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REPORT_EVERY = 2000
_EXAMPLES = 5


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
        spool: the folder where files are unpacked; None for the system's temporary folder.
    """

    options: ImportOptions
    now: datetime
    known: KnownKols
    count: ImportCount
    rejected: RejectedRows
    runs: SortedRuns
    report: Callable[[float], None] = lambda _: None
    spool: Path | None = None
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
            source = CommentSource(path, name, self.options, self.spool)
        except InputError as error:
            file.failure = str(error)
            raise
        file.format = source.format
        file.notes += source.notes
        if source.plan.preset is not None:
            file.preset = source.plan.preset.name
        try:
            for row in source.rows():
                file.rows += 1
                if file.rows % _REPORT_EVERY == 0:
                    self.report(source.fraction())
                if row.cells is None:
                    fault = InvalidComment("bad_row", None, row.fault or "")
                    self._reject(place, row.number, fault)
                else:
                    self._adjustments[Adjustment.CELLS_JOINED] += row.joined
                    self._take(place, row, source, ids)
            file.left_out = source.mapper.rows_left_out
            file.replies_left_out = source.mapper.replies_left_out
        finally:
            self.count.adjust(+self._adjustments)
            self._adjustments.clear()
            source.close()
        if not file.rows:
            file.failure = f"{name} has no rows"
            raise InputError(file.failure)
        self.report(1.0)
        return ids

    def _take(self, place: int, row: RawRow, source: CommentSource, ids: RoundedIds) -> None:
        for item in source.items(row):
            try:
                comment = parse_comment(
                    item,
                    now=self.now,
                    times=source.times,
                    adjustments=self._adjustments,
                    known=self.known,
                )
            except InvalidComment as fault:
                self._reject(place, row.number, fault)
                continue
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


def _micros(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
