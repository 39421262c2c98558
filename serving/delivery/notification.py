"""What a channel is told: one transition of one alert."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Notification:
    """One transition of one alert, for one channel.

    Attributes:
        key: the idempotency key; the same at every attempt.
        alert_id: which alert.
        kol_id: whose stream.
        kol_name: the KOL's name; None where its profile has none.
        kind: the alert's kind.
        severity: at this transition.
        reason: "opened", "escalated", "reopened", "resolved", or "test".
        at: event time of the transition, aware, UTC.
        opened_at: event time at which the alert was opened, aware, UTC.
        evidence: `Evidence.to_dict()`.
        link: where the alert can be read; None where no base URL is set.
    """

    key: str
    alert_id: str
    kol_id: str
    kol_name: str | None
    kind: str
    severity: str
    reason: str
    at: datetime
    opened_at: datetime
    evidence: Mapping[str, Any]
    link: str | None


def idempotency_key(alert_id: str, reason: str, at: int, channel: str) -> str:
    """The name of a transition on a channel; deriving the alert again gives the same one.

    Args:
        alert_id: which alert.
        reason: which transition.
        at: its event time in microseconds; an alert may be reopened and resolved repeatedly.
        channel: the channel's name.
    """
    return f"{alert_id}-{reason}-{at}-{channel}"
