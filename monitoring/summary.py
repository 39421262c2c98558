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
    """One sentence from the figures of `evidence`, for a person who reads nothing else.

    Args:
        kind: the alert's kind.
        kol_id: whose stream.
        evidence: the figures; its own `summary` is not read.
    """
    span = _span((evidence.window_end - evidence.window_start).total_seconds() / 60)
    if kind == AlertKind.PRAISE_SURGE:
        return (
            f"Praise for @{kol_id}: {evidence.comments} comments in {span}, "
            f"{evidence.negative_share:.0%} of them negative; "
            f"{evidence.expected_comments:.0f} comments are usual at this hour."
        )
    if kind == AlertKind.COMMENT_FLOOD:
        return _summarise_flood(kol_id, evidence)
    lead = {
        AlertKind.BRIGADE: "A few accounts push negative comments on",
        AlertKind.FLIP: "The mood turned at usual volume on",
        AlertKind.SLOW_BURN: "Negative comments have been growing on",
    }.get(kind, "Negative comments rose on")
    return (
        f"{lead} @{kol_id}: {evidence.negative_share:.0%} of {evidence.comments} in {span}; "
        f"{evidence.expected_negative_share:.0%} of {evidence.expected_comments:.0f} is usual."
    )


def _summarise_flood(kol_id: str, evidence: "Evidence") -> str:
    """From what its one detector judged; at an end there may be nothing to judge."""
    (score,) = evidence.scores
    n, copies, usual = (score.inputs.get(name, 0.0) for name in ("n", "k", "p"))
    return (
        f"Near-copies make {copies / max(n, 1.0):.0%} of {n:.0f} comments on @{kol_id} in "
        f"{_span(score.scale_minutes)}; usually {usual:.0%}."
    )


def remarks(drivers: Drivers, comments: int) -> str:
    """What the loyal do, and whether the tone is rougher than usual; empty if neither is much."""
    parts = []
    who = drivers.audience
    if who.loyal is not None and who.loyal >= _LEAST_LOYAL:
        parts.append(
            f"Of {who.loyal} loyal fans who write, {who.loyal_turned} turned negative and "
            f"{who.loyal_defending} stay positive."
        )
    now, usual = drivers.offensive_share, drivers.offensive_usual
    rise = 0.0 if now is None or usual is None else now - usual
    if rise >= _OFFENSIVE_RISE and comments >= _OFFENSIVE_LEAST:
        parts.append(f"{now:.0%} of the comments are offensive; {usual:.0%} is usual.")
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
        now_it_is = (
            f"{evidence.comments} comments in the last half hour, "
            f"{evidence.expected_comments:.0f} are usual"
        )
    else:
        now_it_is = (
            f"{evidence.negative_share:.0%} of the last {evidence.comments} comments are negative, "
            f"{evidence.expected_negative_share:.0%} is usual"
        )
    return f"Over after {span} on @{kol_id}: {now_it_is}."


def summarise_gap(kol_id: str, evidence: "Evidence") -> str:
    """One sentence on a silence that tells of a broken stream, from its figures."""
    span = _span((evidence.window_end - evidence.window_start).total_seconds() / 60)
    return (
        f"No comments on @{kol_id} for {span}; {evidence.expected_comments:.0f} are usual in that "
        "time. A platform or a feed may be down."
    )


def summarise_return(kol_id: str, minutes: int, held_back: bool, evidence: "Evidence") -> str:
    """One sentence on the end of such a silence.

    Args:
        kol_id: whose stream.
        minutes: of silence.
        held_back: what came was written before the silence was reported, and arrived only now.
        evidence: the figures up to the first minute with comments.
    """
    if held_back:
        return f"Comments that were missing on @{kol_id} have arrived."
    return (
        f"Comments come again on @{kol_id} after {_span(minutes)} without any; "
        f"{evidence.expected_comments:.0f} are usual in that time."
    )


def _span(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
