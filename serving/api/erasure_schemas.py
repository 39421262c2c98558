"""Schemas of what was erased on purpose, and of what is stored about an author."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from serving.api.comment_schemas import CommentHistoryOut, CommentOut, CommentVersionOut
from serving.storage.comment_log import CommentHistory
from serving.storage.erasure_record import ErasureKind


class ErasureOut(BaseModel):
    """What was erased. Texts and authors are gone; the sums of minutes and the alerts stay."""

    model_config = ConfigDict(from_attributes=True)

    erasure_id: int
    kind: ErasureKind
    comments: int = Field(description="How many comments lost their text and their author.")
    samples: int = Field(description="How many copies were taken out of the evidence of alerts.")
    finished_at: datetime


class ExportedComment(CommentHistoryOut):
    """A line of an export: a comment that is stored."""

    type: Literal["comment"] = "comment"

    @classmethod
    def from_history(cls, history: CommentHistory) -> Self:
        """A comment and its other texts as a line."""
        comment = CommentOut.of(history.listed).model_dump()
        versions = [CommentVersionOut.model_validate(one) for one in history.versions]
        return cls(**comment, versions=versions)


class ExportedSample(BaseModel):
    """A line of an export: a copy of a comment in the evidence of an alert."""

    model_config = ConfigDict(from_attributes=True)

    type: Literal["sample"] = "sample"
    alert_id: str
    platform: str
    comment_id: str
    author_id: str
    text: str
    created_at: datetime
