"""The bodies about alerts: what they are, how they came to be, what people do to them."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from monitoring.kinds import AlertKind, AlertState, Reason, Severity
from serving.ingest.comment import storable
from serving.storage.alert_record import AlertEventRecord, AlertRecord
from serving.triage.actions import Action, Verb
from serving.triage.muting import AlertStatus
from serving.triage.triage_status import TriageStatus

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
    BeforeValidator(storable),
]
Remark = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    BeforeValidator(storable),
]


class ActionIn(BaseModel):
    """What somebody does to an alert. docs/triage.md says what each act brings about."""

    model_config = ConfigDict(extra="forbid")

    action: Verb
    actor: Name = Field(description="Who does it.")
    text: Remark | None = Field(None, description="A remark; a note needs it.")
    assignee: Name | None = Field(None, description="To whom; only 'assign' takes it.")
    until: AwareDatetime | None = Field(
        None, description="When a snooze ends, at most 30 days ahead; only 'snooze' takes it."
    )


class ActionOut(BaseModel):
    """What somebody did to an alert."""

    action_id: int
    action: Verb
    actor: str
    at: datetime = Field(description="By the clock.")
    text: str | None
    assignee: str | None
    until: datetime | None

    @classmethod
    def of(cls, action: Action) -> Self:
        """An act as its reader sees it."""
        request = action.request
        return cls(
            action_id=action.action_id,
            action=request.verb,
            actor=request.actor,
            at=action.at,
            text=request.text,
            assignee=request.assignee,
            until=request.until,
        )


class TriageStatusOut(BaseModel):
    """Where people stand with an alert, beside what the detector says of it."""

    acknowledged_by: str | None
    acknowledged_at: datetime | None
    assignee: str | None
    snoozed_by: str | None
    snoozed_until: datetime | None
    closed_by: str | None = Field(
        description="Who resolved it by hand, or called it a false alarm."
    )
    closed_at: datetime | None
    false_alarm_by: str | None = Field(description="Who called it a false alarm.")

    @classmethod
    def of(cls, triage: TriageStatus) -> Self:
        """Work as its reader sees it."""
        return cls(
            acknowledged_by=_who(triage.acknowledged),
            acknowledged_at=_when(triage.acknowledged),
            assignee=None if triage.assigned is None else triage.assigned.request.assignee,
            snoozed_by=_who(triage.snoozed),
            snoozed_until=None if triage.snoozed is None else triage.snoozed.request.until,
            closed_by=_who(triage.closed),
            closed_at=_when(triage.closed),
            false_alarm_by=_who(triage.false_alarm),
        )


def _who(action: Action | None) -> str | None:
    return None if action is None else action.request.actor


def _when(action: Action | None) -> datetime | None:
    return None if action is None else action.at


class ActedOut(BaseModel):
    """What became of an act, and how the alert stands after it."""

    action: ActionOut | None = Field(
        description="As written down; null where it changes nothing and says nothing."
    )
    triage: TriageStatusOut
    muted: str | None = Field(description="Why nobody is told of it now; null if people are told.")


class AlertOut(BaseModel):
    """An alert as it stands."""

    alert_id: str
    kol_id: str
    kind: AlertKind
    severity: Severity
    state: AlertState
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    evidence: dict[str, Any] = Field(
        description="Figures against the baseline, detector scores, drivers and a summary; "
        "of a resolved alert, as at its last rise."
    )
    triage: TriageStatusOut
    muted: str | None = Field(description="Why nobody is told of it now; null if people are told.")

    @classmethod
    def of(cls, alert: AlertRecord, alert_status: AlertStatus, **more: object) -> Self:
        """An alert and its status.

        Args:
            alert: the alert.
            alert_status: what people did about it, and whether it is muted.
            more: the further fields of a subclass.
        """
        return cls(
            alert_id=alert.alert_id,
            kol_id=alert.kol_id,
            kind=alert.kind,
            severity=alert.severity,
            state=alert.state,
            opened_at=alert.opened_at,
            updated_at=alert.updated_at,
            resolved_at=alert.resolved_at,
            evidence=alert.evidence.to_dict(),
            triage=TriageStatusOut.of(alert_status.triage),
            muted=alert_status.muted,
            **more,
        )


class AlertEventOut(BaseModel):
    """A transition of an alert."""

    event_id: int
    alert_id: str
    kol_id: str
    kind: AlertKind
    severity: Severity
    reason: Reason
    at: datetime = Field(description="Event time.")
    evidence: dict[str, Any]

    @classmethod
    def of(cls, event: AlertEventRecord) -> Self:
        """A transition as its reader sees it."""
        return cls(
            event_id=event.event_id,
            alert_id=event.alert_id,
            kol_id=event.kol_id,
            kind=event.kind,
            severity=event.severity,
            reason=event.reason,
            at=event.at,
            evidence=event.evidence.to_dict(),
        )


class DetectorScoreOut(BaseModel):
    """What one detector said; of a step of several minutes, where it came nearest to paging."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="docs/detection.md explains each.")
    scale_minutes: float = Field(description="Length of the stretch it judged.")
    value: float = Field(description="Its log-likelihood ratio, in nats.")
    threshold: float = Field(description="The value above which it pages, as of that minute.")


class TracePointOut(BaseModel):
    """One step of a trace. The symbols are those of docs/detection.md."""

    model_config = ConfigDict(from_attributes=True)

    start: datetime
    comments: int = Field(description="n: comments counted; late ones are not.")
    negative: float = Field(description="k: sum of P(negative) over them.")
    positive: float = Field(description="Sum of P(positive) over them.")
    excess: float = Field(
        description="Comments beyond the usual volume, minute by minute; x is their part."
    )
    expected_comments: float = Field(description="Comments usual in the whole step.")
    expected_negative_share: float = Field(
        description="p: usual negative share. This and the next four: as of the last minute."
    )
    rho_loud: float = Field(description="Correlation of the comments under a loud post.")
    doubt: float = Field(description="rho_calm + 1/w, so that κ = 1 / (rho_loud x² + doubt).")
    phi: float = Field(description="φ: n and k are divided by it before a ratio is taken.")
    active: float = Field(
        description="Usual share of the minutes that hold comments; makes share_shift's threshold."
    )
    judged: bool = Field(description="Enough had been learnt for a value to raise an alert.")
    scores: list[DetectorScoreOut] = Field(description="Of the detectors behind the alert.")


class TraceOut(BaseModel):
    """How the figures behind an alert moved; the events mark it."""

    model_config = ConfigDict(from_attributes=True)

    since: datetime = Field(
        description="About two hours before the incident began; of a long one, a quarter of it."
    )
    until: datetime = Field(description="The resolution; of an open alert the last reading.")
    step: int = Field(description="Seconds; the shortest that the wanted number of points allows.")
    points: list[TracePointOut] = Field(
        description="Steps without comments are left out. None for minutes that were worked off "
        "by a version without readings; 'groundswell db rebuild' derives them."
    )


class AlertDetailOut(AlertOut):
    """An alert and how it came to stand so."""

    events: list[AlertEventOut]
    actions: list[ActionOut] = Field(description="What people did, oldest first.")
    trace: TraceOut


class AlertPage(BaseModel):
    """Alerts, last opened first."""

    items: list[AlertOut]
    next_cursor: str | None
