"""Comments and submissions as Reddit lists them. Pure."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from serving.sources.faults import BadAnswer
from serving.sources.source_batch import SourceComment, SourcePost
from serving.storage.post_record import PostCounts, PostKind

GONE = -2  # the state of a removed comment
_REMOVED = frozenset({"[deleted]", "[removed]"})


@dataclass(slots=True)
class RedditTree:
    """A thread, flat.

    Attributes:
        comments: in any order.
        children: ids of comments that have to be asked for.
        branches: comments whose answers have to be asked for.
    """

    comments: list[Mapping[str, Any]] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    branches: list[str] = field(default_factory=list)

    def add(self, things: Sequence[Any]) -> None:
        """Take a list of things with all that is below them.

        Raises:
            BadAnswer: they are not what Reddit documents.
        """
        waiting = list(things)
        try:
            while waiting:
                thing = waiting.pop()
                data = thing["data"]
                if thing["kind"] == "more":
                    if data["children"]:
                        self.children += [str(one) for one in data["children"]]
                    elif str(data["parent_id"]).startswith("t1_"):
                        self.branches.append(str(data["parent_id"])[3:])
                elif thing["kind"] == "t1":
                    self.comments.append(data)
                    if isinstance(data.get("replies"), dict):
                        waiting += data["replies"]["data"]["children"]
        except (KeyError, TypeError) as error:
            raise BadAnswer(f"a thread of Reddit lacks {error}") from None


def children_of(listing: Any, kind: str) -> list[Mapping[str, Any]]:
    """The things of a kind in a listing.

    Raises:
        BadAnswer: it is no listing.
    """
    try:
        return [one["data"] for one in listing["data"]["children"] if one["kind"] == kind]
    except (KeyError, TypeError) as error:
        raise BadAnswer(f"a listing of Reddit lacks {error}") from None


def is_removed(data: Mapping[str, Any]) -> bool:
    """Whether its author or a moderator took it away."""
    return data.get("body", data.get("selftext")) in _REMOVED


def state_of(data: Mapping[str, Any]) -> int:
    """A number that changes when a comment does."""
    if is_removed(data):
        return GONE
    return zlib.crc32(f"{data.get('score')}/{data.get('edited')}".encode())


def comment_of(data: Mapping[str, Any]) -> SourceComment:
    """A comment.

    Raises:
        BadAnswer: something is missing.
    """
    try:
        parent = str(data["parent_id"])
        return SourceComment(
            comment_id=str(data["name"]),
            text=str(data["body"]),
            created_at=read_seconds(data["created_utc"]),
            post_id=str(data["link_id"]),
            author_id=data.get("author_fullname") or data.get("author"),
            parent_id=parent if parent.startswith("t1_") else None,
            likes=_likes(data),
            edited_at=read_seconds(data["edited"]) if data.get("edited") else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadAnswer(f"a comment of Reddit lacks {error}") from None


def comment_of_submission(data: Mapping[str, Any]) -> SourceComment:
    """What somebody submitted about the KOL: it is a comment as those below it are."""
    return SourceComment(
        comment_id=str(data["name"]),
        text=text_of(data),
        created_at=read_seconds(data["created_utc"]),
        post_id=str(data["name"]),
        author_id=data.get("author_fullname") or data.get("author"),
        likes=_likes(data),
        edited_at=read_seconds(data["edited"]) if data.get("edited") else None,
    )


def post_of(data: Mapping[str, Any], at: datetime) -> SourcePost:
    """What the KOL submitted.

    Raises:
        BadAnswer: something is missing.
    """
    try:
        return SourcePost(
            post_id=str(data["name"]),
            text=text_of(data),
            url=f"https://www.reddit.com{data['permalink']}",
            created_at=read_seconds(data["created_utc"]),
            kind=_kind(data),
            counts=PostCounts(at, likes=_likes(data), comments=data.get("num_comments")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadAnswer(f"a submission of Reddit lacks {error}") from None


def text_of(data: Mapping[str, Any]) -> str:
    """The title, and what is below it."""
    parts = [str(data.get("title") or ""), str(data.get("selftext") or "")]
    return "\n\n".join(part for part in parts if part)


def read_seconds(value: Any) -> datetime:
    """A time in seconds since 1970.

    Raises:
        BadAnswer: it is none.
    """
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise BadAnswer(f"Reddit gives {str(value)[:40]!r} as a time") from None


def _likes(data: Mapping[str, Any]) -> int | None:
    """Upvotes less downvotes; Reddit hides it at first, and below zero it is no count."""
    score = data.get("score")
    if data.get("score_hidden") or not isinstance(score, int):
        return None
    return max(score, 0)


def _kind(data: Mapping[str, Any]) -> PostKind:
    if data.get("is_self"):
        return PostKind.TEXT
    if data.get("is_video"):
        return PostKind.VIDEO
    if data.get("is_gallery"):
        return PostKind.ALBUM
    return PostKind.PHOTO if data.get("post_hint") == "image" else PostKind.LINK
