"""Posts as Bluesky writes them, and what they are to a KOL. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from serving.sources.source_batch import SourceComment, SourcePost
from serving.storage.post_record import PostCounts, PostKind

COLLECTION = "app.bsky.feed.post"
_CLAIMED = timedelta(hours=1)  # how long before its arrival a post may claim to be written


class PostRef(msgspec.Struct, frozen=True):
    """Names a post."""

    uri: str


class ReplyRefs(msgspec.Struct, frozen=True):
    """What a post answers: the post at the top of its thread, and the one above it."""

    root: PostRef
    parent: PostRef


class FacetFeature(msgspec.Struct, frozen=True):
    """What a part of a text is; `did` of a mention."""

    did: str | None = None


class TextFacet(msgspec.Struct, frozen=True):
    """A part of a text."""

    features: list[FacetFeature] = []


class QuotedRecord(msgspec.Struct, frozen=True):
    """What is quoted; a level deeper if there are pictures too."""

    uri: str | None = None
    record: PostRef | None = None


class PostEmbed(msgspec.Struct, frozen=True):
    """What is shown under a text."""

    type: str = msgspec.field(default="", name="$type")
    record: QuotedRecord | None = None


class FeedPost(msgspec.Struct, frozen=True, rename="camel"):
    """A record of `app.bsky.feed.post`; what is not needed is left out."""

    text: str = ""
    created_at: str = ""
    reply: ReplyRefs | None = None
    embed: PostEmbed | None = None
    facets: list[TextFacet] | None = None
    langs: list[str] | None = None


def read_post(record: Any) -> FeedPost | None:
    """A record as a post; None if it is none. Anybody can write any record into its own store."""
    try:
        return msgspec.convert(record, FeedPost)
    except (msgspec.ValidationError, RecursionError):
        return None


def author_of(uri: str) -> str:
    """The DID in an address such as `at://did:plc:…/app.bsky.feed.post/3k…`."""
    return uri.removeprefix("at://").partition("/")[0]


def quoted_in(post: FeedPost) -> str | None:
    """The address of what a post quotes."""
    if post.embed is None or post.embed.record is None:
        return None
    quoted = post.embed.record
    return quoted.record.uri if quoted.record is not None else quoted.uri


def mentioned_in(post: FeedPost) -> list[str]:
    """The DIDs that a post mentions."""
    features = [feature for facet in post.facets or () for feature in facet.features]
    return [feature.did for feature in features if feature.did is not None]


def concerned(author: str, post: FeedPost, dids: Mapping[str, str], mentions: bool) -> str | None:
    """The KOL's DID that a post is a comment for; None if there is none.

    Whose thread it is in comes first, then whom it answers, quotes and mentions; last the
    KOL's own replies elsewhere.

    Args:
        author: its author's DID.
        post: what was written.
        dids: the KOLs by DID.
        mentions: whether mentions and quotes count.
    """
    reply = post.reply
    named = [] if reply is None else [author_of(reply.root.uri), author_of(reply.parent.uri)]
    if mentions and author not in dids:
        quoted = quoted_in(post)
        named += [] if quoted is None else [author_of(quoted)]
        named += mentioned_in(post)
    if reply is not None:
        named.append(author)
    return next((did for did in named if did in dids), None)


def comment_from(
    uri: str, post: FeedPost, kol_id: str, seen_at: datetime, likes: int | None = None
) -> SourceComment:
    """A post as a comment.

    Args:
        uri: its address, which is its id.
        post: what was written.
        kol_id: whom it concerns.
        seen_at: when the platform saw it, aware.
        likes: now.
    """
    reply = post.reply
    top = reply.root.uri if reply is not None else quoted_in(post)
    parent = reply.parent.uri if reply is not None else None
    return SourceComment(
        comment_id=uri,
        text=post.text,
        created_at=written_at(post.created_at, seen_at),
        kol_id=kol_id,
        post_id=top,
        author_id=author_of(uri),
        parent_id=None if parent == top else parent,
        lang=post.langs[0] if post.langs else None,
        likes=likes,
    )


def post_from(
    uri: str, post: FeedPost, kol_id: str, seen_at: datetime, counts: PostCounts | None = None
) -> SourcePost:
    """A KOL's own post."""
    author, _, rest = uri.removeprefix("at://").partition("/")
    return SourcePost(
        post_id=uri,
        kol_id=kol_id,
        text=post.text,
        url=f"https://bsky.app/profile/{author}/post/{rest.rpartition('/')[2]}",
        created_at=min(_read_time(post.created_at) or seen_at, seen_at),
        kind=_kind(post),
        counts=counts,
    )


def written_at(claimed: str, seen_at: datetime) -> datetime:
    """When a comment was written. Its author claims a time, and may claim any.

    It counts up to an hour before the platform saw the comment; else that instant does.
    """
    found = _read_time(claimed)
    if found is None or not seen_at - _CLAIMED <= found <= seen_at:
        return seen_at
    return found


def read_instant(written: str) -> datetime:
    """A time that the platform says.

    Raises:
        ValueError: it is none.
    """
    found = _read_time(written)
    if found is None:
        raise ValueError(f"{written[:40]!r} is no time with a zone")
    return found


def _read_time(written: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(written)
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _kind(post: FeedPost) -> PostKind:
    shown = post.embed.type if post.embed is not None else ""
    if shown.startswith("app.bsky.embed.images"):
        return PostKind.PHOTO
    if shown.startswith("app.bsky.embed.video"):
        return PostKind.VIDEO
    if shown.startswith("app.bsky.embed.external"):
        return PostKind.LINK
    return PostKind.TEXT
