"""What became of comments that were sent, and what the model says of texts."""

from datetime import datetime

from groundswell_client.record import Record


class FaultInfo(Record, frozen=True, kw_only=True):
    """Why a comment was rejected; docs/errors.md lists the codes."""

    code: str
    field: str | None
    message: str


class CommentReceipt(Record, frozen=True, kw_only=True):
    """What became of one comment.

    Attributes:
        index: its place in the request, from 0.
        status: "accepted", "updated", "duplicate" or "rejected".
        error: None unless it was rejected.
    """

    index: int
    platform: str | None
    comment_id: str | None
    status: str
    error: FaultInfo | None = None


class SubmissionReceipt(Record, frozen=True, kw_only=True):
    """What became of a request with comments.

    Attributes:
        updated: comments that the service had, with something new.
        duplicates: comments that the service had, with nothing new.
        items: of NDJSON the rejected ones, the first 1,000.
    """

    accepted: int
    updated: int
    duplicates: int
    rejected: int
    adjustments: dict[str, int]
    items: tuple[CommentReceipt, ...]


class CommentVersionInfo(Record, frozen=True, kw_only=True):
    """A text of a comment that is not its newest.

    Attributes:
        edited_at: when it was written; None where nobody said.
        at: when it was replaced, or arrived although there was a newer one.
    """

    text: str
    edited_at: datetime | None
    at: datetime


class ListedCommentInfo(Record, frozen=True, kw_only=True):
    """A comment; its scores are None until it is processed.

    Attributes:
        text: the newest; empty if it was deleted before it was known.
        removed: whether it was deleted.
    """

    platform: str
    comment_id: str
    kol_id: str
    text: str
    created_at: datetime
    received_at: datetime
    edited_at: datetime | None
    removed: bool
    post_id: str | None
    author_id: str | None
    parent_id: str | None
    lang: str | None
    likes: int | None
    negative: float | None
    neutral: float | None
    positive: float | None
    offensive: float | None


class CommentInfo(ListedCommentInfo, frozen=True, kw_only=True):
    """A comment with its other texts."""

    versions: tuple[CommentVersionInfo, ...]


class CommentHistoryInfo(Record, frozen=True, kw_only=True):
    """A comment in the stream of each KOL that it was sent for."""

    items: tuple[CommentInfo, ...]


class PredictionInfo(Record, frozen=True, kw_only=True):
    """What the model says of one text; docs/scores.md explains each figure."""

    negative: float
    neutral: float
    positive: float
    offensive: float | None
    label: str
    empty: bool
    windows: int
    language: str
    in_scope: bool


class ScoresInfo(Record, frozen=True, kw_only=True):
    """Predictions, in the order of the texts."""

    model: str
    predictions: tuple[PredictionInfo, ...]
