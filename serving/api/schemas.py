"""The bodies of requests and answers."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from model.types import Sentiment
from monitoring.kinds import AlertKind, Severity
from serving.delivery_state import DeliveryState
from serving.ingest.comment import MAX_LIKES, short_enough, storable
from serving.storage.comment_log import ListedComment
from serving.storage.delivery_record import Delivery
from serving.storage.digest_record import Every
from serving.storage.kol_store import KolRecord
from serving.storage.notification_reason import NotificationReason

Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
    BeforeValidator(storable),
]
Tier = Literal["nano", "micro", "mid", "macro", "mega"]
Relation = Literal["in_house", "partner"]


class FaultOut(BaseModel):
    """Why an item was rejected."""

    code: str = Field(description="Stable; docs/errors.md lists them all.")
    field: str | None = Field(description="The field at fault; null where the whole item is.")
    message: str


class ReceiptOut(BaseModel):
    """What became of one item."""

    index: int = Field(description="Its place in the request, from 0; for NDJSON the line.")
    platform: str | None
    comment_id: str | None
    status: Literal["accepted", "duplicate", "rejected"]
    error: FaultOut | None = None


class SubmissionOut(BaseModel):
    """What became of a submission; sent after the commit."""

    accepted: int
    duplicates: int
    rejected: int
    items: list[ReceiptOut] = Field(
        description="Every item of a JSON request; of NDJSON the rejected ones, the first 1,000."
    )


class ScoreIn(BaseModel):
    """Texts to score."""

    model_config = ConfigDict(extra="forbid")

    texts: list[Annotated[str, AfterValidator(short_enough), BeforeValidator(storable)]] = Field(
        description="At most 64 KiB each; any language."
    )


class PredictionOut(BaseModel):
    """What the model says of one text."""

    negative: float
    neutral: float
    positive: float
    offensive: float | None = Field(description="Null where the model has no such head.")
    label: Sentiment
    empty: bool = Field(description="Nothing to read; neutral by definition.")
    windows: int = Field(description="How many pieces a long text was read in.")
    language: str = Field(
        description="ISO 639-1 code, a longer one where a language has none; und: unknown."
    )
    in_scope: bool = Field(
        description="False: unlike what the model was measured on (a language without figures, no "
        "letters, mostly unknown characters, or too long to be read whole)."
    )


class ScoreOut(BaseModel):
    """Predictions, in the order of the texts."""

    model: str = Field(description="The id of the weights.")
    predictions: list[PredictionOut]


class KolIn(BaseModel):
    """A KOL's profile. What is left out is cleared."""

    model_config = ConfigDict(extra="forbid")

    name: Line | None = None
    handles: dict[Line, Line] = Field({}, max_length=50, description="Platform to handle.")
    followers: int | None = Field(None, ge=0, le=MAX_LIKES)
    tier: Tier | None = None
    relation: Relation | None = None


class KolStatusOut(BaseModel):
    """The state of a KOL's stream, as of its last comment."""

    model_config = ConfigDict(from_attributes=True)

    kol_id: str
    watermark: datetime | None = Field(description="Minutes before this event time are closed.")
    score: float = Field(description="The strongest detector over its threshold; 1 alerts.")
    negative_share: float = Field(description="Of the last half hour, 0 to 1.")
    mood: float = Field(description="Of the last half hour, -1 to 1.")
    expected_negative_share: float = Field(description="Usual for this KOL.")
    comments_per_hour: float = Field(description="Of the last half hour.")
    expected_comments_per_hour: float = Field(description="Usual for this KOL at this hour.")
    alert_id: str | None = Field(description="The open backlash alert.")
    severity: Severity | None = Field(description="Of that alert.")
    late: int = Field(description="Comments too late to be used for detection.")
    duplicates: int = Field(description="Repeats inside an open minute.")
    learning: bool = Field(description="Too little has been seen to know what is usual.")


class KolOut(BaseModel):
    """A KOL, and the state of its stream."""

    kol_id: str
    name: str | None
    handles: dict[str, str]
    followers: int | None
    tier: Tier | None
    relation: Relation | None
    registered_at: datetime
    duplicates: int = Field(description="Comments that were sent again.")
    status: KolStatusOut | None = Field(description="Null before the first processed comment.")

    @classmethod
    def of(cls, kol: KolRecord, **more: object) -> Self:
        """A KOL as its reader sees it; `more` are the further fields of a subclass."""
        status = None if kol.status is None else KolStatusOut.model_validate(kol.status)
        return cls.model_validate(
            asdict(kol.profile)
            | {
                "kol_id": kol.kol_id,
                "registered_at": kol.registered_at,
                "duplicates": kol.duplicates,
                "status": status,
            }
            | more
        )


class KolPage(BaseModel):
    """KOLs by id."""

    items: list[KolOut]
    next_cursor: str | None


class MoodPointOut(BaseModel):
    """One step of a KOL's mood; steps without comments are left out."""

    start: datetime
    comments: int
    negative_share: float = Field(description="Mean of P(negative), 0 to 1.")
    positive_share: float = Field(description="Mean of P(positive), 0 to 1.")
    mood: float = Field(description="Mean of P(positive) - P(negative), -1 to 1.")


class MoodOut(BaseModel):
    """A KOL's mood over time."""

    kol_id: str
    since: AwareDatetime
    until: AwareDatetime
    step: int = Field(description="Seconds.")
    points: list[MoodPointOut]


class CommentOut(BaseModel):
    """A comment with its scores; these are null until it has been processed."""

    platform: str
    comment_id: str
    kol_id: str
    text: str
    created_at: datetime
    received_at: datetime
    post_id: str | None
    author_id: str | None
    parent_id: str | None
    lang: str | None
    likes: int | None
    negative: float | None
    neutral: float | None
    positive: float | None
    offensive: float | None

    @classmethod
    def of(cls, listed: ListedComment) -> Self:
        """A comment as its reader sees it."""
        comment, scores = listed.logged.comment, listed.scores
        return cls(
            platform=comment.platform,
            comment_id=comment.comment_id,
            kol_id=comment.kol_id,
            text=comment.text,
            created_at=comment.created_at,
            received_at=listed.logged.received_at,
            post_id=comment.post_id,
            author_id=comment.author_id,
            parent_id=comment.parent_id,
            lang=comment.lang,
            likes=comment.likes,
            negative=None if scores is None else scores.negative,
            neutral=None if scores is None else scores.neutral,
            positive=None if scores is None else scores.positive,
            offensive=None if scores is None else scores.offensive,
        )


class CommentPage(BaseModel):
    """Comments, newest first."""

    items: list[CommentOut]
    next_cursor: str | None


class DeliveryOut(BaseModel):
    """News of an alert, or a digest, on its way to a channel."""

    delivery_id: int
    key: str = Field(description="The idempotency key that the channel is given.")
    channel: str
    payload: Literal["alert", "digest"] | None = Field(
        description="What it carries; null where this version cannot read it."
    )
    alert_id: str | None = Field(description="This and the next five: null for a digest.")
    kol_id: str | None
    kind: AlertKind | None
    severity: Severity | None
    reason: NotificationReason | None
    at: datetime | None = Field(
        description="Event time of the transition; of still_open, of the last; of unacknowledged, "
        "of the page."
    )
    digest: str | None = Field(
        description="The digest's name; this and the next two: null for news of an alert."
    )
    every: Every | None = Field(description="The digest's length.")
    until: datetime | None = Field(description="The end of the digest's period.")
    state: DeliveryState
    attempts: int
    recorded_at: datetime
    due_at: datetime = Field(description="Of the next attempt; of a closed one, of its last.")
    not_before: datetime | None = Field(
        description="When the hours begin that it waits or waited for; null if it waits for none."
    )
    page: bool = Field(description="Whether it is to call somebody.")
    step: int | None = Field(description="Which step of an escalation it is, from 1.")
    finished_at: datetime | None
    error: str | None = Field(description="Of the last attempt; why it was skipped or given up.")

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """A delivery as its reader sees it."""
        alert, digest = delivery.alert, delivery.digest
        payload: Literal["alert", "digest"] | None = None
        if alert is not None:
            payload = "alert"
        elif digest is not None:
            payload = "digest"
        return cls(
            delivery_id=delivery.delivery_id,
            key=delivery.key,
            channel=delivery.channel,
            payload=payload,
            alert_id=None if alert is None else alert.alert_id,
            kol_id=None if alert is None else alert.kol_id,
            kind=None if alert is None else alert.kind,
            severity=None if alert is None else alert.severity,
            reason=None if alert is None else alert.reason,
            at=None if alert is None else alert.at,
            digest=None if digest is None else digest.name,
            every=None if digest is None else digest.every,
            until=None if digest is None else digest.until,
            state=delivery.state,
            attempts=delivery.attempts,
            recorded_at=delivery.recorded_at,
            due_at=delivery.due_at,
            not_before=delivery.not_before,
            page=delivery.page,
            step=delivery.step,
            finished_at=delivery.finished_at,
            error=delivery.error,
        )


class DeliveryPage(BaseModel):
    """Deliveries, last recorded first."""

    items: list[DeliveryOut]
    next_cursor: str | None


class LogOut(BaseModel):
    """How far the log has been processed."""

    last_seq: int
    processed_seq: int
    backlog: int = Field(description="Comments that are not processed yet.")


class StatusOut(BaseModel):
    """The state of the service."""

    version: str
    model: str
    alive: bool
    log: LogOut
    kols: int
    open_alerts: int


class CheckOut(BaseModel):
    """Whether the process answers."""

    status: Literal["ok"] = "ok"


class ReadyOut(BaseModel):
    """Which workers run."""

    status: Literal["ready", "not_ready"]
    workers: dict[str, bool]
