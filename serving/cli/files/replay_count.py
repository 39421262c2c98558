"""How many rows of a file were accepted, refused, or could not be read."""

from dataclasses import dataclass, field
from datetime import datetime

from serving.cli.files.readers import FileRow

_EXAMPLES = 5


@dataclass(slots=True)
class ReplayCount:
    """What became of the rows of a file so far.

    Attributes:
        accepted: comments that were new to the service.
        updated: comments that the service had, with something new.
        duplicates: comments that the service had, with nothing new.
        rejected: comments that the service refused.
        unreadable: rows that could not be read, and so were not sent.
        faults: the first few refused or unreadable rows, each with its place and reason.
        kol_ids: KOLs whose comments were sent.
        first: earliest `created_at` sent, aware; None if nothing was.
        last: latest `created_at` sent.
        at: `created_at` of the comment sent last.
        total: rows of the file; None where it is not known before the end.
    """

    accepted: int = 0
    updated: int = 0
    duplicates: int = 0
    rejected: int = 0
    unreadable: int = 0
    faults: list[str] = field(default_factory=list)
    kol_ids: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None
    at: datetime | None = None
    total: int | None = None

    @property
    def done(self) -> float | None:
        """The part of the file that has been dealt with, 0 to 1; None where `total` is."""
        return (self.sent + self.unreadable) / self.total if self.total else None

    @property
    def sent(self) -> int:
        """Comments that the service answered."""
        return self.accepted + self.updated + self.duplicates + self.rejected

    def add_fault(self, unit: str, row: FileRow, reason: str) -> None:
        """Keep a fault if it is among the first."""
        if len(self.faults) < _EXAMPLES:
            self.faults.append(f"{unit} {row.number}: {reason}")
