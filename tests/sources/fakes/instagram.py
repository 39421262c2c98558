"""Instagram's server, with one professional account."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from werkzeug import Request

from serving.clock import Clock
from serving.sources.source import WebhookRequest
from tests.sources.fake_platform import FakeComment
from tests.sources.graph_fake import MISSING, GraphError, GraphFake, stamp

_POST_TIME = datetime(2026, 11, 29, 9, tzinfo=UTC)


class FakeInstagram(GraphFake):
    """Media, comments with replies, and calls of the webhook."""

    type = "instagram"
    documented = (
        "developers.facebook.com/documentation/instagram-platform/webhooks/examples"
        " (updated 24 November 2025), looked up 1 December 2026",
        "developers.facebook.com/documentation/instagram-platform/webhooks/setup"
        " (updated 20 October 2026), looked up 1 December 2026",
        "developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/"
        "ig-media/comments (updated 21 January 2025), looked up 1 December 2026",
        "developers.facebook.com/documentation/instagram-platform/reference/refresh_access_token"
        " (updated 17 July 2025), looked up 1 December 2026",
        "developers.facebook.com/docs/graph-api/guides/error-handling, .../results and"
        " .../overview/rate-limiting, looked up 1 December 2026",
    )
    removals = posts = followers = True

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.post_times: dict[str, datetime] = {}

    def settings(self) -> dict[str, Any]:
        return self.common_settings()

    def node(self, request: Request, path: list[str], account_id: str) -> Any:
        match path:
            case ["me"]:
                return {
                    "user_id": account_id,
                    "username": self.handle_of(account_id),
                    "id": "app-scoped",
                }
            case [name] if name == account_id:
                return self._account(request, account_id)
            case [_, "subscribed_apps"]:
                return self._subscriptions(request)
            case [name, "media"] if name == account_id:
                rows = [FakeComment(post_id, "", _POST_TIME) for post_id in self.post_ids()]
                found, paging = self.paged(request, rows, "media", 50)
                return {"data": [self._media(one.comment_id) for one in found], "paging": paging}
            case [post_id, "comments"]:
                tops = [one for one in self.there(post_id) if one.parent_id is None]
                found, paging = self.paged(request, tops, "comments")
                return {"data": [self._with_replies(one) for one in found], "paging": paging}
            case [comment_id, "replies"]:
                found, paging = self.paged(request, self._replies(comment_id), "replies")
                return {"data": [item(one) for one in found], "paging": paging}
            case [comment_id]:
                one = self.comment(comment_id)
                return {**item(one), "media": {"id": one.post_id}}
        raise MISSING

    def _account(self, request: Request, account_id: str) -> Any:
        fields = request.args["fields"]
        if fields.startswith("mentioned_comment.comment_id("):
            one = self.comment(fields.split("(")[1].split(")")[0])
            return {
                "mentioned_comment": {
                    "id": one.comment_id,
                    "text": one.text,
                    "timestamp": stamp(one),
                    "media": {"id": one.post_id},
                }
            }
        return {"username": self.handle_of(account_id), "followers_count": self.followers_count}

    def _subscriptions(self, request: Request) -> Any:
        if request.method == "POST":
            if not self.can_subscribe:
                raise GraphError(200, "Requires a permission", status=403)
            assert request.args["subscribed_fields"] == "comments,live_comments"
            self.subscribed = True
            return {"success": True}
        fields = {"subscribed_fields": ["comments", "live_comments"], "id": "app"}
        return {"data": [fields] if self.subscribed else []}

    def _media(self, post_id: str) -> dict[str, Any]:
        found = [one for one in self.comments.values() if one.post_id == post_id]
        return {
            "id": post_id,
            "caption": f"What I wear: {post_id}",
            "permalink": f"https://www.instagram.com/p/{post_id}/",
            "timestamp": self.post_times.get(post_id, _POST_TIME).isoformat(),
            "media_type": "IMAGE",
            "media_product_type": "FEED",
            "like_count": 5000,
            "comments_count": sum(not one.removed for one in found),
        }

    def _replies(self, comment_id: str) -> list[FakeComment]:
        found = [one for one in self.comments.values() if one.parent_id == comment_id]
        return [one for one in found if not one.removed]

    def _with_replies(self, comment: FakeComment) -> dict[str, Any]:
        replies = self._replies(comment.comment_id)
        if not replies:
            return item(comment)
        shown = replies[: self.page]
        body: dict[str, Any] = {"data": [item(one) for one in shown]}
        if len(replies) > len(shown):
            request = Request({"QUERY_STRING": f"limit={self.page}"})
            body["paging"] = self.paged(request, replies, "replies")[1]
        return {**item(comment), "replies": body}

    def deliveries(self) -> Sequence[WebhookRequest]:
        return [
            self.notice("comments", value(one), one.created_at)
            for one in self.undelivered()
            if not one.removed and one.edited_at is None
        ]

    def notice(
        self, field: str, value: Any, at: datetime, account_id: str | None = None
    ) -> WebhookRequest:
        """A call about one change."""
        entry = {
            "id": account_id or self.account_id,
            "time": int(at.timestamp()),
            "changes": [{"field": field, "value": value}],
        }
        return self.call({"object": "instagram", "entry": [entry]})


def item(comment: FakeComment) -> dict[str, Any]:
    """A comment as the API gives it."""
    found = {
        "id": comment.comment_id,
        "text": comment.text,
        "timestamp": stamp(comment),
        "like_count": comment.likes,
        "username": comment.author_id,
        "from": {"id": comment.author_id, "username": comment.author_id},
    }
    return found if comment.parent_id is None else {**found, "parent_id": comment.parent_id}


def value(comment: FakeComment, product: str = "FEED") -> dict[str, Any]:
    """A comment as a call brings it."""
    found = {
        "id": comment.comment_id,
        "text": comment.text,
        "from": {"id": comment.author_id, "username": comment.author_id},
        "media": {"id": comment.post_id, "media_product_type": product},
    }
    return found if comment.parent_id is None else {**found, "parent_id": comment.parent_id}


FAKE = FakeInstagram
