"""Silences: until a time, nobody is notified of the alerts that they match."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitoring.kinds import Severity
from serving.errors import InvalidRequest

LONGEST = timedelta(days=366)
ARCHIVED = "the KOL is archived"


class SilenceState(StrEnum):
    """Whether a silence is still to come, works, or is over."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Matchers:
    """Which alerts a silence matches: those that pass every matcher.

    Attributes:
        kols: ids of the KOLs; None for all.
        kinds: kinds of alert; None for all.
        posts: the alert's top post must be among these; None for any, and for none.
        max_severity: the highest severity that it matches; None for all.
    """

    kols: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    posts: frozenset[str] | None = None
    max_severity: Severity | None = None

    def match(self, *, kol_id: str, kind: str, severity: str, top_post: str | None) -> bool:
        """Whether an alert passes, as it is now."""
        return (
            (self.kols is None or kol_id in self.kols)
            and (self.kinds is None or kind in self.kinds)
            and (self.posts is None or top_post in self.posts)
            and (
                self.max_severity is None
                or Severity(severity).rank <= Severity(self.max_severity).rank
            )
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence as it was made, and when it was ended early.

    Attributes:
        silence_id: its number; 0 before it is written.
        matchers: which alerts it mutes.
        starts_at: first instant, aware.
        ends_at: first instant past it, aware.
        reason: why.
        created_by: who made it.
        created_at: when, by the clock.
        expired_by: who ended it early; None if nobody did.
        expired_at: when that was.
    """

    silence_id: int
    matchers: Matchers
    starts_at: datetime
    ends_at: datetime
    reason: str
    created_by: str
    created_at: datetime
    expired_by: str | None = None
    expired_at: datetime | None = None

    @property
    def muting(self) -> str:
        """Why the alerts that it matches are muted, in a few words."""
        return f"silenced by {self.silence_id}" if self.silence_id else self.reason

    def state(self, now: datetime) -> SilenceState:
        """Whether it is still to come, works, or is over."""
        if self.expired_at is not None or now >= self.ends_at:
            return SilenceState.EXPIRED
        return SilenceState.ACTIVE if now >= self.starts_at else SilenceState.PENDING


def of_archived(kols: frozenset[str], now: datetime) -> Silence:
    """What mutes the alerts of KOLs that are archived; it is never written."""
    return Silence(
        silence_id=0,
        matchers=Matchers(kols=kols),
        starts_at=now,
        ends_at=now + LONGEST,
        reason=ARCHIVED,
        created_by="",
        created_at=now,
    )


def check_span(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Refuse a silence of no or endless length.

    Raises:
        InvalidRequest: `invalid_range`, with the field at fault.
    """
    said = None
    if ends_at <= now:
        said = "lies in the past; give an instant still to come"
    elif ends_at <= starts_at:
        said = "must lie after starts_at"
    elif ends_at - now > LONGEST:
        said = f"lies more than {LONGEST.days} days ahead; silence for less and do it again"
    if said is not None:
        raise InvalidRequest("invalid_range", f"ends_at {said}", field="ends_at")
