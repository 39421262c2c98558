"""The public API of Bluesky's app: profiles, feeds, threads, quotes; no account needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from serving.sources.bluesky.feed_post import FeedPost, read_instant, read_post
from serving.sources.faults import AccountGone, BadAnswer, SourceFault
from serving.sources.platform_client import PlatformAnswer, PlatformClient
from serving.storage.post_record import PostCounts

T = TypeVar("T")

_DEPTH = 100  # levels of a thread that are asked for; each is nested JSON
_PAGE = 100
_BY_ADDRESS = 25  # posts that can be asked for at once


class ActorView(msgspec.Struct, frozen=True, rename="camel"):
    """An account."""

    did: str
    handle: str = ""
    display_name: str | None = None
    followers_count: int | None = None


class PostView(msgspec.Struct, frozen=True, rename="camel"):
    """A post with its counts."""

    uri: str
    author: ActorView
    indexed_at: str
    record: Any = None
    like_count: int | None = None
    reply_count: int | None = None
    repost_count: int | None = None
    quote_count: int | None = None

    def content(self) -> FeedPost | None:
        """What was written; None if it cannot be read."""
        return read_post(self.record)

    def seen_at(self) -> datetime:
        """When the platform saw it.

        Raises:
            BadAnswer: the platform does not say.
        """
        try:
            return read_instant(self.indexed_at)
        except ValueError as error:
            raise BadAnswer(f"indexedAt of {self.uri}: {error}") from None

    def counts(self, at: datetime) -> PostCounts:
        """What the platform counts."""
        shares = None
        if self.repost_count is not None or self.quote_count is not None:
            shares = (self.repost_count or 0) + (self.quote_count or 0)
        return PostCounts(at, likes=self.like_count, comments=self.reply_count, shares=shares)


class FeedItem(msgspec.Struct, frozen=True):
    """A post in a feed; `reason` says that somebody else's was shared."""

    post: PostView
    reason: Any = None


class ThreadNode(msgspec.Struct, frozen=True):
    """A post in a thread; without `post` it was deleted or is hidden."""

    post: PostView | None = None
    replies: "list[ThreadNode] | None" = None


class FeedAnswer(msgspec.Struct, frozen=True):
    """`getAuthorFeed`."""

    feed: list[FeedItem]
    cursor: str | None = None


class ThreadAnswer(msgspec.Struct, frozen=True):
    """`getPostThread`."""

    thread: ThreadNode


class PostsAnswer(msgspec.Struct, frozen=True):
    """`getPosts` and `getQuotes`."""

    posts: list[PostView]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PostThread:
    """A post with what was answered, in any order."""

    post: PostView
    replies: Sequence[PostView]


class AppView:
    """Asks `app.bsky.*`."""

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    async def profile(self, actor: str) -> ActorView:
        """An account, by handle or DID.

        Raises:
            AccountGone: there is none.
        """
        answer = await self._client.get("/xrpc/app.bsky.actor.getProfile", {"actor": actor})
        return _read(answer, ActorView)

    async def feed(self, did: str, cursor: str | None) -> FeedAnswer:
        """A page of what an account wrote, newest first, its replies too."""
        answer = await self._client.get(
            "/xrpc/app.bsky.feed.getAuthorFeed",
            {"actor": did, "limit": _PAGE, "filter": "posts_with_replies", "cursor": cursor},
        )
        return _read(answer, FeedAnswer)

    async def thread(self, uri: str) -> PostThread | None:
        """A post with its replies; None if it was deleted."""
        try:
            answer = await self._client.get(
                "/xrpc/app.bsky.feed.getPostThread",
                {"uri": uri, "depth": _DEPTH, "parentHeight": 0},
            )
        except AccountGone:  # "NotFound" of a post
            return None
        node = _read(answer, ThreadAnswer).thread
        if node.post is None:
            return None
        return PostThread(node.post, list(_replies(node)))

    async def quotes(self, uri: str) -> Sequence[PostView]:
        """The newest posts that quote one."""
        answer = await self._client.get(
            "/xrpc/app.bsky.feed.getQuotes", {"uri": uri, "limit": _PAGE}
        )
        return _read(answer, PostsAnswer).posts

    async def existing(self, uris: Sequence[str]) -> set[str]:
        """Which of some posts still exist; 25 are asked for at once."""
        found: set[str] = set()
        for at in range(0, len(uris), _BY_ADDRESS):
            part = uris[at : at + _BY_ADDRESS]
            asked = "&".join(f"uris={uri}" for uri in part)
            answer = await self._client.get(f"/xrpc/app.bsky.feed.getPosts?{asked}")
            found |= {post.uri for post in _read(answer, PostsAnswer).posts}
        return found


def read_fault(answer: PlatformAnswer) -> SourceFault | None:
    """What a refusal means: XRPC answers 400 to names that it does not know."""
    if answer.status != 400:
        return None
    try:
        found = answer.json()
    except BadAnswer:
        return None
    if not isinstance(found, dict):
        return None
    error, message = str(found.get("error", "")), str(found.get("message", ""))
    gone = {"NotFound", "AccountTakedown", "AccountDeactivated", "AccountSuspended"}
    unknown = "not found" in message.lower() or "resolve" in message.lower()
    if error in gone or (error == "InvalidRequest" and unknown):
        return AccountGone(f"Bluesky has nothing there: {message[:200] or error}")
    return None


def _read(answer: PlatformAnswer, shape: type[T]) -> T:
    try:
        return msgspec.convert(answer.json(), shape)
    except msgspec.ValidationError as error:
        raise BadAnswer(f"Bluesky answered something unexpected: {error}") from None


def _replies(top: ThreadNode) -> Iterator[PostView]:
    waiting = list(top.replies or ())
    while waiting:
        node = waiting.pop()
        if node.post is not None:
            yield node.post
        waiting += node.replies or ()
