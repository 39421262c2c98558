"""Schemas of imports."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from monitoring.kinds import AlertKind, AlertState, Severity
from serving.storage.alert_record import AlertRecord
from serving.storage.import_record import ImportRecord, ImportState, KolSpan


class ImportedFileOut(BaseModel):
    """The file of an import."""

    format: str = Field(description="Its format; empty until it is recognised.")
    preset: str | None = Field(description="The preset that was used; null if none was.")
    notes: list[str] = Field(description="What was found out about its form, for people.")
    rows: int = Field(description="Rows that were read, good or bad.")
    left_out: int = Field(description="Rows that are no comments.")
    replies_left_out: int = Field(description="Replies that cannot be dated.")


class FoundAlertOut(BaseModel):
    """An alert on a KOL of the file that opened since the file's first comment of it."""

    alert_id: str
    kind: AlertKind
    severity: Severity
    state: AlertState
    opened_at: datetime


class ImportedKolOut(BaseModel):
    """The comments of one KOL in a file, and what they have shown."""

    kol_id: str
    comments: int = Field(description="Comments that were read.")
    first: datetime = Field(description="Event time of the earliest.")
    last: datetime = Field(description="Event time of the latest.")
    alerts: list[FoundAlertOut] = Field(description="First opened first.")
    missing: str | None = Field(
        description="What is missing before the KOL can be judged; null if it is."
    )

    @classmethod
    def of(cls, kol_id: str, span: KolSpan, alerts: list[AlertRecord], missing: str | None) -> Self:
        """The schema of a KOL of an import."""
        return cls(
            kol_id=kol_id,
            comments=span.comments,
            first=span.first,
            last=span.last,
            alerts=[
                FoundAlertOut(
                    alert_id=alert.alert_id,
                    kind=alert.kind,
                    severity=alert.severity,
                    state=alert.state,
                    opened_at=alert.opened_at,
                )
                for alert in alerts
            ],
            missing=missing,
        )


class ImportOut(BaseModel):
    """An import and what became of its rows so far."""

    import_id: int
    name: str = Field(description="Name of the file.")
    state: ImportState
    fraction: float = Field(description="How much was read or sent, 0 to 1.")
    error: str | None = Field(
        description="Why it failed or was interrupted, and what to do; null otherwise."
    )
    created_at: datetime
    updated_at: datetime
    accepted: int = Field(description="Comments that were new.")
    updated: int = Field(description="Comments that changed one that was there.")
    duplicates: int = Field(description="Comments that were there.")
    rejected: int = Field(description="Rows that were refused; `rejected.csv` lists them.")
    removed: int = Field(description="New or updated comments that are deleted; never used.")
    used: int | None = Field(
        description="Comments that detection counts; null until all are scored and judged."
    )
    adjustments: dict[str, int] = Field(
        description="Values that were changed so that their comment could be kept, by kind."
    )
    faults: list[str] = Field(description="The first few rejected rows, for people.")
    file: ImportedFileOut | None = Field(description="Null until the file is opened.")

    @classmethod
    def of(cls, record: ImportRecord, *, used: int | None) -> Self:
        """The schema of an import."""
        return cls.model_validate(_figures(record) | {"used": used})


class ImportDetailOut(ImportOut):
    """An import with its KOLs."""

    kols: list[ImportedKolOut] = Field(description="By id, the first 1,000.")

    @classmethod
    def with_kols(
        cls, record: ImportRecord, kols: list[ImportedKolOut], *, used: int | None
    ) -> Self:
        """The schema of an import with its KOLs."""
        return cls.model_validate(_figures(record) | {"used": used, "kols": kols})


class ImportList(BaseModel):
    """A page of imports, last received first."""

    items: list[ImportOut]
    next_cursor: str | None


def _figures(record: ImportRecord) -> dict[str, object]:
    count = record.count
    file = count.files[0] if count.files else None
    return {
        "import_id": record.import_id,
        "name": record.name,
        "state": record.state,
        "fraction": record.fraction,
        "error": record.error,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "accepted": count.accepted,
        "updated": count.updated,
        "duplicates": count.duplicates,
        "rejected": count.rejected,
        "removed": count.removed,
        "adjustments": count.adjustments,
        "faults": count.faults,
        "file": None
        if file is None
        else {
            "format": file.format,
            "preset": file.preset,
            "notes": file.notes,
            "rows": file.rows,
            "left_out": file.left_out,
            "replies_left_out": file.replies_left_out,
        },
    }
