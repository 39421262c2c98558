"""The input of monitoring: one comment with its scores."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment under a KOL's post, as it was written.

    Attributes:
        platform: where it was written ("instagram", "tiktok", …).
        comment_id: the platform's id; unique with `platform` and `kol_id`.
        kol_id: whose stream it belongs to.
        text: as received, valid Unicode without NUL or lone surrogates.
        created_at: when it was written (event time), aware, UTC.
        post_id: the post it is under; None where the source does not say.
        author_id: who wrote it; None where the source does not say.
        parent_id: the comment it answers; None for a top-level comment.
        lang: BCP-47 tag given by the source; None where it does not say.
        likes: at the time of reading; None where the source does not say.
        edited_at: when the text was last changed, aware, UTC; None where the source does not say.
        removed: whether it was deleted; its text is empty if it was never known.
        fingerprint: of a comment that was erased: what near-duplicates of its former text are
            known by; its text is empty. None for every other comment.
    """

    platform: str
    comment_id: str
    kol_id: str
    text: str
    created_at: datetime
    post_id: str | None = None
    author_id: str | None = None
    parent_id: str | None = None
    lang: str | None = None
    likes: int | None = None
    edited_at: datetime | None = None
    removed: bool = False
    fingerprint: tuple[int, ...] | None = None

    @property
    def erased(self) -> bool:
        """Whether its text and author were taken out of the log."""
        return self.fingerprint is not None


@dataclass(frozen=True, slots=True)
class ScoredComment:
    """A comment and what the model says of it.

    Attributes:
        comment: the comment.
        negative: calibrated P(negative), in [0, 1].
        neutral: calibrated P(neutral), in [0, 1].
        positive: calibrated P(positive), in [0, 1].
        offensive: calibrated P(offensive), in [0, 1]; None where the model has no such head.
    """

    comment: Comment
    negative: float
    neutral: float
    positive: float
    offensive: float | None = None
