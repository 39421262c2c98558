"""Alerts, their events, and what people do to them."""

from datetime import datetime

import msgspec

from groundswell_client.models.evidence import DetectorScoreInfo, EvidenceInfo
from groundswell_client.models.posts import PostNameInfo
from groundswell_client.record import Record


class TriageInfo(Record, frozen=True, kw_only=True):
    """What people have done to an alert so far; None where nobody has."""

    acknowledged_by: str | None
    acknowledged_at: datetime | None
    assignee: str | None
    snoozed_by: str | None
    snoozed_until: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    false_alarm_by: str | None


class ActionInfo(Record, frozen=True, kw_only=True):
    """One thing that somebody did to an alert.

    Attributes:
        action: "acknowledge", "assign", "note", …; docs/triage.md lists them.
        at: when, by the service's clock.
    """

    action_id: int
    action: str
    actor: str
    at: datetime
    text: str | None
    assignee: str | None
    until: datetime | None


class ActionResult(Record, frozen=True, kw_only=True):
    """What an action changed.

    Attributes:
        action: as it was stored; None if it changed nothing.
        triage: the state after it.
        muted: why the alert sends no notifications now; None if it sends them.
    """

    action: ActionInfo | None
    triage: TriageInfo
    muted: str | None


class AlertEventInfo(Record, frozen=True, kw_only=True):
    """A transition of an alert.

    Attributes:
        reason: "opened", "escalated", "aftershock", "reopened", "resolved" or "revised".
        at: event time.
        found_at: when comments that came late showed it; None if it was raised as it happened.
        revised_to: of a revision, the alert's state after it: "revised" if there was no incident,
            "open" if its end was none.
        posts: names of the posts in the evidence, by id; of those that were sent.
    """

    event_id: int
    alert_id: str
    kol_id: str
    kind: str
    severity: str
    reason: str
    at: datetime
    evidence: EvidenceInfo
    found_at: datetime | None = None
    revised_to: str | None = None
    posts: dict[str, PostNameInfo] = msgspec.field(default_factory=dict)


class TracePointInfo(Record, frozen=True, kw_only=True):
    """One step of a trace. The symbols are those of docs/detection.md.

    Attributes:
        start: its first instant.
        comments: counted in it.
        negative: sum of P(negative) over them.
        positive: sum of P(positive) over them.
        excess: comments above the normal volume.
        expected_comments: normal number of comments in the whole step.
        expected_negative_share: normal negative share, 0 to 1.
        scores: of the detectors behind the alert.
    """

    start: datetime
    comments: int
    negative: float
    positive: float
    excess: float
    expected_comments: float
    expected_negative_share: float
    rho_loud: float
    doubt: float
    phi: float
    active: float
    judged: bool
    scores: tuple[DetectorScoreInfo, ...]


class TraceInfo(Record, frozen=True, kw_only=True):
    """How the figures behind an alert moved.

    Attributes:
        since: first instant.
        until: the end of the alert; the last minute read if it is open.
        step: seconds a point.
        points: steps that hold comments, oldest first; none where they were not stored.
    """

    since: datetime
    until: datetime
    step: int
    points: tuple[TracePointInfo, ...]


class AlertInfo(Record, frozen=True, kw_only=True):
    """An alert.

    Attributes:
        severity: "info", "warning" or "critical".
        state: "open", "resolved", or "revised": with the comments that came late there was no
            incident.
        opened_at: event time.
        resolved_at: event time; None while it is open.
        evidence: of a resolved alert, as at its last rise.
        found_at: when comments that came late showed it; None if it was raised as it happened.
        posts: names of the posts in the evidence, by id; of those that were sent.
        muted: why it sends no notifications now; None if it sends them.
    """

    alert_id: str
    kol_id: str
    kind: str
    severity: str
    state: str
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    evidence: EvidenceInfo
    found_at: datetime | None = None
    posts: dict[str, PostNameInfo] = msgspec.field(default_factory=dict)
    triage: TriageInfo
    muted: str | None


class AlertDetailInfo(AlertInfo, frozen=True, kw_only=True):
    """An alert with its history, oldest first."""

    events: tuple[AlertEventInfo, ...]
    actions: tuple[ActionInfo, ...]
    trace: TraceInfo
