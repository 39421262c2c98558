"""Schemas of alerts, their transitions, their traces, and the actions on them."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from monitoring.kinds import AlertKind, AlertState, Reason, Severity
from serving.api.aware_time import AwareTime
from serving.api.post_schemas import PostNameOut, names_out
from serving.ingest.comment import storable
from serving.storage.alert_record import AlertEventRecord, AlertRecord
from serving.storage.post_names import PostNames, posts_in
from serving.triage.actions import Action, ActionKind
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


_POSTS = "Text and address of the posts that the evidence names, by id; those that were sent."


Actor = Annotated[
    Name | None,
    Field(
        description="The person who acts. Whoever is signed in cannot give another name; a key is "
        "named as well. Default: the person, or the key.",
    ),
]


class ActionIn(BaseModel):
    """An action on an alert. docs/triage.md explains each of them."""

    model_config = ConfigDict(extra="forbid")

    action: ActionKind
    actor: Actor = None
    text: Remark | None = Field(None, description="A comment on the action; required for 'note'.")
    assignee: Name | None = Field(
        None, description="The person to assign the alert to; only for 'assign'."
    )
    until: AwareTime | None = Field(
        None, description="End of the snooze, at most 30 days ahead; only for 'snooze'."
    )


class ActionOut(BaseModel):
    """A recorded action on an alert."""

    action_id: int
    action: ActionKind
    actor: str
    at: datetime = Field(description="Time of the action (wall clock).")
    text: str | None
    assignee: str | None
    until: datetime | None

    @classmethod
    def of(cls, action: Action) -> Self:
        """The schema of an action."""
        request = action.request
        return cls(
            action_id=action.action_id,
            action=request.action,
            actor=request.actor,
            at=action.at,
            text=request.text,
            assignee=request.assignee,
            until=request.until,
        )


class TriageStatusOut(BaseModel):
    """The triage status of an alert: what people have done about it."""

    acknowledged_by: str | None
    acknowledged_at: datetime | None
    assignee: str | None
    snoozed_by: str | None
    snoozed_until: datetime | None
    closed_by: str | None = Field(
        description="The person who closed it or marked it as a false alarm."
    )
    closed_at: datetime | None
    false_alarm_by: str | None = Field(description="The person who marked it as a false alarm.")

    @classmethod
    def of(cls, triage: TriageStatus) -> Self:
        """The schema of a triage status."""
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
    """The result of an action, and the triage status of the alert after it."""

    action: ActionOut | None = Field(
        description="The recorded action; null if it changed nothing and has no text."
    )
    triage: TriageStatusOut
    muted: str | None = Field(
        description="Why no notifications are sent for it now; null if they are sent."
    )


class AlertOut(BaseModel):
    """An alert in its current state."""

    alert_id: str
    kol_id: str
    kind: AlertKind
    severity: Severity
    state: AlertState = Field(
        description="'revised': withdrawn; with the comments that came late there was no incident."
    )
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    found_at: datetime | None = Field(
        description="When comments that came late showed it (wall clock); null if it was raised as "
        "it happened."
    )
    evidence: dict[str, Any] = Field(
        description="Observed and expected figures, detector scores, drivers and a summary. For a "
        "resolved alert: those of the last transition before it was resolved."
    )
    posts: dict[str, PostNameOut] = Field(description=_POSTS)
    triage: TriageStatusOut
    muted: str | None = Field(
        description="Why no notifications are sent for it now; null if they are sent."
    )

    @classmethod
    def of(
        cls, alert: AlertRecord, alert_status: AlertStatus, names: PostNames, **more: object
    ) -> Self:
        """An alert and its status.

        Args:
            alert: the alert.
            alert_status: what people did about it, and whether it is muted.
            names: of the posts that its evidence names.
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
            found_at=alert.found_at,
            evidence=alert.evidence.to_dict(),
            posts=names_out(posts_in(alert.kol_id, alert.evidence), names),
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
    found_at: datetime | None = Field(
        description="When comments that came late showed it (wall clock); null if it was raised as "
        "it happened."
    )
    revised_to: AlertState | None = Field(
        description="State of the alert after a revision: `revised` if there was no incident, "
        "`open` if its end was none. Null for other transitions, and for revisions of older "
        "versions."
    )
    evidence: dict[str, Any]
    posts: dict[str, PostNameOut] = Field(description=_POSTS)

    @classmethod
    def of(cls, event: AlertEventRecord, names: PostNames) -> Self:
        """The schema of a transition, with the names of the posts that its evidence names."""
        return cls(
            event_id=event.event_id,
            alert_id=event.alert_id,
            kol_id=event.kol_id,
            kind=event.kind,
            severity=event.severity,
            reason=event.reason,
            at=event.at,
            found_at=event.found_at,
            revised_to=event.revised_to,
            evidence=event.evidence.to_dict(),
            posts=names_out(posts_in(event.kol_id, event.evidence), names),
        )


class DetectorScoreOut(BaseModel):
    """The score of a detector; for a step of several minutes, the one closest to its threshold."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="Name of the detector; docs/detection.md explains each.")
    scale_minutes: float = Field(description="Length of the time range it scored, in minutes.")
    value: float = Field(description="Log-likelihood ratio, in nats.")
    threshold: float = Field(
        description="Value above which the detector raises an alert, at that minute."
    )


class TracePointOut(BaseModel):
    """One step of a trace. docs/detection.md defines the symbols."""

    model_config = ConfigDict(from_attributes=True)

    start: datetime
    comments: int = Field(description="n: number of comments, without late ones.")
    negative: float = Field(description="k: sum of P(negative) over the comments.")
    positive: float = Field(description="Sum of P(positive) over the comments.")
    excess: float = Field(
        description="Comments above the expected number, minute by minute; x is their share."
    )
    expected_comments: float = Field(description="Expected number of comments in the whole step.")
    expected_negative_share: float = Field(
        description="p: expected negative share. This and the next four fields: at the last minute."
    )
    rho_loud: float = Field(description="Correlation of the comments under a loud post.")
    doubt: float = Field(description="rho_calm + 1/w, so that κ = 1 / (rho_loud x² + doubt).")
    phi: float = Field(description="φ: n and k are divided by φ before a ratio is computed.")
    active: float = Field(
        description="Expected share of minutes with comments; it sets the threshold of share_shift."
    )
    judged: bool = Field(description="True if the detector had learnt enough to raise an alert.")
    scores: list[DetectorScoreOut] = Field(description="Scores of the detectors behind the alert.")


class TraceOut(BaseModel):
    """The figures behind an alert over time."""

    model_config = ConfigDict(from_attributes=True)

    since: datetime = Field(
        description="Start: about two hours before the incident began; for a long incident, a "
        "quarter of its length before it."
    )
    until: datetime = Field(
        description="End: the time of resolution; for an open alert, the last scored minute."
    )
    step: int = Field(
        description="Step in seconds: the shortest that keeps within the requested points."
    )
    points: list[TracePointOut] = Field(
        description="Steps without comments are left out. Minutes that were processed by a version "
        "without scores per minute have no points; 'groundswell db rebuild' computes them."
    )


class AlertDetailOut(AlertOut):
    """An alert with its history."""

    events: list[AlertEventOut]
    actions: list[ActionOut] = Field(description="Recorded actions, oldest first.")
    trace: TraceOut


class AlertList(BaseModel):
    """A page of alerts, the last opened first."""

    items: list[AlertOut]
    next_cursor: str | None
