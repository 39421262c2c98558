"""What a comment that is sent again changes. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from monitoring.events import Comment
from monitoring.near_duplicates import Signature, signature

# Known later or not at all; once known, they stay.
FILLED_IN = ("author_id", "post_id", "parent_id", "lang")


class CommentOutcome(StrEnum):
    """What became of a comment that was sent."""

    ACCEPTED = "accepted"
    UPDATED = "updated"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class ChangeKind(StrEnum):
    """How a comment of the log changed, for those who have read it already."""

    EDITED = "edited"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FormerText:
    """A text of a comment that is not its newest.

    Attributes:
        text: what was written.
        edited_at: when the comment was given this text; None where the source did not say.
    """

    text: str
    edited_at: datetime | None


@dataclass(frozen=True, slots=True)
class FormerCount:
    """What readers of the log may have counted of a comment before it changed.

    Attributes:
        fingerprint: of its text.
        has_author: whether its author was known; one that is known stays.
    """

    fingerprint: Signature
    has_author: bool

    def of(self, comment: Comment) -> Comment:
        """The comment as it was counted."""
        author_id = comment.author_id if self.has_author else None
        return replace(comment, fingerprint=self.fingerprint, author_id=author_id)


def former_count(before: Comment, now: Comment) -> FormerCount | None:
    """What was counted of a comment before a change; None if it counts as before."""
    if (before.text, before.author_id) == (now.text, now.author_id):
        return None
    return FormerCount(signature(before.text), before.author_id is not None)


@dataclass(frozen=True, slots=True)
class CommentUpdate:
    """A comment of the log after it was sent again.

    Attributes:
        comment: as it is now.
        former: a text to be kept beside it; None if there is none.
        change: what readers of the log have to do again; None for nothing.
    """

    comment: Comment
    former: FormerText | None = None
    change: ChangeKind | None = None


def update_comment(stored: Comment, sent: Comment) -> CommentUpdate:
    """The comment of the log after `sent`, which has the same platform, id and KOL.

    Of two texts the one with the later `edited_at` is the newer, and another text without it is
    older than one with; if that does not decide, the one that was sent last. A comment that was
    removed stays so, and of one that was erased nothing is taken again.
    """
    if stored.erased:
        return CommentUpdate(stored)
    if sent.removed and not sent.text:
        if stored.removed:
            return CommentUpdate(stored)
        return CommentUpdate(replace(stored, removed=True), change=ChangeKind.REMOVED)
    known = not stored.removed or bool(stored.text)
    if known and _is_older(sent, stored):
        former = FormerText(sent.text, sent.edited_at) if sent.text != stored.text else None
        now = replace(_filled_in(stored, sent), removed=stored.removed or sent.removed)
    else:
        differs = known and sent.text != stored.text
        former = FormerText(stored.text, stored.edited_at) if differs else None
        now = replace(
            _filled_in(stored, sent),
            text=sent.text,
            edited_at=sent.edited_at or stored.edited_at,
            likes=stored.likes if sent.likes is None else sent.likes,
            removed=stored.removed or sent.removed,
        )
    change = None
    if now.removed and not stored.removed:
        change = ChangeKind.REMOVED
    elif (now.text, now.author_id) != (stored.text, stored.author_id):
        # A new text is scored, and a new author is counted among those of its minute.
        change = ChangeKind.EDITED
    return CommentUpdate(now, former, change)


def _is_older(sent: Comment, stored: Comment) -> bool:
    if stored.edited_at is None:
        return False
    if sent.edited_at is None:  # one that has the newest text was read after the edit
        return sent.text != stored.text
    return sent.edited_at < stored.edited_at


def _filled_in(stored: Comment, sent: Comment) -> Comment:
    """The stored comment with what was not known of it before."""
    news = {
        name: value
        for name in FILLED_IN
        if getattr(stored, name) is None and (value := getattr(sent, name)) is not None
    }
    return replace(stored, **news) if news else stored
