"""Incidents and recoveries of a period, from alerts and their transitions. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitoring.evidence import Evidence
from monitoring.kinds import BY_VOLUME, AlertKind, Reason
from serving.storage.alert_history import raised, withdrawal
from serving.storage.alert_record import AlertEventRecord, AlertRecord
from serving.storage.digest_record import (
    Figures,
    Incident,
    IncidentRecovery,
    Peak,
    WithdrawnAlert,
)
from serving.storage.post_names import NamedPost, PostNames
from serving.triage.muting import top_post_of
from serving.triage.triage_status import TriageStatus, verdict_of

_ENDS = (Reason.RESOLVED, Reason.REVISED)


@dataclass(frozen=True, slots=True)
class Wave:
    """A time range in which an alert was open.

    Attributes:
        opened: its start.
        resolved: its end; None while the alert is open.
        began: for the first wave, the estimated start of the incident; for a later one, `opened`,
            because its evidence describes the first.
    """

    opened: datetime
    resolved: datetime | None
    began: datetime


def waves_of(events: Sequence[AlertEventRecord]) -> list[Wave]:
    """The waves of an alert from its transitions."""
    waves: list[Wave] = []
    for event in raised(events):
        if event.reason is Reason.RESOLVED:
            waves[-1] = replace(waves[-1], resolved=event.at)
        elif not waves:
            waves.append(Wave(event.at, None, event.evidence.incident_start))
        elif waves[-1].resolved is not None:
            waves.append(Wave(event.at, None, event.at))
    return waves


def open_in(waves: Sequence[Wave], since: datetime, until: datetime) -> bool:
    """Whether an alert was open at some time in [since, until)."""
    return any(
        wave.opened < until and (wave.resolved is None or wave.resolved >= since) for wave in waves
    )


def incident_of(
    alert: AlertRecord,
    events: Sequence[AlertEventRecord],
    name: str | None,
    peak: Peak | None,
    triage: TriageStatus,
    judgement: TriageStatus,
) -> Incident:
    """An alert as an incident of a digest.

    Args:
        alert: the alert.
        events: its transitions.
        name: the KOL's.
        peak: the ten minutes of its height.
        triage: its triage status.
        judgement: the same without regard to transitions: a verdict is kept when it reopens.
    """
    waves = waves_of(events)
    highest = max(
        (event.evidence for event in events if event.reason not in _ENDS),
        key=lambda evidence: _excess(alert.kind, evidence),
    )
    return Incident(
        alert_id=alert.alert_id,
        kol_id=alert.kol_id,
        name=name,
        kind=alert.kind,
        severity=max((event.severity for event in events), key=lambda severity: severity.rank),
        began=waves[0].began,
        ended=waves[-1].resolved,
        closed=triage.closed is not None,
        waves=len(waves),
        figures=_figures(highest),
        top_post=top_post_of(highest),
        peak=peak,
        verdict=verdict_of(judgement),
        judged_by=_judge(judgement),
        found_at=alert.found_at,
    )


def found_late(
    alert: AlertRecord,
    events: Sequence[AlertEventRecord],
    since: datetime,
    period: tuple[datetime, datetime],
) -> bool:
    """Whether an incident is one of before a time range, and comments that came late showed it, or
    showed it to be worse.

    Args:
        alert: the alert.
        events: its transitions.
        since: start of the range.
        period: from when to when it was found, by the clock.
    """
    if alert.resolved_at is None or alert.resolved_at >= since:
        return False
    return any(
        event.reason not in _ENDS and event.found_at is not None and _within(event.found_at, period)
        for event in events
    )


def withdrawn_in(
    alert: AlertRecord,
    events: Sequence[AlertEventRecord],
    name: str | None,
    period: tuple[datetime, datetime],
) -> WithdrawnAlert | None:
    """An alert that was withdrawn in a time range by the clock; None if it was not."""
    gone = withdrawal(events, alert.state)
    if gone is None or gone.found_at is None or not _within(gone.found_at, period):
        return None
    return WithdrawnAlert(
        alert_id=alert.alert_id,
        kol_id=alert.kol_id,
        name=name,
        kind=alert.kind,
        severity=alert.severity,
        opened_at=alert.opened_at,
        withdrawn_at=gone.found_at,
    )


def _within(at: datetime, period: tuple[datetime, datetime]) -> bool:
    return period[0] <= at < period[1]


def with_post(incident: Incident, names: PostNames) -> Incident:
    """The incident with the text and the address of its top post, where they are known."""
    if incident.top_post is None:
        return incident
    name = names.get(NamedPost(incident.kol_id, incident.top_post))
    if name is None:
        return incident
    return replace(incident, top_post_text=name.text, top_post_url=name.url)


def recoveries_of(
    alert: AlertRecord,
    events: Sequence[AlertEventRecord],
    name: str | None,
    since: datetime,
    until: datetime,
) -> list[IncidentRecovery]:
    """The recoveries of an alert in [since, until)."""
    return [
        IncidentRecovery(
            alert_id=alert.alert_id,
            kol_id=alert.kol_id,
            name=name,
            kind=alert.kind,
            began=wave.began,
            ended=wave.resolved,
        )
        for wave in waves_of(events)
        if wave.resolved is not None and since <= wave.resolved < until
    ]


def _excess(kind: str, evidence: Evidence) -> float:
    """Difference from normal: in negative comments; for kinds that only inform, in comments."""
    comments, expected = evidence.comments, evidence.expected_comments
    if kind == AlertKind.DATA_GAP:
        return expected - comments
    if kind in BY_VOLUME:
        return comments - expected
    normal = expected * evidence.expected_negative_share
    return comments * evidence.negative_share - normal


def _figures(evidence: Evidence) -> Figures:
    return Figures(
        window_start=evidence.window_start,
        window_end=evidence.window_end,
        comments=evidence.comments,
        negative_share=evidence.negative_share,
        expected_comments=evidence.expected_comments,
        expected_negative_share=evidence.expected_negative_share,
    )


def _judge(triage: TriageStatus) -> str | None:
    action = triage.false_alarm or triage.acknowledged or triage.closed
    return None if action is None else action.request.actor
