"""Facebook's server, with one page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from werkzeug import Request

from serving.sources.source import WebhookRequest
from tests.sources.fake_platform import FakeComment
from tests.sources.graph_fake import MISSING, GraphError, GraphFake, stamp

_POST_TIME = "2026-11-29T09:00:00+0000"


class FakeFacebook(GraphFake):
    """Posts, comments with replies by their time, and calls of the webhook."""

    type = "facebook"
    documented = (
        "developers.facebook.com/docs/graph-api/webhooks/reference/page (feed),"
        " looked up 1 December 2026",
        "developers.facebook.com/docs/pages-api/webhooks-for-pages (subscribed_apps),"
        " looked up 1 December 2026",
        "developers.facebook.com/docs/graph-api/reference/object/comments (v26.0),"
        " looked up 1 December 2026",
        "developers.facebook.com/docs/graph-api/guides/error-handling, .../results and"
        " .../overview/rate-limiting, looked up 1 December 2026",
    )
    edits = removals = posts = followers = True
    account_id = "102030405060708"

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.expires_at = 0
        self.is_page_token = False

    def settings(self) -> dict[str, Any]:
        return self.common_settings()

    def node(self, request: Request, path: list[str], account_id: str) -> Any:
        assert len(request.args["appsecret_proof"]) == 64
        match path:
            case ["me", "accounts"]:
                if self.is_page_token:
                    raise GraphError(100, "Tried accessing nonexisting field (accounts)")
                token = request.headers["Authorization"].removeprefix("Bearer ")
                return {"data": [{**self._page(account_id), "access_token": token}]}
            case ["me"]:
                return self._page(account_id)
            case ["debug_token"]:
                return {"data": {"is_valid": True, "expires_at": self.expires_at}}
            case [name] if name == account_id:
                return {**self._page(account_id), "followers_count": self.followers_count}
            case [_, "subscribed_apps"]:
                return self._subscriptions(request)
            case [name, "published_posts"] if name == account_id:
                rows = [
                    FakeComment(post_id, "", datetime.fromisoformat(_POST_TIME))
                    for post_id in self.post_ids()
                ]
                found, paging = self.paged(request, rows, "posts", 50)
                return {"data": [self._post(one.comment_id) for one in found], "paging": paging}
            case [post_id, "comments"]:
                assert request.args["filter"] == "stream"
                assert request.args["order"] == "reverse_chronological"
                found, paging = self.paged(request, self.there(post_id), "comments")
                return {"data": [item(one) for one in found], "paging": paging}
            case [comment_id]:
                return item(self.comment(comment_id))
        raise MISSING

    def _page(self, account_id: str) -> dict[str, Any]:
        return {"id": account_id, "username": self.handle_of(account_id), "name": "Lena Park"}

    def _subscriptions(self, request: Request) -> Any:
        if request.method == "POST":
            assert request.args["subscribed_fields"] == "feed"
            self.subscribed = True
            return {"success": True}
        fields = {"subscribed_fields": ["feed"], "id": "app"}
        return {"data": [fields] if self.subscribed else []}

    def _post(self, post_id: str) -> dict[str, Any]:
        count = sum(one.post_id == post_id and not one.removed for one in self.comments.values())
        return {
            "id": post_id,
            "message": f"New video: {post_id}",
            "created_time": _POST_TIME,
            "permalink_url": f"https://www.facebook.com/{post_id}",
            "status_type": "added_video",
            "shares": {"count": 12},
            "comments": {"data": [], "summary": {"total_count": count}},
            "reactions": {"data": [], "summary": {"total_count": 900}},
        }

    def deliveries(self) -> Sequence[WebhookRequest]:
        return [self.change(change_of(one)) for one in self.undelivered()]

    def change(self, value: Any, at: datetime | None = None) -> WebhookRequest:
        """A call about one change of the feed."""
        entry = {
            "id": self.account_id,
            "time": int((at or self.clock.now()).timestamp()),
            "changes": [{"field": "feed", "value": value}],
        }
        return self.call({"object": "page", "entry": [entry]})


def item(comment: FakeComment) -> dict[str, Any]:
    """A comment as the API gives it."""
    found = {
        "id": comment.comment_id,
        "message": comment.text,
        "created_time": stamp(comment),
        "from": {"id": comment.author_id, "name": "Somebody"},
        "like_count": comment.likes,
    }
    return found if comment.parent_id is None else {**found, "parent": {"id": comment.parent_id}}


def change_of(comment: FakeComment, verb: str | None = None) -> dict[str, Any]:
    """A comment as a call brings it."""
    happened = "remove" if comment.removed else "edited" if comment.edited_at else "add"
    return {
        "item": "comment",
        "verb": verb or happened,
        "comment_id": comment.comment_id,
        "post_id": comment.post_id,
        "parent_id": comment.parent_id or comment.post_id,
        "created_time": int(comment.created_at.timestamp()),
        "message": comment.text,
        "from": {"id": comment.author_id, "name": "Somebody"},
    }


FAKE = FakeFacebook
