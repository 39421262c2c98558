"""Schemas of comments: what became of those that were sent, and those that are listed."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from serving.ingest.values.rules import Adjustment
from serving.storage.comment_log import CommentHistory, ListedComment
from serving.storage.comment_update import CommentOutcome


class FaultOut(BaseModel):
    """Why an item was rejected."""

    code: str = Field(description="Stable error code; docs/errors.md lists all codes.")
    field: str | None = Field(description="The field that is wrong; null if it is the whole item.")
    message: str


class ReceiptOut(BaseModel):
    """The result for one item."""

    index: int = Field(description="Position in the request, from 0; for NDJSON, of the line.")
    platform: str | None
    comment_id: str | None
    status: CommentOutcome
    error: FaultOut | None = None


class SubmissionOut(BaseModel):
    """The result of a submission; sent after the commit."""

    accepted: int
    updated: int = Field(description="Comments that the log had, with something new.")
    duplicates: int = Field(description="Comments that the log had, with nothing new.")
    rejected: int
    adjustments: dict[Adjustment, int] = Field(
        description="Values that were changed so that their comment could be kept, by kind."
    )
    items: list[ReceiptOut] = Field(
        description="JSON: every item. NDJSON: the first 1,000 rejected items."
    )


class CommentOut(BaseModel):
    """A comment with its scores. The scores are null until the comment is processed."""

    platform: str
    comment_id: str
    kol_id: str
    text: str = Field(description="Its newest text; empty if it was deleted before it was known.")
    created_at: datetime
    received_at: datetime
    edited_at: datetime | None = Field(description="When the text was changed, if a sender said.")
    removed: bool = Field(description="Whether it was deleted.")
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
            edited_at=comment.edited_at,
            removed=comment.removed,
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


class CommentVersionOut(BaseModel):
    """A text of a comment that is not its newest."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    edited_at: datetime | None = Field(description="When it was written, if a sender said.")
    at: datetime = Field(
        description="When it was replaced, or arrived although there was a newer one (wall clock)."
    )


class CommentHistoryOut(CommentOut):
    """A comment with its scores and the other texts it had."""

    versions: list[CommentVersionOut]

    @classmethod
    def from_history(cls, history: CommentHistory) -> Self:
        """A comment and its other texts as their reader sees them."""
        comment = CommentOut.of(history.listed).model_dump()
        versions = [CommentVersionOut.model_validate(one) for one in history.versions]
        return cls(**comment, versions=versions)


class CommentHistoryList(BaseModel):
    """A comment in the stream of each KOL that it was sent for."""

    items: list[CommentHistoryOut]


class CommentList(BaseModel):
    """A page of comments, newest first."""

    items: list[CommentOut]
    next_cursor: str | None
