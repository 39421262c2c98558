"""Asks Facebook for the posts of pages and their comments."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from serving.clock import Clock
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
from serving.sources.graph_api.subscribed_apps import is_among
from serving.sources.graph_api.token_info import token_end
from serving.sources.source_batch import SourceComment, SourcePost
from serving.storage.post_record import PostCounts, PostKind

_POSTS = 50
_COMMENTS = 100
_PAGES = 50
_FIELD = "feed"
_COMMENT = "id,message,created_time,from,parent{id},like_count"
_POST = (
    "id,message,story,created_time,permalink_url,status_type,shares"
    ",comments.filter(stream).limit(0).summary(true),reactions.limit(0).summary(true)"
)
KINDS = {
    "added_photos": PostKind.PHOTO,
    "added_video": PostKind.VIDEO,
    "mobile_status_update": PostKind.TEXT,
    "shared_story": PostKind.LINK,
}


class FacebookApi:
    """See `GraphApi`."""

    def __init__(
        self, client: GraphClient, version: str, clock: Clock, *, app_id: str | None
    ) -> None:
        """Prepare.

        Args:
            client: of the host.
            version: of the API.
            clock: for times.
            app_id: of the app, to find it among those that are subscribed.
        """
        self._client = client
        self._version = version
        self._clock = clock
        self._app_id = app_id

    async def accounts_of(self, token: str) -> Sequence[GraphAccount]:
        """The pages of a person or system user, or the page whose token it is."""
        found: list[GraphAccount] = []
        after: str | None = None
        for _ in range(_PAGES):
            params = {"fields": "id,username,name,access_token", "limit": 100, "after": after}
            try:
                body = await self._client.get(self._path("me/accounts"), token, params)
            except InvalidParameter:  # a page has no pages
                body = await self._client.get(
                    self._path("me"), token, {"fields": "id,username,name"}
                )
                return [_account(body, token, token)]
            found += [
                _account(page, optional_text(page, "access_token") or token, token)
                for page in items_of(body, "pages")
            ]
            if (after := next_of(body)) is None:
                break
        return found

    async def profile(self, account: GraphAccount) -> GraphProfile:
        """Name and followers."""
        params = {"fields": "id,username,name,followers_count"}
        body = await self._client.get(self._path(account.account_id), account.token, params)
        return GraphProfile(_handle(body), count_of(body, "followers_count"))

    async def posts(self, account: GraphAccount, after: str | None) -> PostPage:
        """One page of what the page published."""
        params = {"fields": _POST, "limit": _POSTS, "after": after}
        path = self._path(account.account_id, "published_posts")
        body = await self._client.get(path, account.token, params)
        now = self._clock.now()
        return PostPage([_post(item, now) for item in items_of(body, "posts")], next_of(body))

    async def counts(self, account: GraphAccount, post_id: str) -> PostCounts | None:
        """The list of posts has them."""
        return None

    async def comments(self, account: GraphAccount, post_id: str, after: str | None) -> CommentPage:
        """One page of comments and replies, by their time."""
        params = {
            "fields": _COMMENT,
            "filter": "stream",
            "order": "reverse_chronological",
            "limit": _COMMENTS,
            "after": after,
        }
        body = await self._client.get(self._path(post_id, "comments"), account.token, params)
        comments = [_comment(item, post_id) for item in items_of(body, "comments")]
        return CommentPage(comments, next_of(body))

    async def replies(
        self, account: GraphAccount, post_id: str, comment_id: str, after: str
    ) -> CommentPage:
        """Replies are on the pages of comments."""
        return CommentPage((), None)

    async def look_up(self, account: GraphAccount, lookup: CommentLookup) -> SourceComment:
        """One comment."""
        body = await self._client.get(
            self._path(lookup.comment_id or ""), account.token, {"fields": _COMMENT}
        )
        return _comment(body, lookup.media_id)

    async def is_subscribed(self, account: GraphAccount) -> bool | None:
        """Whether the page has the app installed, with its feed."""
        path = self._path(account.account_id, "subscribed_apps")
        body = await self._client.get(path, account.token)
        return is_among(items_of(body, "apps"), self._app_id, {_FIELD})

    async def subscribe(self, account: GraphAccount) -> None:
        """Install the app on the page."""
        path = self._path(account.account_id, "subscribed_apps")
        await self._client.post(path, account.token, {"subscribed_fields": _FIELD})

    async def renew(self, token: str) -> NewToken | None:
        """Facebook renews no token without the person."""
        return None

    async def ends_at(self, token: str) -> datetime | None:
        """What Meta says of the token."""
        return await token_end(self._client, self._version, token)

    def _path(self, *parts: str) -> str:
        return "/" + "/".join((self._version, *parts))


def _account(page: Mapping[str, Any], token: str, root: str) -> GraphAccount:
    page_id = text_of(page, "id")
    return GraphAccount(page_id, _handle(page), token, root, page_id)


def _handle(page: Mapping[str, Any]) -> str:
    """A page need not have a username."""
    return optional_text(page, "username") or text_of(page, "id")


def _comment(item: Mapping[str, Any], post_id: str | None) -> SourceComment:
    return SourceComment(
        comment_id=text_of(item, "id"),
        text=optional_text(item, "message") or "",
        created_at=time_of(item, "created_time"),
        post_id=post_id,
        author_id=optional_text(item, "from", "id"),
        parent_id=optional_text(item, "parent", "id"),
        likes=count_of(item, "like_count"),
    )


def _post(item: Mapping[str, Any], now: datetime) -> SourcePost:
    return SourcePost(
        post_id=text_of(item, "id"),
        text=optional_text(item, "message") or optional_text(item, "story"),
        url=optional_text(item, "permalink_url"),
        created_at=time_of(item, "created_time").astimezone(UTC),
        kind=KINDS.get(str(item.get("status_type"))),
        counts=PostCounts(
            at=now,
            likes=count_of(item, "reactions", "summary", "total_count"),
            comments=count_of(item, "comments", "summary", "total_count"),
            shares=count_of(item, "shares", "count"),
        ),
    )
