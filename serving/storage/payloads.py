"""What a delivery carries to its channel."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.alerts import AlertEvent
from monitoring.evidence import Evidence
from monitoring.kinds import AlertKind, Severity
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
    """

    alert_id: str
    kol_id: str
    kind: AlertKind
    severity: Severity
    reason: NotificationReason
    at: datetime
    opened_at: datetime
    evidence: Evidence

    @classmethod
    def of(cls, event: AlertEvent, opened_at: datetime) -> "AlertPayload":
        """News of an alert event."""
        return cls(
            event.alert_id,
            event.kol_id,
            AlertKind(event.kind),
            Severity(event.severity),
            NotificationReason(event.reason),
            event.at,
            opened_at,
            event.evidence,
        )


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
