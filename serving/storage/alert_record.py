"""What the store knows of an alert, and of each transition that it went through."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from monitoring.evidence import Evidence
from monitoring.kinds import AlertKind, AlertState, Reason, Severity
from serving.errors import StoreError
from serving.storage.instants import from_micros, optional_from_micros


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """An alert as its last transition left it. Instants are event time, aware, UTC.

    Attributes:
        alert_id: its id.
        kol_id: whose stream.
        kind: what the incident looks like.
        severity: the severity of the last transition.
        state: open, resolved, or revised: with the comments that came late there is no incident.
        opened_at: when it was first opened.
        updated_at: when its last transition happened.
        resolved_at: when it was resolved; None while it is open.
        evidence: of the last transition that was not a resolution.
        found_at: when, by the clock, comments that came late showed it; None for an alert that was
            raised as it happened.
    """

    alert_id: str
    kol_id: str
    kind: AlertKind
    severity: Severity
    state: AlertState
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    evidence: Evidence
    found_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertEventRecord:
    """A transition of an alert.

    Attributes:
        event_id: its place among all transitions.
        alert_id: of which alert.
        kol_id: whose stream.
        kind: the alert's kind.
        severity: at this transition.
        reason: what happened.
        at: when, event time, aware, UTC.
        evidence: the figures behind it.
        found_at: when, by the clock, comments that came late showed it; None for a transition that
            was raised as it happened.
        revised_to: of a revision, the alert's state after it: "revised" if there was no incident,
            "open" if its end was none; None for other transitions, and where an older version
            stored it.
    """

    event_id: int
    alert_id: str
    kol_id: str
    kind: AlertKind
    severity: Severity
    reason: Reason
    at: datetime
    evidence: Evidence
    found_at: datetime | None = None
    revised_to: AlertState | None = None


def to_alert(row: RowMapping) -> AlertRecord:
    """A row of `alerts` as the record."""
    return AlertRecord(
        alert_id=row["alert_id"],
        kol_id=row["kol_id"],
        kind=AlertKind(row["kind"]),
        severity=Severity(row["severity"]),
        state=AlertState(row["state"]),
        opened_at=from_micros(row["opened_at"]),
        updated_at=from_micros(row["updated_at"]),
        resolved_at=optional_from_micros(row["resolved_at"]),
        evidence=to_evidence(row["evidence"]),
        found_at=optional_from_micros(row["found_at"]),
    )


def to_event(row: RowMapping) -> AlertEventRecord:
    """A row of `alert_events` as the record."""
    return AlertEventRecord(
        event_id=row["event_id"],
        alert_id=row["alert_id"],
        kol_id=row["kol_id"],
        kind=AlertKind(row["kind"]),
        severity=Severity(row["severity"]),
        reason=Reason(row["reason"]),
        at=from_micros(row["at"]),
        evidence=to_evidence(row["evidence"]),
        found_at=optional_from_micros(row["found_at"]),
        revised_to=None if row["revised_to"] is None else AlertState(row["revised_to"]),
    )


def to_evidence(stored: dict[str, Any]) -> Evidence:
    """Evidence as this or an older version stored it.

    Raises:
        StoreError: it is no evidence.
    """
    try:
        return Evidence.from_dict(stored)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"the evidence of an alert cannot be read: {error!r}") from error
