"""Whether people are notified of an alert now. Always computed, never stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from monitoring.evidence import Evidence
from serving.triage.actions import ActionKind
from serving.triage.silences import Silence, SilenceState
from serving.triage.triage_status import TriageStatus


class MutableAlert(Protocol):
    """What a silence can match: an alert, one of its transitions, or a message about it."""

    @property
    def alert_id(self) -> str:
        """Which alert."""
        ...

    @property
    def kol_id(self) -> str:
        """Whose stream."""
        ...

    @property
    def kind(self) -> str:
        """An `AlertKind`."""
        ...

    @property
    def severity(self) -> str:
        """A `Severity`."""
        ...

    @property
    def evidence(self) -> Evidence:
        """The figures behind it."""
        ...


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """What people did about an alert, and whether it is muted.

    Attributes:
        triage: what people did about it.
        muted: why nobody is notified now, in a few words; None if people are notified.
    """

    triage: TriageStatus
    muted: str | None


def alert_status(
    alert: MutableAlert, triage: TriageStatus, silences: Sequence[Silence], now: datetime
) -> AlertStatus:
    """The status of an alert.

    Args:
        alert: which alert.
        triage: what people did about it.
        silences: those that may match it.
        now: the instant.
    """
    return AlertStatus(
        triage,
        why_muted(
            triage,
            silences,
            now,
            kol_id=alert.kol_id,
            kind=alert.kind,
            severity=alert.severity,
            top_post=top_post_of(alert.evidence),
        ),
    )


def why_muted(
    triage: TriageStatus,
    silences: Sequence[Silence],
    now: datetime,
    *,
    kol_id: str,
    kind: str,
    severity: str,
    top_post: str | None,
) -> str | None:
    """Why nobody is notified of an alert now, in a few words; None if people are notified."""
    if triage.closed is not None:
        what = (
            "a false alarm"
            if triage.closed.request.action == ActionKind.FALSE_ALARM
            else "resolved"
        )
        return f"{what}, says {triage.closed.request.actor}"
    if triage.snoozed is not None and triage.snoozed.request.until is not None:
        until = triage.snoozed.request.until.astimezone(UTC)
        return f"snoozed until {until:%Y-%m-%d %H:%M} UTC by {triage.snoozed.request.actor}"
    for silence in silences:
        if silence.state(now) is SilenceState.ACTIVE and silence.matchers.match(
            kol_id=kol_id, kind=kind, severity=severity, top_post=top_post
        ):
            return silence.muting
    return None


def top_post_of(evidence: Evidence) -> str | None:
    """The post that drives an alert most; None where none is known."""
    if evidence.drivers is None or not evidence.drivers.posts:
        return None
    return evidence.drivers.posts[0].post_id
