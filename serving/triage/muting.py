"""Whether people are told of an alert now. Always computed, never stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from serving.triage.silences import Silence
from serving.triage.triage_status import TriageStatus


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """What people made of an alert, and whether others hear of it.

    Attributes:
        triage: where they stand with it.
        muted: why nobody is told now, in a few words; None if people are told.
    """

    triage: TriageStatus
    muted: str | None


def alert_status(
    alert: Mapping[Any, Any], triage: TriageStatus, silences: Sequence[Silence], now: datetime
) -> AlertStatus:
    """How an alert stands.

    Args:
        alert: its `kol_id`, `kind`, `severity` and `evidence` (as JSON).
        triage: where people stand with it.
        silences: those to be asked.
        now: the instant.
    """
    return AlertStatus(triage, _muted(alert, triage, silences, now))


def _muted(
    alert: Mapping[Any, Any], triage: TriageStatus, silences: Sequence[Silence], now: datetime
) -> str | None:
    if triage.closed is not None:
        what = "a false alarm" if triage.closed.request.verb == "false_alarm" else "resolved"
        return f"{what}, says {triage.closed.request.actor}"
    if triage.snoozed is not None and triage.snoozed.request.until is not None:
        until = triage.snoozed.request.until.astimezone(UTC)
        return f"snoozed until {until:%Y-%m-%d %H:%M} UTC by {triage.snoozed.request.actor}"
    top_post = top_post_of(alert["evidence"])
    for silence in silences:
        if silence.state(now) == "active" and silence.matchers.match(
            kol_id=alert["kol_id"],
            kind=alert["kind"],
            severity=alert["severity"],
            top_post=top_post,
        ):
            return f"silenced by {silence.silence_id}"
    return None


def top_post_of(evidence: Mapping[str, Any]) -> str | None:
    """The post that drives an alert most; None where none is known."""
    posts = (evidence["drivers"] or {}).get("posts", [])
    return posts[0]["post_id"] if posts else None
