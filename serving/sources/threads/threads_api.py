"""Asks Threads for the posts of an account and the conversations under them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from serving.clock import Clock
from serving.sources.faults import PermissionLost
from serving.sources.graph_api.graph_client import (
    GraphClient,
    count_of,
    items_of,
    next_of,
    optional_text,
    text_of,
    time_of,
)
from serving.sources.graph_api.graph_faults import InvalidParameter
from serving.sources.graph_api.graph_records import (
    CommentLookup,
    CommentPage,
    GraphAccount,
    GraphProfile,
    NewToken,
    PostPage,
)
from serving.sources.graph_api.token_info import new_token_of
from serving.sources.source_batch import SourceComment, SourcePost
from serving.storage.post_record import PostCounts, PostKind

_POSTS = 50
_REPLIES = 100
_REPLY = "id,text,timestamp,username,owner,replied_to,root_post"
_POST = "id,text,permalink,timestamp,media_type"
_KINDS = {
    "TEXT_POST": PostKind.TEXT,
    "IMAGE": PostKind.PHOTO,
    "VIDEO": PostKind.VIDEO,
    "CAROUSEL_ALBUM": PostKind.ALBUM,
    "AUDIO": PostKind.AUDIO,
}
_REPOST = "REPOST_FACADE"  # the post of somebody else


class ThreadsApi:
    """See `GraphApi`."""

    def __init__(self, client: GraphClient, version: str, clock: Clock) -> None:
        """Prepare.

        Args:
            client: of the host.
            version: of the API.
            clock: for times.
        """
        self._client = client
        self._version = version
        self._clock = clock

    async def accounts_of(self, token: str) -> Sequence[GraphAccount]:
        """The token's own account."""
        body = await self._client.get(self._path("me"), token, {"fields": "id,username"})
        return [GraphAccount(text_of(body, "id"), text_of(body, "username"), token, token)]

    async def profile(self, account: GraphAccount) -> GraphProfile:
        """Name, and followers if the token may read insights."""
        path = self._path(account.account_id)
        body = await self._client.get(path, account.token, {"fields": "id,username"})
        found = await self._insights(account, "threads_insights", "followers_count")
        return GraphProfile(text_of(body, "username"), found.get("followers_count"))

    async def posts(self, account: GraphAccount, after: str | None) -> PostPage:
        """One page of what the account published."""
        params = {"fields": _POST, "limit": _POSTS, "after": after}
        path = self._path(account.account_id, "threads")
        body = await self._client.get(path, account.token, params)
        posts = [
            post_of(item) for item in items_of(body, "posts") if item.get("media_type") != _REPOST
        ]
        return PostPage(posts, next_of(body))

    async def counts(self, account: GraphAccount, post_id: str) -> PostCounts | None:
        """Insights of a post, if the token may read them."""
        metrics = "views,likes,replies,reposts,quotes"
        found = await self._insights(account, "insights", metrics, post_id)
        if not found:
            return None
        shares = [found[name] for name in ("reposts", "quotes") if name in found]
        return PostCounts(
            at=self._clock.now(),
            likes=found.get("likes"),
            comments=found.get("replies"),
            shares=sum(shares) if shares else None,
            views=found.get("views"),
        )

    async def comments(self, account: GraphAccount, post_id: str, after: str | None) -> CommentPage:
        """One page of replies of every depth, by their time."""
        params = {"fields": _REPLY, "reverse": True, "limit": _REPLIES, "after": after}
        body = await self._client.get(self._path(post_id, "conversation"), account.token, params)
        comments = [reply_of(item, post_id) for item in items_of(body, "replies")]
        return CommentPage(comments, next_of(body))

    async def replies(
        self, account: GraphAccount, post_id: str, comment_id: str, after: str
    ) -> CommentPage:
        """Replies of every depth are on the pages of a conversation."""
        return CommentPage((), None)

    async def look_up(self, account: GraphAccount, lookup: CommentLookup) -> SourceComment:
        """One reply."""
        body = await self._client.get(
            self._path(lookup.comment_id or ""), account.token, {"fields": _REPLY}
        )
        return reply_of(body, lookup.media_id)

    async def is_subscribed(self, account: GraphAccount) -> bool | None:
        """Threads cannot be asked: its webhook is set up in the App Dashboard alone."""
        return None

    async def subscribe(self, account: GraphAccount) -> None:
        """There is nothing to subscribe by account."""

    async def renew(self, token: str) -> NewToken | None:
        """60 more days."""
        params = {"grant_type": "th_refresh_token", "access_token": token}
        return new_token_of(await self._client.get("/refresh_access_token", token, params))

    async def ends_at(self, token: str) -> datetime | None:
        """Only a renewal says it."""
        return None

    async def _insights(
        self, account: GraphAccount, edge: str, metrics: str, node: str | None = None
    ) -> Mapping[str, int]:
        """Numbers by name; none if the token may not read them."""
        path = self._path(node or account.account_id, edge)
        try:
            body = await self._client.get(path, account.token, {"metric": metrics})
        except (PermissionLost, InvalidParameter):  # below 100 followers there are none
            return {}
        found = {}
        for item in items_of(body, "insights"):
            values = item.get("values")
            first = values[0] if isinstance(values, list) and values else None
            value = count_of(item, "total_value", "value")
            if value is None and isinstance(first, dict):
                value = count_of(first, "value")
            if value is not None:
                found[text_of(item, "name")] = value
        return found

    def _path(self, *parts: str) -> str:
        return "/" + "/".join((self._version, *parts))


def reply_of(item: Mapping[str, Any], post_id: str | None) -> SourceComment:
    """A reply, as the API and the webhook give it."""
    root = optional_text(item, "root_post", "id") or post_id
    parent = optional_text(item, "replied_to", "id")
    return SourceComment(
        comment_id=text_of(item, "id"),
        text=optional_text(item, "text") or "",
        created_at=time_of(item, "timestamp"),
        post_id=root,
        author_id=optional_text(item, "username"),  # of others Threads gives no id
        parent_id=None if parent == root else parent,
    )


def post_of(item: Mapping[str, Any]) -> SourcePost:
    """A post, as the API and the webhook give it."""
    return SourcePost(
        post_id=text_of(item, "id"),
        text=optional_text(item, "text"),
        url=optional_text(item, "permalink"),
        created_at=time_of(item, "timestamp").astimezone(UTC),
        kind=_KINDS.get(str(item.get("media_type"))),
    )
