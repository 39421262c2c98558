"""Sources as they are stored, what a batch of one writes, and when one saw nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from serving.storage.follower_store import FollowerCount
from serving.storage.post_record import SentPost


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A source that somebody set up.

    Attributes:
        source_id: its id.
        type: of the registry.
        name: what people call it; unique.
        kol_id: whose comments it brings; None if its comments say it.
        platform: of its comments.
        settings: those that are no secrets.
        sealed: its secrets, encrypted; None if it has none.
        webhook_token: names its webhook; nobody can guess it.
        generation: counts the changes after which a cursor means something else.
        cursor: where each of its parts is; None before the first batch.
        created_by: who set it up.
        created_at: when, aware, UTC.
        limited: whether whoever set it up sees only some KOLs: it may bring nothing of others.
        paused_by: who paused it; None if it runs.
        paused_at: since when it is paused; None if it runs.
        success_at: when its platform last answered well or called; None before.
        comment_at: when it last brought a new comment; None before.
        accepted: new comments that it brought.
        rejected: comments that it brought and that could not be taken.
    """

    source_id: str
    type: str
    name: str
    kol_id: str | None
    platform: str
    settings: Mapping[str, Any] = field(repr=False)
    sealed: bytes | None = field(repr=False)
    webhook_token: str = field(repr=False)
    generation: int
    cursor: Mapping[str, Any] | None
    created_by: str
    created_at: datetime
    limited: bool = False
    paused_by: str | None = None
    paused_at: datetime | None = None
    success_at: datetime | None = None
    comment_at: datetime | None = None
    accepted: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class StoredRemoval:
    """A comment that was removed on its platform.

    Attributes:
        platform: where.
        comment_id: the platform's id.
        kol_id: whose stream it is in; None for every stream that has it.
        at: when that was said, aware, UTC.
    """

    platform: str
    comment_id: str
    kol_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class SourceStep:
    """What one batch of a source writes beside its comments, in the same transaction.

    Attributes:
        source_id: of the source.
        generation: that the source had; after a change of its settings the cursor is left alone.
        at: when the batch came, aware, UTC.
        cursor: where each part of the source is after it; None leaves them.
        removals: of comments.
        posts: new ones, and what is new of old ones.
        followers: counts of KOLs.
        rejected: comments of the batch that could not be taken.
        limited: whether the source may change nothing that is of another KOL.
        delivery_hash: of a call of a webhook. If it is known, nothing of the batch is written.
    """

    source_id: str
    generation: int
    at: datetime
    cursor: Mapping[str, Any] | None = None
    removals: Sequence[StoredRemoval] = ()
    posts: Sequence[SentPost] = ()
    followers: Sequence[tuple[str, FollowerCount]] = ()
    rejected: int = 0
    limited: bool = False
    delivery_hash: str | None = None


@dataclass(frozen=True, slots=True)
class SourceOutage:
    """A time in which a source saw nothing.

    Attributes:
        outage_id: its id.
        source_id: of the source, which may have been removed since.
        source_name: what people call the source.
        platform: of its comments.
        kol_id: whose comments were not seen; None if the source brings those of several.
        kind: what was wrong: a `FaultKind`.
        cause: what was wrong, in words.
        remedy: what to do, in words.
        since: the last instant of which everything is known, aware, UTC.
        opened_at: when that was noticed, aware, UTC.
        ended_at: when it saw again, aware, UTC; None while it is blind.
        caught_up: comments of that time that came after it.
    """

    outage_id: int
    source_id: str
    source_name: str
    platform: str
    kol_id: str | None
    kind: str
    cause: str
    remedy: str
    since: datetime
    opened_at: datetime
    ended_at: datetime | None
    caught_up: int
