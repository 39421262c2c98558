"""Posts, and how alerts name them."""

from datetime import datetime

from groundswell_client.record import Record


class PostNameInfo(Record, frozen=True, kw_only=True):
    """How people know a post.

    Attributes:
        text: its text on one line, shortened; None if it is not known.
        url: its address; None if it is not known.
    """

    text: str | None
    url: str | None


class PostCountsInfo(Record, frozen=True, kw_only=True):
    """What a platform counted of a post at an instant; None for what it does not say."""

    at: datetime
    likes: int | None
    comments: int | None
    shares: int | None
    views: int | None


class PostInfo(Record, frozen=True, kw_only=True):
    """A post; None for what nobody sent.

    Attributes:
        kols: ids of the KOLs who published it.
        created_at: when it was published.
        kind: "photo", "album", "video", "short", "live", "story", "text", "link", "audio", "poll".
        recorded_at: when it was first sent.
        counts: the newest reading.
    """

    platform: str
    post_id: str
    kols: tuple[str, ...]
    text: str | None
    url: str | None
    created_at: datetime | None
    kind: str | None
    recorded_at: datetime
    counts: PostCountsInfo | None


class PostDetailInfo(PostInfo, frozen=True, kw_only=True):
    """A post with its last 1,000 readings, oldest first."""

    series: tuple[PostCountsInfo, ...]


class PostReceipt(Record, frozen=True, kw_only=True):
    """What became of one post: "accepted", "updated" or "duplicate"."""

    platform: str
    post_id: str
    status: str


class PostSubmission(Record, frozen=True, kw_only=True):
    """What became of the posts of a request."""

    accepted: int
    updated: int
    duplicates: int
    items: tuple[PostReceipt, ...]
