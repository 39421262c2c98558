"""What a delivery carries to its channel."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.alerts import AlertEvent
from monitoring.evidence import Evidence
from monitoring.kinds import AlertKind, AlertState, Reason, Severity
from serving.storage.digest_record import Digest
from serving.storage.notification_reason import NotificationReason


@dataclass(frozen=True, slots=True)
class AlertPayload:
    """News of an alert.

    Attributes:
        alert_id: which alert.
        kol_id: whose stream.
        kind: the alert's kind.
        severity: the alert's severity at that time.
        reason: why the channel is notified.
        at: event time of the transition, aware, UTC; of `STILL_OPEN` that of the last transition,
            of `UNACKNOWLEDGED` that of the page.
        opened_at: event time at which the alert was opened, aware, UTC.
        evidence: the figures behind it.
        state: of the alert after the transition.
        ended_at: event time at which the incident ended, aware, UTC; None while it lasts.
        found_at: when, by the clock, comments that came late showed it; None for an event that was
            raised as it happened.
        late_comments: how many comments came late; known of a withdrawn alert only.
    """

    alert_id: str
    kol_id: str
    kind: AlertKind
    severity: Severity
    reason: NotificationReason
    at: datetime
    opened_at: datetime
    evidence: Evidence
    state: AlertState = AlertState.OPEN
    ended_at: datetime | None = None
    found_at: datetime | None = None
    late_comments: int | None = None

    @classmethod
    def of(
        cls,
        event: AlertEvent,
        opened_at: datetime,
        *,
        state: AlertState = AlertState.OPEN,
        ended_at: datetime | None = None,
        late_comments: int | None = None,
    ) -> "AlertPayload":
        """News of an alert event.

        Args:
            event: what happened to the alert.
            opened_at: event time at which the alert was opened.
            state: of the alert; read of a revision only, for which it tells the two kinds apart.
            ended_at: event time at which the incident ended; None while it lasts.
            late_comments: how many comments came late, if that is known.
        """
        return cls(
            event.alert_id,
            event.kol_id,
            AlertKind(event.kind),
            Severity(event.severity),
            NotificationReason(event.reason),
            event.at,
            opened_at,
            event.evidence,
            state_after(event.reason, state),
            ended_at,
            event.found_at,
            late_comments,
        )


def state_after(reason: str, state: AlertState | None = None) -> AlertState:
    """The state of an alert after a transition.

    Args:
        reason: of the transition.
        state: what the store says of the alert; it tells a withdrawal from a revision after which
            the alert is open again.
    """
    if reason == Reason.RESOLVED:
        return AlertState.RESOLVED
    if reason == Reason.REVISED and state is AlertState.REVISED:
        return AlertState.REVISED
    return AlertState.OPEN


@dataclass(frozen=True, slots=True)
class DigestPayload:
    """A digest.

    Attributes:
        digest: the digest itself; it has a name.
    """

    digest: Digest


@dataclass(frozen=True, slots=True)
class UnreadablePayload:
    """A stored payload that this version cannot read. It can only be given up.

    Attributes:
        error: what is wrong with it.
    """

    error: str


Payload = AlertPayload | DigestPayload | UnreadablePayload
