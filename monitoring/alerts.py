"""The lifecycle of an alert as a pure function: one incident is one alert."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitoring.evidence import Evidence
from monitoring.kinds import AlertFamily, AlertKind, Reason, Severity
from monitoring.policy import Policy
from monitoring.signals import Signal

_REOPEN_HALVING = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Alert:
    """One incident of one KOL.

    Attributes:
        alert_id: derived from KOL, family and start, so a rebuild gives the same id.
        kol_id: whose stream.
        family: what it is about; one alert of each family is open at a time.
        kind: what it looked like when it was opened.
        severity: the highest reached so far.
        state: "open" or "resolved".
        opened_at: event time of the first page.
        updated_at: event time of the last event.
        resolved_at: event time of the last resolution; None while open.
        incident_start: estimate of when the incident began.
        score: largest detector score over its threshold so far.
        peak_rate: highest rate of the comments that matter, per minute.
        waves: 1, and one more for every later wave.
        pages_at: rate at which an aftershock pages after all; None where none is open.
    """

    alert_id: str
    kol_id: str
    family: AlertFamily
    kind: AlertKind
    severity: Severity
    state: str
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    incident_start: datetime
    score: float
    peak_rate: float
    waves: int = 1
    pages_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the incident lasts."""
        return self.state == "open"


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """Something happened to an alert.

    Attributes:
        alert_id: which alert.
        kol_id: whose stream.
        kind: the alert's kind; some inform and never page, see `AlertKind.informs`.
        severity: at this event.
        reason: what happened.
        at: event time at which it could be known.
        evidence: the figures behind it.
        found_at: when, by the clock, comments that came late showed it; None for an event that was
            raised as it happened.
    """

    alert_id: str
    kol_id: str
    kind: AlertKind
    severity: Severity
    reason: Reason
    at: datetime
    evidence: Evidence
    found_at: datetime | None = None

    @property
    def pages(self) -> bool:
        """Whether it is a page; see `is_page`."""
        return is_page(self.reason, self.severity)


def is_page(reason: Reason, severity: Severity) -> bool:
    """Whether a transition is to call a person.

    A new incident pages, and so does a wave that is larger than what was reported, or that comes
    after people may have turned away. All else is for those who were paged before.
    """
    return reason in (Reason.OPENED, Reason.REOPENED) and severity != Severity.INFO


def alert_id(kol_id: str, family: AlertFamily, start: datetime) -> str:
    """A stable id of 16 hex digits for the incident of `family` that began at `start`."""
    return _hash(f"{kol_id}\x1f{family}\x1f{start.isoformat()}")


def other_id(alert_id: str, number: int) -> str:
    """The id of another incident that was given the same id; stable, as :func:`alert_id`."""
    return _hash(f"{alert_id}\x1f{number}")


def _hash(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def advance(
    alert: Alert | None, signal: Signal, now: datetime, policy: Policy
) -> tuple[Alert | None, list[AlertEvent]]:
    """The next state of an alert and what to report.

    Args:
        alert: the last alert of the signal's family, open or resolved; None if there was none.
        signal: what the detectors say now.
        now: event time.
        policy: hold, reopening and longest duration.

    Returns:
        The alert to keep (None once a resolved one is too old to be reopened) and the events.
    """
    if alert is not None and alert.is_open:
        return _advance_open(alert, signal, now, policy)
    quiet = timedelta(0)
    if alert is not None and alert.resolved_at is not None:
        quiet = now - alert.resolved_at
        if quiet > policy.reopen_within:
            alert = None
        elif not signal.firing or not _second_wave(alert, signal, quiet, policy):
            return alert, []
    if not signal.firing or signal.evidence is None:
        return alert, []
    if alert is None:
        start = signal.evidence.incident_start
        fresh = Alert(
            alert_id=alert_id(signal.kol_id, signal.family, start),
            kol_id=signal.kol_id,
            family=signal.family,
            kind=signal.kind,
            severity=signal.severity,
            state="open",
            opened_at=now,
            updated_at=now,
            resolved_at=None,
            incident_start=start,
            score=signal.score,
            peak_rate=signal.rate,
        )
        return fresh, [event_of(fresh, Reason.OPENED, now, signal.evidence)]
    aftershock = quiet <= policy.cooldown
    again = replace(
        alert,
        state="open",
        severity=signal.severity,
        updated_at=now,
        resolved_at=None,
        score=max(alert.score, signal.score),
        peak_rate=max(alert.peak_rate, signal.rate),
        waves=alert.waves + 1,
        pages_at=policy.aftershock_ratio * alert.peak_rate if aftershock else None,
    )
    reason = Reason.AFTERSHOCK if aftershock else Reason.REOPENED
    return again, [event_of(again, reason, now, signal.evidence)]


def _advance_open(
    alert: Alert, signal: Signal, now: datetime, policy: Policy
) -> tuple[Alert, list[AlertEvent]]:
    if signal.score > alert.score or signal.rate > alert.peak_rate:
        alert = replace(
            alert,
            score=max(alert.score, signal.score),
            peak_rate=max(alert.peak_rate, signal.rate),
        )
    if signal.evidence is None:
        return alert, []
    if signal.firing and signal.severity.rank > alert.severity.rank:
        risen = replace(alert, severity=signal.severity, updated_at=now)
        return risen, [event_of(risen, Reason.ESCALATED, now, signal.evidence)]
    if signal.firing and alert.pages_at is not None and signal.rate >= alert.pages_at:
        larger = replace(alert, pages_at=None, updated_at=now)
        return larger, [event_of(larger, Reason.REOPENED, now, signal.evidence)]
    wave_start = alert.updated_at if alert.waves > 1 else alert.opened_at
    over = signal.recovered and now - wave_start >= policy.hold
    if over or now - wave_start >= policy.longest:
        done = replace(alert, state="resolved", resolved_at=now, updated_at=now)
        return done, [event_of(done, Reason.RESOLVED, now, signal.evidence)]
    return alert, []


def _second_wave(alert: Alert, signal: Signal, quiet: timedelta, policy: Policy) -> bool:
    fraction: float = policy.reopen_fraction * 0.5 ** (quiet / _REOPEN_HALVING)
    return signal.rate >= fraction * alert.peak_rate


def event_of(alert: Alert, reason: Reason, now: datetime, evidence: Evidence) -> AlertEvent:
    """An event: `reason` happened to an alert."""
    return AlertEvent(
        alert_id=alert.alert_id,
        kol_id=alert.kol_id,
        kind=alert.kind,
        severity=alert.severity,
        reason=reason,
        at=now,
        evidence=evidence,
    )
