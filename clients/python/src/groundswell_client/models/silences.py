"""Silences: which alerts send no notifications, until when and why."""

from datetime import datetime

import msgspec

from groundswell_client.record import Record


class SilenceInfo(Record, frozen=True, kw_only=True):
    """A silence.

    Attributes:
        state: "pending", "active" or "expired".
        kols: only these; None for all. So with the next three.
        posts: top posts of the alerts.
        max_severity: this severity and below.
        expired_by: who ended it early; None if nobody did.
    """

    silence_id: int
    state: str
    kols: tuple[str, ...] | None
    kinds: tuple[str, ...] | None
    posts: tuple[str, ...] | None
    max_severity: str | None
    starts_at: datetime
    ends_at: datetime
    reason: str
    created_by: str
    created_at: datetime
    expired_by: str | None
    expired_at: datetime | None


class SilenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A silence to add. An alert is silenced if it matches every field that is not None; at least
    one of the first four must be given.

    Attributes:
        starts_at: aware; None for now.
        ends_at: aware, at most 366 days ahead.
        actor: who adds it; None for who is signed in, or the key.
    """

    kols: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    posts: tuple[str, ...] | None = None
    max_severity: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime
    reason: str
    actor: str | None = None
