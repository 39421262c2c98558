"""The server of Threads, with one account."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from werkzeug import Request

from serving.clock import Clock
from serving.sources.source import WebhookRequest
from tests.sources.fake_platform import FakeComment
from tests.sources.graph_fake import MISSING, GraphError, GraphFake, stamp

_POST_TIME = "2026-11-29T09:00:00+0000"


class FakeThreads(GraphFake):
    """Posts, conversations, insights, and calls of the webhook."""

    type = "threads"
    documented = (
        "developers.facebook.com/documentation/threads/webhooks (updated 30 June 2026),"
        " looked up 1 December 2026",
        "developers.facebook.com/documentation/threads/reference/reply-management"
        " (updated 13 February 2026), looked up 1 December 2026",
        "developers.facebook.com/documentation/threads/insights, looked up 1 December 2026",
        "developers.facebook.com/docs/threads/get-started/long-lived-tokens,"
        " looked up 1 December 2026",
    )
    edits = removals = posts = followers = True
    account_id = "9876543210"

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.allows_insights = True

    def settings(self) -> dict[str, Any]:
        return self.common_settings()

    def node(self, request: Request, path: list[str], account_id: str) -> Any:
        match path:
            case ["me"]:
                return {"id": account_id, "username": self.handle_of(account_id)}
            case [name] if name == account_id:
                return {"id": account_id, "username": self.handle_of(account_id)}
            case [_, "threads_insights"]:
                self._check_insights()
                total = {"value": self.followers_count}
                return {"data": [{"name": "followers_count", "total_value": total}]}
            case [_, "insights"]:
                self._check_insights()
                metrics = request.args["metric"].split(",")
                return {"data": [{"name": one, "values": [{"value": 7}]} for one in metrics]}
            case [name, "threads"] if name == account_id:
                rows = [
                    FakeComment(post_id, "", datetime.fromisoformat(_POST_TIME))
                    for post_id in self.post_ids()
                ]
                found, paging = self.paged(request, rows, "threads", 50)
                return {"data": [post(one.comment_id) for one in found], "paging": paging}
            case [post_id, "conversation"]:
                assert request.args["reverse"] == "true"
                found, paging = self.paged(request, self.there(post_id), "conversation")
                return {"data": [item(one) for one in found], "paging": paging}
            case [comment_id]:
                return item(self.comment(comment_id))
        raise MISSING

    def _check_insights(self) -> None:
        if not self.allows_insights:
            raise GraphError(10, "Application does not have permission", status=403)

    def deliveries(self) -> Sequence[WebhookRequest]:
        found = []
        for one in self.undelivered():
            if one.edited_at is None and not one.removed:
                root = {"owner_id": self.account_id, "username": self.handle}
                reply = item(one)
                reply["root_post"] = {**reply["root_post"], **root}
                found.append(self.change("replies", reply))
        return found

    def change(self, field: str, value: Any, at: datetime | None = None) -> WebhookRequest:
        """A call about one change."""
        return self.call(
            {
                "app_id": "123456",
                "topic": "moderate",
                "target_id": "78901",
                "time": int((at or self.clock.now()).timestamp()),
                "subscription_id": "234567",
                "has_uid_field": False,
                "values": {"value": value, "field": field},
            }
        )


def item(comment: FakeComment) -> dict[str, Any]:
    """A reply as the API gives it."""
    return {
        "id": comment.comment_id,
        "text": comment.text,
        "timestamp": stamp(comment),
        "username": comment.author_id,
        "replied_to": {"id": comment.parent_id or comment.post_id},
        "root_post": {"id": comment.post_id},
    }


def post(post_id: str) -> dict[str, Any]:
    """A post as the API gives it."""
    return {
        "id": post_id,
        "text": f"A thought: {post_id}",
        "permalink": f"https://www.threads.com/@lena-park/post/{post_id}",
        "timestamp": _POST_TIME,
        "media_type": "TEXT_POST",
    }


FAKE = FakeThreads
