"""Whether people are told of an alert now. Always computed, never stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from serving.triage.silences import Silence
from serving.triage.work import Work


@dataclass(frozen=True, slots=True)
class Standing:
    """What people made of an alert, and whether others hear of it.

    Attributes:
        work: where they stand with it.
        muted: why nobody is told now, in a few words; None if people are told.
    """

    work: Work
    muted: str | None


def standing(
    alert: Mapping[Any, Any], work: Work, silences: Sequence[Silence], now: datetime
) -> Standing:
    """How an alert stands.

    Args:
        alert: its `kol_id`, `kind`, `severity` and `evidence` (as JSON).
        work: where people stand with it.
        silences: those to be asked.
        now: the instant.
    """
    return Standing(work, _muted(alert, work, silences, now))


def _muted(
    alert: Mapping[Any, Any], work: Work, silences: Sequence[Silence], now: datetime
) -> str | None:
    if work.closed is not None:
        what = "a false alarm" if work.closed.deed.verb == "false_alarm" else "resolved"
        return f"{what}, says {work.closed.deed.actor}"
    if work.snoozed is not None and work.snoozed.deed.until is not None:
        until = work.snoozed.deed.until.astimezone(UTC)
        return f"snoozed until {until:%Y-%m-%d %H:%M} UTC by {work.snoozed.deed.actor}"
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
