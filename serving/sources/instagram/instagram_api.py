"""Asks Instagram: with Instagram Login for one account a token, with Facebook Login for many."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from serving.clock import Clock
from serving.sources.faults import BadAnswer
from serving.sources.graph_api.graph_client import (
    GraphClient,
    count_of,
    items_of,
    next_of,
    optional_text,
    text_of,
    time_of,
)
from serving.sources.graph_api.graph_records import (
    CommentLookup,
    CommentPage,
    GraphAccount,
    GraphProfile,
    NewToken,
    PostPage,
)
from serving.sources.graph_api.subscribed_apps import is_among
from serving.sources.graph_api.token_info import new_token_of, token_end
from serving.sources.source_batch import SourceComment, SourcePost
from serving.storage.post_record import PostCounts, PostKind

_POSTS = 50
_COMMENTS = 50  # Meta gives no more
_PAGES = 50  # of Facebook pages
FIELDS = ("comments", "live_comments")

_COMMENT = "id,text,timestamp,like_count,from,username,parent_id"
_MEDIA = "id,caption,permalink,timestamp,media_type,media_product_type,like_count,comments_count"
_KINDS = {
    "IMAGE": PostKind.PHOTO,
    "VIDEO": PostKind.VIDEO,
    "CAROUSEL_ALBUM": PostKind.ALBUM,
}
_PRODUCTS = {"REELS": PostKind.SHORT, "STORY": PostKind.STORY, "LIVE": PostKind.LIVE}


class InstagramApi:
    """See `GraphApi`."""

    def __init__(
        self, client: GraphClient, version: str, clock: Clock, *, by_page: bool, app_id: str | None
    ) -> None:
        """Prepare.

        Args:
            client: of the host.
            version: of the API.
            clock: for times.
            by_page: whether the tokens are of Facebook Login.
            app_id: of the app, to find it among those that are subscribed.
        """
        self._client = client
        self._version = version
        self._clock = clock
        self._by_page = by_page
        self._app_id = app_id

    async def accounts_of(self, token: str) -> Sequence[GraphAccount]:
        """The token's own account, or those of its pages."""
        if self._by_page:
            return await self._accounts_of_pages(token)
        body = await self._client.get(self._path("me"), token, {"fields": "user_id,username"})
        return [GraphAccount(text_of(body, "user_id"), text_of(body, "username"), token, token)]

    async def _accounts_of_pages(self, token: str) -> list[GraphAccount]:
        found: list[GraphAccount] = []
        after: str | None = None
        fields = "id,access_token,instagram_business_account{id,username}"
        for _ in range(_PAGES):
            params = {"fields": fields, "limit": 100, "after": after}
            body = await self._client.get(self._path("me/accounts"), token, params)
            for page in items_of(body, "pages"):
                account = page.get("instagram_business_account")
                if isinstance(account, dict):
                    held = optional_text(page, "access_token") or token
                    found.append(
                        GraphAccount(
                            text_of(account, "id"),
                            text_of(account, "username"),
                            held,
                            token,
                            page_id=text_of(page, "id"),
                        )
                    )
            if (after := next_of(body)) is None:
                break
        return found

    async def profile(self, account: GraphAccount) -> GraphProfile:
        """Name and followers."""
        body = await self._client.get(
            self._path(account.account_id), account.token, {"fields": "username,followers_count"}
        )
        return GraphProfile(text_of(body, "username"), count_of(body, "followers_count"))

    async def posts(self, account: GraphAccount, after: str | None) -> PostPage:
        """One page of media."""
        params = {"fields": _MEDIA, "limit": _POSTS, "after": after}
        body = await self._client.get(
            self._path(account.account_id, "media"), account.token, params
        )
        now = self._clock.now()
        return PostPage([_post(item, now) for item in items_of(body, "media")], next_of(body))

    async def counts(self, account: GraphAccount, post_id: str) -> PostCounts | None:
        """The list of media has them."""
        return None

    async def comments(self, account: GraphAccount, post_id: str, after: str | None) -> CommentPage:
        """One page of comments, each with its first replies."""
        params = {
            "fields": f"{_COMMENT},replies.limit({_COMMENTS}){{{_COMMENT}}}",
            "limit": _COMMENTS,
            "after": after,
        }
        body = await self._client.get(self._path(post_id, "comments"), account.token, params)
        comments: list[SourceComment] = []
        unfinished: list[tuple[str, str]] = []
        for item in items_of(body, "comments"):
            comment = comment_of(item, post_id)
            comments.append(comment)
            replies = item.get("replies")
            if isinstance(replies, dict):
                comments += _replies(replies, post_id, comment.comment_id)
                if (rest := next_of(replies)) is not None:
                    unfinished.append((comment.comment_id, rest))
        return CommentPage(comments, next_of(body), unfinished)

    async def replies(
        self, account: GraphAccount, post_id: str, comment_id: str, after: str
    ) -> CommentPage:
        """One page of the replies to a comment."""
        params = {"fields": _COMMENT, "limit": _COMMENTS, "after": after}
        body = await self._client.get(self._path(comment_id, "replies"), account.token, params)
        return CommentPage(_replies(body, post_id, comment_id), next_of(body))

    async def look_up(self, account: GraphAccount, lookup: CommentLookup) -> SourceComment:
        """A comment under the account's own media, or a mention elsewhere."""
        if lookup.mention:
            return await self._mention(account, lookup)
        assert lookup.comment_id is not None
        params = {"fields": f"{_COMMENT},media{{id}}"}
        body = await self._client.get(self._path(lookup.comment_id), account.token, params)
        return comment_of(body, optional_text(body, "media", "id"))

    async def _mention(self, account: GraphAccount, lookup: CommentLookup) -> SourceComment:
        if lookup.comment_id is not None:
            name = "mentioned_comment"
            fields = "{id,text,timestamp,like_count,media{id}}"
            asked = f"{name}.comment_id({lookup.comment_id}){fields}"
        else:
            name = "mentioned_media"
            asked = (
                f"{name}.media_id({lookup.media_id}){{id,caption,timestamp,username,like_count}}"
            )
        body = await self._client.get(
            self._path(account.account_id), account.token, {"fields": asked}
        )
        found = body.get(name)
        if not isinstance(found, dict):
            raise BadAnswer(f"Meta answered without {name!r}")
        if lookup.comment_id is not None:
            return comment_of(found, optional_text(found, "media", "id") or lookup.media_id)
        return replace(
            comment_of({**found, "text": found.get("caption")}, text_of(found, "id")),
            author_id=optional_text(found, "username"),
        )

    async def is_subscribed(self, account: GraphAccount) -> bool | None:
        """Whether the account, or its page, has the app installed with the fields."""
        body = await self._client.get(self._subscriptions(account), account.token)
        wanted = set() if self._by_page else set(FIELDS)
        return is_among(items_of(body, "apps"), self._app_id, wanted)

    async def subscribe(self, account: GraphAccount) -> None:
        """Install the app on the account, or on its page."""
        fields = "feed" if self._by_page else ",".join(FIELDS)
        await self._client.post(
            self._subscriptions(account), account.token, {"subscribed_fields": fields}
        )

    async def renew(self, token: str) -> NewToken | None:
        """With Instagram Login, 60 more days."""
        if self._by_page:
            return None
        params = {"grant_type": "ig_refresh_token", "access_token": token}
        return new_token_of(await self._client.get("/refresh_access_token", token, params))

    async def ends_at(self, token: str) -> datetime | None:
        """With Facebook Login, what Meta says of the token."""
        return await token_end(self._client, self._version, token) if self._by_page else None

    def _subscriptions(self, account: GraphAccount) -> str:
        return self._path(account.page_id or account.account_id, "subscribed_apps")

    def _path(self, *parts: str) -> str:
        return "/" + "/".join((self._version, *parts))


def comment_of(item: Mapping[str, Any], post_id: str | None) -> SourceComment:
    """A comment as the API gives it."""
    return SourceComment(
        comment_id=text_of(item, "id"),
        text=optional_text(item, "text") or "",
        created_at=time_of(item, "timestamp"),
        post_id=post_id,
        author_id=optional_text(item, "from", "id") or optional_text(item, "username"),
        parent_id=optional_text(item, "parent_id"),
        likes=count_of(item, "like_count"),
    )


def _replies(body: Mapping[str, Any], post_id: str, comment_id: str) -> list[SourceComment]:
    found = [comment_of(item, post_id) for item in items_of(body, "replies")]
    return [one if one.parent_id else replace(one, parent_id=comment_id) for one in found]


def _post(item: Mapping[str, Any], now: datetime) -> SourcePost:
    product = str(item.get("media_product_type"))
    return SourcePost(
        post_id=text_of(item, "id"),
        text=optional_text(item, "caption"),
        url=optional_text(item, "permalink"),
        created_at=time_of(item, "timestamp").astimezone(UTC),
        kind=_PRODUCTS.get(product) or _KINDS.get(str(item.get("media_type"))),
        counts=PostCounts(
            at=now,
            likes=count_of(item, "like_count"),
            comments=count_of(item, "comments_count"),
        ),
    )
