"""Sources: what brings comments by itself, and when it could not."""

from datetime import datetime
from typing import Any

from groundswell_client.record import Record


class SourceInfo(Record, frozen=True, kw_only=True):
    """A source and how it is doing. Its secrets are never shown."""

    source_id: str
    type: str
    name: str
    platform: str
    kol_id: str | None
    settings: dict[str, Any]
    webhook_url: str | None
    state: str
    last_success_at: datetime | None
    last_comment_at: datetime | None
    accepted: int
    rejected: int
    rejected_why: str | None
    error_kind: str | None
    error: str | None
    remedy: str | None
    blind_since: datetime | None
    delay_seconds: float | None
    backlog: int | None
    quota_left: int | None
    clock_skew_seconds: float | None
    next_at: datetime | None
    created_by: str
    created_at: datetime
    paused_by: str | None
    paused_at: datetime | None


class SettingInfo(Record, frozen=True, kw_only=True):
    """One setting of a type of source.

    Attributes:
        kind: how it is asked for: "text", "secret", "number", "yes_no", "choice", "list", "table".
        advanced: whether hardly anybody changes it.
    """

    name: str
    title: str
    help: str
    kind: str
    required: bool
    default: Any
    choices: tuple[str, ...]
    advanced: bool


class SourceTypeInfo(Record, frozen=True, kw_only=True):
    """A type of source, and what it asks for."""

    type: str
    title: str
    about: str
    platform: str | None
    shapes: tuple[str, ...]
    needs_kol: bool
    settings: tuple[SettingInfo, ...]


class PreviewedCommentInfo(Record, frozen=True, kw_only=True):
    """A comment as its platform gives it."""

    comment_id: str
    text: str
    created_at: str
    post_id: str | None
    author_id: str | None


class SourcePreviewInfo(Record, frozen=True, kw_only=True):
    """What a source brings, what it cannot see, and what it costs."""

    account: str
    sees: tuple[str, ...]
    cannot_see: tuple[str, ...]
    costs: tuple[str, ...]
    comments: tuple[PreviewedCommentInfo, ...]


class OutageInfo(Record, frozen=True, kw_only=True):
    """A time in which a source saw nothing."""

    outage_id: int
    source_id: str
    source: str
    platform: str
    kol_id: str | None
    kind: str
    cause: str
    remedy: str
    since: datetime
    opened_at: datetime
    ended_at: datetime | None
    caught_up: int
