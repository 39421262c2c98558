"""Where the fields of a comment are in the JSON of any program."""

from typing import Any

from pydantic import Field

from serving.sources.field_paths import FieldPath, text_at, value_at
from serving.sources.source_batch import SourceComment
from serving.sources.spec import ADVANCED, SourceSpec


def _path(default: str, what: str) -> Any:
    return Field(
        default,
        title=f"Path of {what}",
        description=f"JMESPath of {what} in an item.",
        json_schema_extra=ADVANCED,
    )


class CommentPathsSpec(SourceSpec):
    """The paths of the fields; to be inherited by the settings of a type."""

    comment_id: FieldPath = _path("comment_id", "the comment's id")
    text: FieldPath = _path("text", "the text")
    created_at: FieldPath = _path("created_at", "the time of writing")
    kol_id: FieldPath = _path("kol_id", "the KOL's id")
    handle: FieldPath = _path("handle", "the KOL's account")
    post_id: FieldPath = _path("post_id", "the post's id")
    author_id: FieldPath = _path("author_id", "the author's id")
    parent_id: FieldPath = _path("parent_id", "the comment that is answered")
    likes: FieldPath = _path("likes", "the likes")
    edited_at: FieldPath = _path("edited_at", "the time of the last edit")
    deleted: FieldPath = _path("deleted", "whether it was removed")

    def comment_in(self, item: Any) -> SourceComment:
        """The comment in an item; its id is empty where the path finds none."""
        likes = value_at(self.likes, item)
        return SourceComment(
            comment_id=text_at(self.comment_id, item) or "",
            text=text_at(self.text, item) or "",
            created_at=_time(value_at(self.created_at, item)) or "",
            kol_id=text_at(self.kol_id, item),
            handle=text_at(self.handle, item),
            post_id=text_at(self.post_id, item),
            author_id=text_at(self.author_id, item),
            parent_id=text_at(self.parent_id, item),
            likes=likes if isinstance(likes, int) and not isinstance(likes, bool) else None,
            edited_at=_time(value_at(self.edited_at, item)),
            removed=value_at(self.deleted, item) is True,
        )


def _time(value: Any) -> str | float | None:
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None
