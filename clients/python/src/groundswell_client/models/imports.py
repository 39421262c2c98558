"""Imports of files."""

from datetime import datetime

from groundswell_client.record import Record


class ImportedFileInfo(Record, frozen=True, kw_only=True):
    """The file of an import.

    Attributes:
        format: empty until it is recognised.
        preset: the preset that was used; None if none was.
        notes: what was found out about its form, for people.
        rows: rows that were read, good or bad.
        left_out: rows that are no comments.
        replies_left_out: replies that cannot be dated.
    """

    format: str
    preset: str | None
    notes: tuple[str, ...]
    rows: int
    left_out: int
    replies_left_out: int


class FoundAlertInfo(Record, frozen=True, kw_only=True):
    """An alert on a KOL of the file that opened since the file's first comment of it."""

    alert_id: str
    kind: str
    severity: str
    state: str
    opened_at: datetime


class ImportedKolInfo(Record, frozen=True, kw_only=True):
    """The comments of one KOL in a file, and what they have shown.

    Attributes:
        first: event time of the earliest.
        last: event time of the latest.
        alerts: first opened first.
        missing: what is missing before the KOL can be judged; None if it is.
    """

    kol_id: str
    comments: int
    first: datetime
    last: datetime
    alerts: tuple[FoundAlertInfo, ...]
    missing: str | None


class ImportInfo(Record, frozen=True, kw_only=True):
    """An import and what became of its rows so far.

    Attributes:
        state: "waiting", "reading", "sending", "finished", "failed" or "interrupted".
        fraction: how much was read or sent, 0 to 1.
        error: why it failed or was interrupted, and what to do.
        removed: new or updated comments that are deleted; never used.
        used: comments that detection counts; None until all are scored and judged.
        adjustments: values that were changed so that their comment could be kept, by kind.
        faults: the first few rejected rows, for people.
        file: None until it is opened.
    """

    import_id: int
    name: str
    state: str
    fraction: float
    error: str | None
    created_at: datetime
    updated_at: datetime
    accepted: int
    updated: int
    duplicates: int
    rejected: int
    removed: int
    used: int | None
    adjustments: dict[str, int]
    faults: tuple[str, ...]
    file: ImportedFileInfo | None


class ImportDetailInfo(ImportInfo, frozen=True, kw_only=True):
    """An import with its KOLs, by id, the first 1,000."""

    kols: tuple[ImportedKolInfo, ...]
