"""What became of an import so far."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class KolSpan:
    """The comments of one KOL in an import.

    Attributes:
        comments: how many were sent.
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
        adjustments: what was changed in values, by kind.
        kols: the comments of each KOL that were sent.
        faults: the first few rejected rows, each with its place and reason.
    """

    files: list[FileCount] = field(default_factory=list)
    read: int = 0
    sent: int = 0
    accepted: int = 0
    updated: int = 0
    duplicates: int = 0
    adjustments: Counter[str] = field(default_factory=Counter)
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
