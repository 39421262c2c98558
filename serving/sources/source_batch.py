"""What a source brings with one answer of its platform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from serving.storage.post_record import PostCounts, PostKind


@dataclass(frozen=True, slots=True)
class SourceComment:
    """A comment as the platform gives it; the edge of the log checks every value.

    Send it again whenever something of it is new: its text, its likes. The KOL's own replies
    are comments too, with the account of the KOL as `author_id`.

    Attributes:
        comment_id: the platform's id.
        text: as written; empty for a picture or a sticker.
        created_at: when it was written: a `datetime`, ISO 8601 or seconds since 1970. A time
            without a zone is refused.
        kol_id: whose stream it belongs to; None for the source's own KOL, or for `handle`.
        handle: the KOL's account on the platform, if a source brings comments of many; the KOL
            must have it in its profile.
        post_id: the post it is under; for a comment on a comment too.
        author_id: who wrote it, by the platform's stable id.
        parent_id: the comment that it answers.
        lang: BCP-47 tag, if the platform says one.
        likes: now.
        edited_at: when its text was last changed, if the platform says so.
        removed: whether the platform shows it as removed. Use `SourceRemoval` if only the id of
            a removed comment is known.
        platform: where it was written; None for the source's platform.
    """

    comment_id: str
    text: str
    created_at: datetime | str | float
    kol_id: str | None = None
    handle: str | None = None
    post_id: str | None = None
    author_id: str | None = None
    parent_id: str | None = None
    lang: str | None = None
    likes: int | None = None
    edited_at: datetime | str | float | None = None
    removed: bool = False
    platform: str | None = None

    def item(self, platform: str, kol_id: str | None) -> Mapping[str, Any]:
        """As an item of `POST /v1/comments`.

        Args:
            platform: of the source.
            kol_id: whose comments the source brings; None if each says it.
        """
        found = self.kol_id or (None if self.handle else kol_id)
        return {
            "platform": self.platform or platform,
            "comment_id": self.comment_id,
            "kol_id": found,
            "handle": None if found else self.handle,
            "text": self.text,
            "created_at": _written(self.created_at),
            "post_id": self.post_id,
            "author_id": self.author_id,
            "parent_id": self.parent_id,
            "lang": self.lang,
            "likes": self.likes,
            "edited_at": _written(self.edited_at),
            "deleted": self.removed,
        }


@dataclass(frozen=True, slots=True)
class SourceRemoval:
    """A comment was removed on the platform.

    Attributes:
        comment_id: the platform's id. A comment that never came is noted, if its KOL is known,
            so that it stays removed if it comes later.
        at: when that was said, aware.
        kol_id: as of a comment.
        handle: as of a comment.
    """

    comment_id: str
    at: datetime
    kol_id: str | None = None
    handle: str | None = None


@dataclass(frozen=True, slots=True)
class SourcePost:
    """A post that a KOL published; None for what the platform does not say.

    Attributes:
        post_id: the platform's id.
        kol_id: as of a comment.
        handle: as of a comment.
        text: as written.
        url: where people find it.
        created_at: when it was published, aware.
        kind: what it is.
        counts: what the platform counts now.
    """

    post_id: str
    kol_id: str | None = None
    handle: str | None = None
    text: str | None = None
    url: str | None = None
    created_at: datetime | None = None
    kind: PostKind | None = None
    counts: PostCounts | None = None


@dataclass(frozen=True, slots=True)
class SourceFollowers:
    """How many followers an account has.

    Attributes:
        followers: how many.
        at: when that was asked, aware.
        kol_id: as of a comment.
        handle: as of a comment.
    """

    followers: int
    at: datetime
    kol_id: str | None = None
    handle: str | None = None


@dataclass(frozen=True, slots=True)
class SourceBatch:
    """What came with one answer; committed as a whole, with its cursor.

    Attributes:
        comments: new ones, edited ones, and old ones sent again, in any order; 5,000 at most.
        removals: of comments.
        posts: new ones, and old ones with new counts.
        followers: of accounts.
        cursor: where the source is after this batch; None leaves it where it was. Webhook
            receivers leave it.
        more: whether there is more to be asked for at once.
        backlog: comments that are known to wait on the platform; None if it does not say.
        history: whether its comments are older than the connection of the account: they are
            learnt from, and raise no alert by themselves.
        unreadable: why parts of the answer are no comments, in plain words, a few examples; shown
            with what the log refused.
    """

    comments: Sequence[SourceComment] = ()
    removals: Sequence[SourceRemoval] = ()
    posts: Sequence[SourcePost] = ()
    followers: Sequence[SourceFollowers] = ()
    cursor: Mapping[str, Any] | None = None
    more: bool = False
    backlog: int | None = None
    history: bool = False
    unreadable: Sequence[str] = ()


def _written(value: datetime | str | float | None) -> str | float | None:
    return value.isoformat() if isinstance(value, datetime) else value
