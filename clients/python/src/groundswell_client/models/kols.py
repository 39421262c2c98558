"""KOLs, their mood, and the policy that each is judged by."""

from datetime import datetime

import msgspec

from groundswell_client.record import Record


class KolProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What you can tell the service about a KOL.

    Attributes:
        handles: platform -> account name; comments may name the KOL by it.
        followers: over all platforms, now.
        tier: "nano", "micro", "mid", "macro" or "mega".
        relation: "in_house" or "partner".
    """

    name: str | None = None
    handles: dict[str, str] = msgspec.field(default_factory=dict)
    followers: int | None = None
    tier: str | None = None
    relation: str | None = None


class FollowerCountInfo(Record, frozen=True, kw_only=True):
    """How many followers a KOL had at an instant, over all platforms."""

    at: datetime
    followers: int


class KolStatusInfo(Record, frozen=True, kw_only=True):
    """A KOL's stream as of its last comment.

    Attributes:
        watermark: minutes before this event time are closed.
        score: the strongest detector over its threshold; 1 raises an alert.
        negative_share: of the last half hour, 0 to 1.
        mood: of the last half hour, -1 to 1.
        expected_negative_share: normal for this KOL.
        comments_per_hour: of the last half hour.
        expected_comments_per_hour: normal at this hour.
        alert_id: the open backlash alert.
        severity: of that alert.
        late: comments that came too late for detection.
        duplicates: repeats inside an open minute.
        learning: too little has been seen to know what is normal.
    """

    kol_id: str
    watermark: datetime | None
    score: float
    negative_share: float
    mood: float
    expected_negative_share: float
    comments_per_hour: float
    expected_comments_per_hour: float
    alert_id: str | None
    severity: str | None
    late: int
    duplicates: int
    learning: bool


class PlatformDelayInfo(Record, frozen=True, kw_only=True):
    """How late the comments of a KOL on one platform usually arrive.

    Attributes:
        comments: live ones, not older than a week when they arrived.
        delay_p10_seconds: one comment in ten arrives sooner; None until the delay is known.
        delay_p90_seconds: one comment in ten arrives later; None until the delay is known.
        says: the delay in words.
    """

    platform: str
    comments: int
    delay_p10_seconds: float | None
    delay_p90_seconds: float | None
    says: str


class KolAliasInfo(Record, frozen=True, kw_only=True):
    """An id that leads to a KOL.

    Attributes:
        kind: "renamed" or "merged".
        actor: who did it.
    """

    kol_id: str
    kind: str
    actor: str
    at: datetime


class KolInfo(Record, frozen=True, kw_only=True):
    """A KOL.

    Attributes:
        registered_at: when its profile, or its first comment, arrived.
        duplicates: comments that were sent more than once.
        archived_at: since when it is archived; None if it is not.
        aliases: ids that lead to it.
        sources: the platforms that live comments came from.
        status: None before its first comment was processed.
    """

    kol_id: str
    name: str | None
    handles: dict[str, str]
    followers: int | None
    tier: str | None
    relation: str | None
    registered_at: datetime
    duplicates: int
    archived_at: datetime | None = None
    aliases: tuple[KolAliasInfo, ...] = ()
    sources: tuple[PlatformDelayInfo, ...] = ()
    status: KolStatusInfo | None


class MoodPointInfo(Record, frozen=True, kw_only=True):
    """One step of a KOL's mood.

    Attributes:
        start: its first instant.
        comments: written in it.
        negative_share: mean of P(negative), 0 to 1.
        positive_share: mean of P(positive), 0 to 1.
        mood: mean of P(positive) - P(negative), -1 to 1.
    """

    start: datetime
    comments: int
    negative_share: float
    positive_share: float
    mood: float


class MoodInfo(Record, frozen=True, kw_only=True):
    """A KOL's mood over time.

    Attributes:
        step: seconds a point.
        points: steps with comments, oldest first.
    """

    kol_id: str
    since: datetime
    until: datetime
    step: int
    points: tuple[MoodPointInfo, ...]


class PolicyValues(Record, frozen=True, kw_only=True):
    """The values of a policy.

    Attributes:
        sensitivity: false pages a month that are accepted.
        minimum_negative: negative comments that an incident must hold.
        critical_ratio: an incident is critical from so many times the normal negatives an hour …
        critical_share: … with at least this share of the comments negative, 0 to 1 …
        critical_negative: … and at least so many negative comments.
    """

    sensitivity: float
    minimum_negative: float
    critical_ratio: float
    critical_share: float
    critical_negative: float


class OverrideInfo(Record, frozen=True, kw_only=True):
    """A value that somebody set for one KOL."""

    value: float
    actor: str
    at: datetime


class PolicyChangeInfo(Record, frozen=True, kw_only=True):
    """One change of a KOL's policy.

    Attributes:
        overrides: name -> value; None removed an override.
    """

    change_id: int
    overrides: dict[str, float | None]
    actor: str
    at: datetime


class PolicyInfo(Record, frozen=True, kw_only=True):
    """The policy that a KOL is judged by.

    Attributes:
        effective: the values in use.
        overridden: those that were set for this KOL, by name.
        in_force: False while comments that arrived before the last change wait to be processed.
        changes: last made first.
    """

    effective: PolicyValues
    overridden: dict[str, OverrideInfo]
    in_force: bool
    changes: tuple[PolicyChangeInfo, ...]
