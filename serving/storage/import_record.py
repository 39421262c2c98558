"""An import: what became of its rows so far, and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

_Kind = TypeVar("_Kind", bound=str)


class ImportState(StrEnum):
    """How far an import is."""

    WAITING = "waiting"
    READING = "reading"
    SENDING = "sending"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it."""
        return self in {ImportState.FINISHED, ImportState.FAILED, ImportState.INTERRUPTED}


@dataclass(slots=True)
class KolSpan:
    """The comments of one KOL in an import.

    Attributes:
        comments: how many were read.
        first: event time of the earliest, aware, UTC.
        last: event time of the latest.
    """

    comments: int
    first: datetime
    last: datetime


@dataclass(slots=True)
class FileCount:
    """One file of an import.

    Attributes:
        name: of the file.
        format: of the file; empty while it has not been recognised.
        preset: the preset that was used; None if none was.
        notes: what was found out about its form.
        rows: rows that were read, good or bad.
        rejected: comments and rows that were refused.
        left_out: rows that are no comments, such as Telegram's notices.
        replies_left_out: replies that cannot be dated.
        failure: why the file as a whole could not be read; None if it could.
    """

    name: str
    format: str = ""
    preset: str | None = None
    notes: list[str] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0
    left_out: int = 0
    replies_left_out: int = 0
    failure: str | None = None


@dataclass(slots=True)
class ImportCount:
    """What became of all files of an import so far.

    Attributes:
        files: each file.
        read: comments that were read and are to be sent.
        sent: comments that the service has answered.
        accepted: comments that were new.
        updated: comments that brought something new to one that was there.
        duplicates: comments that were there.
        removed: of those that were new or updated, deleted comments, which are never used.
        adjustments: what was changed in values, by kind.
        kols: the comments of each KOL that were read.
        faults: the first few rejected rows, each with its place and reason.
    """

    files: list[FileCount] = field(default_factory=list)
    read: int = 0
    sent: int = 0
    accepted: int = 0
    updated: int = 0
    duplicates: int = 0
    removed: int = 0
    adjustments: dict[str, int] = field(default_factory=dict)
    kols: dict[str, KolSpan] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """Comments and rows that were refused."""
        return sum(file.rejected for file in self.files)

    @property
    def kept(self) -> int:
        """Comments that the service has now."""
        return self.accepted + self.updated + self.duplicates

    @property
    def used(self) -> int:
        """Comments that detection counts, once they have been scored."""
        return self.accepted + self.updated - self.removed

    @property
    def whole(self) -> bool:
        """Whether everything could be read."""
        return not self.rejected and not any(file.failure for file in self.files)

    def see(self, kol_id: str, at: datetime) -> None:
        """Count a comment of a KOL."""
        span = self.kols.get(kol_id)
        if span is None:
            self.kols[kol_id] = KolSpan(1, at, at)
            return
        span.comments += 1
        span.first, span.last = min(span.first, at), max(span.last, at)

    def adjust(self, kinds: Mapping[_Kind, int]) -> None:
        """Add what was changed in values."""
        for kind, number in kinds.items():
            self.adjustments[kind] = self.adjustments.get(kind, 0) + number


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row, or a reply in it, that was refused.

    Attributes:
        file: its file, counted from 0.
        number: its line or row in the file.
        field: the field at fault; empty where the row as a whole is.
        reason: what is wrong and the fix.
        code: the kind of fault; docs/errors.md lists them.
    """

    file: int
    number: int
    field: str
    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """An import that was sent to the service.

    Attributes:
        import_id: its id.
        name: of the file.
        state: how far it is.
        fraction: of the reading or sending, in [0, 1].
        count: what became of its rows so far.
        last_seq: the log's last place when all was sent; None before.
        error: why it failed or was interrupted, and what to do; None otherwise.
        created_at: when it was received, aware, UTC.
        updated_at: when it last went on.
    """

    import_id: int
    name: str
    state: ImportState
    fraction: float
    count: ImportCount
    last_seq: int | None
    error: str | None
    created_at: datetime
    updated_at: datetime
