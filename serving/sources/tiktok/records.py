"""TikTok's videos and comments as posts and comments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from serving.sources.faults import BadAnswer
from serving.sources.source_batch import SourceComment, SourcePost
from serving.storage.post_record import PostCounts, PostKind

VIDEO_FIELDS = [
    "item_id",
    "caption",
    "create_time",
    "share_url",
    "video_views",
    "likes",
    "comments",
    "shares",
    "media_type",
]


@dataclass(frozen=True, slots=True)
class TikTokThread:
    """A comment with the replies that it shows.

    Attributes:
        comments: the comment, then its replies.
        written: when the comment was written, seconds since 1970.
        replies: how many it has.
    """

    comments: Sequence[SourceComment]
    written: float
    replies: int

    @classmethod
    def of(cls, row: Mapping[str, Any], video_id: str) -> "TikTokThread":
        """Read an item of a list of comments.

        Raises:
            BadAnswer: something that the documentation promises is missing.
        """
        return cls(comments_of_row(row, video_id), seconds_of(row), _count(row, "replies") or 0)


def comments_of_row(row: Mapping[str, Any], video_id: str) -> list[SourceComment]:
    """A comment and the replies that it shows.

    Raises:
        BadAnswer: something that the documentation promises is missing.
    """
    found = [
        SourceComment(
            comment_id=_field(row, "comment_id"),
            text=str(row.get("text") or ""),  # a picture has none
            created_at=seconds_of(row),
            post_id=str(row.get("video_id") or video_id),
            author_id=row.get("unique_identifier") or row.get("user_id") or None,
            parent_id=str(row["parent_comment_id"]) if row.get("parent_comment_id") else None,
            likes=row.get("likes"),
        )
    ]
    replies = row.get("reply_list")
    for reply in replies if isinstance(replies, list) else ():
        if not isinstance(reply, Mapping):
            raise BadAnswer("TikTok's answer has a reply that is no object")
        # A reply that does not say whose it is, is of the comment that shows it.
        parent = {"parent_comment_id": found[0].comment_id}
        found += comments_of_row({**parent, **reply, "reply_list": None}, video_id)
    return found


def post_of_row(row: Mapping[str, Any], at: datetime) -> SourcePost:
    """A video or an album as a post, with its counts now.

    Raises:
        BadAnswer: something that the documentation promises is missing.
    """
    is_album = str(row.get("media_type", "")).upper() in {"PHOTO", "CAROUSEL"}
    return SourcePost(
        post_id=_field(row, "item_id"),
        text=str(row.get("caption") or ""),
        url=row.get("share_url") or None,
        created_at=datetime.fromtimestamp(seconds_of(row), UTC),
        kind=PostKind.ALBUM if is_album else PostKind.VIDEO,
        counts=PostCounts(
            at,
            likes=_count(row, "likes"),
            comments=_count(row, "comments"),
            shares=_count(row, "shares"),
            views=_count(row, "video_views"),
        ),
    )


def seconds_of(row: Mapping[str, Any], name: str = "create_time") -> float:
    """A time, which TikTok writes in seconds since 1970, as text or as a number.

    Raises:
        BadAnswer: it is none.
    """
    try:
        found = float(row[name])
        datetime.fromtimestamp(found, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise BadAnswer(f"TikTok wrote {row.get(name)!r} as {name}") from None
    return found


def _count(row: Mapping[str, Any], name: str) -> int | None:
    found = row.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _field(row: Mapping[str, Any], name: str) -> str:
    if not row.get(name):
        raise BadAnswer(f"TikTok's answer has no {name}")
    return str(row[name])
