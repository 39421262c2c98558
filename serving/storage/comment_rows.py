"""Comments as rows of their table and back."""

from typing import Any

from sqlalchemy import RowMapping

from monitoring.events import Comment
from serving.storage.instants import from_micros, optional_from_micros, to_micros
from serving.storage.tables import comments

# Fields that are stored unchanged in a column of the same name.
_PLAIN = (
    "platform", "comment_id", "kol_id", "text", "post_id", "author_id", "parent_id", "lang", "likes"
)  # fmt: skip
COMMENT_COLUMNS = tuple(
    comments.c[name] for name in (*_PLAIN, "created_at", "edited_at", "removed_at", "erased")
)


def to_comment(row: RowMapping) -> Comment:
    """A row of `comments` as the record."""
    return Comment(
        **{name: row[name] for name in _PLAIN},
        created_at=from_micros(row["created_at"]),
        edited_at=optional_from_micros(row["edited_at"]),
        removed=row["removed_at"] is not None,
        fingerprint=None if row["erased"] is None else tuple(row["erased"]["fingerprint"]),
    )


def to_row(comment: Comment, received_at: int, *, sent_to: str | None = None) -> dict[str, Any]:
    """A new row of `comments`, but for its place.

    Args:
        comment: what was sent.
        received_at: when, in microseconds.
        sent_to: the id that it was sent to; None for that of its KOL.
    """
    row = {name: getattr(comment, name) for name in _PLAIN}
    row["created_at"] = to_micros(comment.created_at)
    row["received_at"] = received_at
    row["edited_at"] = None if comment.edited_at is None else to_micros(comment.edited_at)
    row["removed_at"] = received_at if comment.removed else None
    row["sent_to"] = sent_to
    return row
