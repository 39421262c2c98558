"""The sentences of alerts: written from the figures of their evidence, for people."""

from datetime import datetime
from typing import TYPE_CHECKING

from monitoring.drivers import Drivers
from monitoring.kinds import AlertKind

if TYPE_CHECKING:  # evidence itself puts a sentence on its drivers behind its summary
    from monitoring.evidence import Evidence

_FEW = 5  # comments of which a share says nothing
_LEAST_LOYAL = 5  # loyal fans below whom nothing is said of them
_OFFENSIVE_RISE = 0.1  # of the offensive share, from which it is worth a sentence …
_OFFENSIVE_LEAST = 20  # … of so many comments


def summarise(kind: AlertKind, kol_id: str, evidence: "Evidence") -> str:
    """What happened and what is normal, for a person who reads nothing else.

    Args:
        kind: the alert's kind.
        kol_id: whose stream.
        evidence: the figures; its own `summary` is not read.
    """
    if kind == AlertKind.COMMENT_FLOOD:
        return _summarise_flood(kol_id, evidence)
    span = f"the last {_span((evidence.window_end - evidence.window_start).total_seconds() / 60)}"
    share = f"{evidence.negative_share:.0%}"
    if kind == AlertKind.PRAISE_SURGE:
        return (
            f"Praise for @{kol_id}: {evidence.comments} comments in {span}, {share} of them "
            f"negative. {_normal(kind, evidence)}"
        )
    if kind == AlertKind.ATTENTION_SURGE:
        return (
            f"Comments on @{kol_id} surged to {evidence.comments} in {span}, {share} of them "
            f"negative. Normal in that time: about {evidence.expected_comments:.0f}."
        )
    figures = f"({evidence.negative:.0f} of {evidence.comments}) in {span}"
    found = {
        AlertKind.BRIGADE: (
            f"A few accounts are pushing negative comments on @{kol_id}: {share} {figures}."
        ),
        AlertKind.FLIP: (
            f"The mood on @{kol_id} turned while the number of comments stayed normal: "
            f"{share} negative {figures}."
        ),
        AlertKind.SLOW_BURN: (
            f"Negative comments on @{kol_id} have been growing: {share} {figures}."
        ),
    }.get(kind, f"Negative comments on @{kol_id} jumped to {share} {figures}.")
    return f"{found} {_normal(kind, evidence)}"


def _normal(kind: AlertKind, evidence: "Evidence") -> str:
    """A second sentence: what is normal at that hour."""
    if round(evidence.expected_comments) == 0:
        return "Normal at this hour: almost no comments."
    about = f"about {evidence.expected_comments:.0f}"
    if kind == AlertKind.PRAISE_SURGE:
        return f"Normal at this hour: {about}."
    return f"Normal at this hour: {evidence.expected_negative_share:.0%} of {about}."


def _summarise_flood(kol_id: str, evidence: "Evidence") -> str:
    """From what its one detector judged; at an end there may be nothing to judge."""
    (score,) = evidence.scores
    n, copies, usual = (score.inputs.get(name, 0.0) for name in ("n", "k", "p"))
    return (
        f"{copies / max(n, 1.0):.0%} of {n:.0f} comments on @{kol_id} in the last "
        f"{_span(score.scale_minutes)} are near-identical. Normal: {usual:.0%}."
    )


def remarks(drivers: Drivers, comments: int) -> str:
    """What the loyal do, and whether the tone is rougher than normal; empty if neither is much."""
    parts = []
    who = drivers.audience
    if who.loyal is not None and who.loyal >= _LEAST_LOYAL:
        parts.append(
            f"Of {who.loyal} loyal fans who commented, {who.loyal_turned} turned negative and "
            f"{who.loyal_defending} stayed positive."
        )
    now, usual = drivers.offensive_share, drivers.offensive_usual
    rise = 0.0 if now is None or usual is None else now - usual
    if rise >= _OFFENSIVE_RISE and comments >= _OFFENSIVE_LEAST:
        parts.append(f"{now:.0%} of the comments are offensive. Normal: {usual:.0%}.")
    return " ".join(parts)


def summarise_end(kol_id: str, now: datetime, evidence: "Evidence") -> str:
    """One sentence on an incident that is over.

    Args:
        kol_id: whose stream.
        now: event time of the resolution.
        evidence: the figures of the last half hour.
    """
    span = _span((now - evidence.incident_start).total_seconds() / 60)
    if evidence.comments < _FEW:
        now_is = (
            f"{evidence.comments} comments in the last half hour; "
            f"normal: about {evidence.expected_comments:.0f}"
        )
    else:
        now_is = (
            f"{evidence.negative_share:.0%} of the last {evidence.comments} comments are negative; "
            f"normal: {evidence.expected_negative_share:.0%}"
        )
    return f"Over after {span} on @{kol_id}. {now_is}."


def summarise_attention_end(kol_id: str, now: datetime, evidence: "Evidence") -> str:
    """One sentence on attention that is over.

    Args:
        kol_id: whose stream.
        now: event time of the resolution.
        evidence: the figures of the last day.
    """
    lasted = _span((now - evidence.incident_start).total_seconds() / 60)
    span = _span((evidence.window_end - evidence.window_start).total_seconds() / 60)
    return (
        f"Over after {lasted} on @{kol_id}. {evidence.comments} comments in the last {span}; "
        f"normal: about {evidence.expected_comments:.0f}."
    )


def summarise_gap(kol_id: str, evidence: "Evidence") -> str:
    """What a long silence says of a data feed, from its figures."""
    span = _span((evidence.window_end - evidence.window_start).total_seconds() / 60)
    return (
        f"No comments on @{kol_id} for {span}. Normal in that time: about "
        f"{evidence.expected_comments:.0f}. A platform or a data feed may be down."
    )


def summarise_return(kol_id: str, minutes: int, evidence: "Evidence") -> str:
    """One sentence on the end of such a silence.

    Args:
        kol_id: whose stream.
        minutes: of silence.
        evidence: the figures up to the first minute with comments.
    """
    return (
        f"Comments on @{kol_id} are back after {_span(minutes)} without any. Normal in that time: "
        f"about {evidence.expected_comments:.0f}."
    )


def _span(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
