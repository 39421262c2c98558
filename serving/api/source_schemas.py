"""Schemas of sources: what brings comments by itself, and when it could not."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from serving.api.kol_params import RawKolId
from serving.sources.faults import FaultKind
from serving.sources.registry import SourceType
from serving.sources.source import SourcePreview
from serving.sources.source_batch import SourceComment
from serving.sources.source_service import SourceDraft
from serving.sources.source_status import SourceState, SourceStatus
from serving.sources.spec import FieldKind, SettingField, fields_of
from serving.storage.source_record import SourceOutage, SourceRecord

_SourceName = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]
_Settings = Annotated[dict[str, Any], Field(max_length=100)]


class SourceIn(BaseModel):
    """A source to add or to try."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(min_length=1, max_length=32, description="One of `GET /v1/source-types`.")
    name: _SourceName = Field(description="What people call it; no two sources have the same.")
    kol_id: RawKolId | None = Field(
        None, description="Whose comments it brings; null if its comments say it."
    )
    settings: _Settings = Field(
        default_factory=dict,
        description="Of its type. A secret is kept encrypted; instead of it, `env:NAME` and"
        " `file:NAME` name a variable or a file of the service.",
    )

    def draft(self, kol_id: str | None, *, limited: bool) -> SourceDraft:
        """As it is added.

        Args:
            kol_id: the KOL, looked up.
            limited: whether whoever asks sees only some KOLs.
        """
        return SourceDraft(self.type, self.name, kol_id, self.settings, limited)


class SourceChange(BaseModel):
    """What to change of a source; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: _SourceName | None = None
    kol_id: RawKolId | None = Field(None, description="Its history is read anew then.")
    settings: _Settings | None = Field(
        None, description="Those to change, secrets too; null takes one away."
    )


class SourceOut(BaseModel):
    """A source and how it is doing. Its secrets are never shown."""

    source_id: str
    type: str
    name: str
    platform: str
    kol_id: str | None = Field(description="Whose comments it brings; null if they say it.")
    settings: dict[str, Any] = Field(description="Those that are no secrets.")
    webhook_url: str | None = Field(
        description="What to enter at the platform, for the scope `manage` only; null if it is not"
        " called, or the service has no public URL."
    )
    state: SourceState
    last_success_at: datetime | None = Field(
        description="When its platform last answered well or called."
    )
    last_comment_at: datetime | None = Field(description="When it last brought a new comment.")
    accepted: int = Field(description="New comments that it brought.")
    rejected: int = Field(description="Comments that it brought and that could not be taken.")
    rejected_why: str | None = Field(description="Why the last of those could not be taken.")
    error_kind: FaultKind | None = Field(description="What is wrong now.")
    error: str | None = Field(description="What is wrong, in words.")
    remedy: str | None = Field(description="What to do about it.")
    blind_since: datetime | None = Field(
        description="It has seen nothing since then; null while it sees."
    )
    delay_seconds: float | None = Field(
        description="From the writing of comments to their commit, in the last batch."
    )
    backlog: int | None = Field(description="Comments that are known to wait on the platform.")
    quota_left: int | None = Field(description="Units that are left of its budget.")
    clock_skew_seconds: float | None = Field(description="How far the platform's clock is ahead.")
    next_at: datetime | None = Field(description="When it asks next.")
    created_by: str
    created_at: datetime
    paused_by: str | None
    paused_at: datetime | None

    @classmethod
    def of(cls, source: SourceRecord, status: SourceStatus, webhook_url: str | None) -> Self:
        """A source as its reader sees it."""
        return cls(
            source_id=source.source_id,
            type=source.type,
            name=source.name,
            platform=source.platform,
            kol_id=source.kol_id,
            settings=dict(source.settings),
            webhook_url=webhook_url,
            state=status.state,
            last_success_at=status.success_at,
            last_comment_at=source.comment_at,
            accepted=source.accepted,
            rejected=source.rejected,
            rejected_why=status.rejected_why,
            error_kind=None if status.kind is None else FaultKind(status.kind),
            error=status.error,
            remedy=status.remedy,
            blind_since=status.blind_since,
            delay_seconds=status.arrival,
            backlog=status.backlog,
            quota_left=status.quota_left,
            clock_skew_seconds=status.skew,
            next_at=status.next_at,
            created_by=source.created_by,
            created_at=source.created_at,
            paused_by=source.paused_by,
            paused_at=source.paused_at,
        )


class SourceList(BaseModel):
    """The sources, by name."""

    items: list[SourceOut]


class SettingFieldOut(BaseModel):
    """One setting of a type of source."""

    name: str
    title: str
    help: str
    kind: FieldKind
    required: bool
    default: Any
    choices: list[str]
    advanced: bool = Field(description="Whether hardly anybody changes it.")

    @classmethod
    def of(cls, field: SettingField) -> Self:
        """A setting as its reader sees it."""
        return cls(
            name=field.name,
            title=field.title,
            help=field.help,
            kind=field.kind,
            required=field.required,
            default=field.default,
            choices=list(field.choices),
            advanced=field.advanced,
        )


class SourceTypeOut(BaseModel):
    """A type of source, and what it asks for."""

    type: str
    title: str
    about: str
    platform: str | None = Field(description="Of its comments; null if a setting says it.")
    shapes: list[str] = Field(description="`webhook`, `poll`, `stream`.")
    needs_kol: bool = Field(description="Whether it brings the comments of one KOL.")
    settings: list[SettingFieldOut]

    @classmethod
    def of(cls, source_type: SourceType[Any]) -> Self:
        """A type as its reader sees it."""
        return cls(
            type=source_type.name,
            title=source_type.title,
            about=source_type.about,
            platform=source_type.platform,
            shapes=list(source_type.shapes),
            needs_kol=source_type.needs_kol,
            settings=[SettingFieldOut.of(field) for field in fields_of(source_type.spec)],
        )


class SourceTypeList(BaseModel):
    """The types of source, by name."""

    items: list[SourceTypeOut]


class PreviewedComment(BaseModel):
    """A comment as the platform gives it."""

    comment_id: str
    text: str
    created_at: str = Field(description="As the platform writes it.")
    post_id: str | None
    author_id: str | None

    @classmethod
    def of(cls, comment: SourceComment) -> Self:
        """A comment as its reader sees it."""
        return cls(
            comment_id=comment.comment_id,
            text=comment.text,
            created_at=str(comment.created_at),
            post_id=comment.post_id,
            author_id=comment.author_id,
        )


class SourcePreviewOut(BaseModel):
    """What a source brings."""

    account: str = Field(description="What it reads.")
    sees: list[str]
    cannot_see: list[str]
    costs: list[str]
    comments: list[PreviewedComment] = Field(description="The newest, at most ten.")

    @classmethod
    def of(cls, preview: SourcePreview) -> Self:
        """A preview as its reader sees it."""
        return cls(
            account=preview.account,
            sees=list(preview.sees),
            cannot_see=list(preview.cannot_see),
            costs=list(preview.costs),
            comments=[PreviewedComment.of(comment) for comment in preview.comments],
        )


class OutageOut(BaseModel):
    """A time in which a source saw nothing."""

    outage_id: int
    source_id: str
    source: str = Field(description="What people call the source.")
    platform: str
    kol_id: str | None = Field(description="Whose comments were not seen; null for several.")
    kind: FaultKind
    cause: str
    remedy: str = Field(description="What to do about it.")
    since: datetime = Field(description="The last instant of which everything is known.")
    opened_at: datetime = Field(description="When it was noticed.")
    ended_at: datetime | None = Field(description="When the source saw again.")
    caught_up: int = Field(description="Comments of that time that came after it.")

    @classmethod
    def of(cls, outage: SourceOutage) -> Self:
        """An outage as its reader sees it."""
        return cls(
            outage_id=outage.outage_id,
            source_id=outage.source_id,
            source=outage.source_name,
            platform=outage.platform,
            kol_id=outage.kol_id,
            kind=FaultKind(outage.kind),
            cause=outage.cause,
            remedy=outage.remedy,
            since=outage.since,
            opened_at=outage.opened_at,
            ended_at=outage.ended_at,
            caught_up=outage.caught_up,
        )


class OutageList(BaseModel):
    """Outages, last noticed first."""

    items: list[OutageOut]
    next_cursor: str | None
