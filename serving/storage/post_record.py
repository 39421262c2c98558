"""Posts, their counts over time, and how they are named where alerts name them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PostKind(StrEnum):
    """What a post is."""

    PHOTO = "photo"
    ALBUM = "album"
    VIDEO = "video"
    SHORT = "short"
    LIVE = "live"
    STORY = "story"
    TEXT = "text"
    LINK = "link"
    AUDIO = "audio"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class PostCounts:
    """What a platform counted of a post at an instant; None for what it does not say.

    Attributes:
        at: when it was read, aware, UTC.
        likes: reactions of any kind.
        comments: comments, by the platform's count.
        shares: shares and reposts.
        views: views or plays.
    """

    at: datetime
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    views: int | None = None


@dataclass(frozen=True, slots=True)
class SentPost:
    """A post as it was sent; None for what is not known or not new.

    Attributes:
        platform: where it was published.
        post_id: the platform's id; unique with `platform`.
        kols: those who published it; several of a joint post.
        text: its text, as written.
        url: where it is.
        created_at: when it was published, aware, UTC.
        kind: what it is.
        counts: what the platform counted, at each reading.
    """

    platform: str
    post_id: str
    kols: frozenset[str]
    text: str | None = None
    url: str | None = None
    created_at: datetime | None = None
    kind: PostKind | None = None
    counts: Sequence[PostCounts] = ()


@dataclass(frozen=True, slots=True)
class PostRecord:
    """A post.

    Attributes:
        platform: where it was published.
        post_id: the platform's id; unique with `platform`.
        kols: those who published it, by id.
        text: its text; None where nobody sent it.
        url: where it is; None where nobody sent it.
        created_at: when it was published, aware, UTC; None where nobody sent it.
        kind: what it is; None where nobody sent it.
        recorded_at: when it was first sent, aware, UTC.
        counts: the newest reading; None without any.
    """

    platform: str
    post_id: str
    kols: tuple[str, ...]
    text: str | None
    url: str | None
    created_at: datetime | None
    kind: PostKind | None
    recorded_at: datetime
    counts: PostCounts | None


@dataclass(frozen=True, slots=True)
class PostName:
    """What people know a post by.

    Attributes:
        text: the post's text; None where it is not known.
        url: where the post is; None where it is not known.
    """

    text: str | None
    url: str | None
