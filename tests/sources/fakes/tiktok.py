"""The TikTok API for Business v1.3, with one account, and its calls."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from werkzeug import Request, Response

from serving.clock import Clock
from serving.sources.source import WebhookRequest
from tests.sources.fake_platform import KINDS, FakeComment, FakePlatform, Refusal

BUSINESS = "_000LenaPark"
_SECRET = "the-app-secret"
_SHOWN = 3  # replies that a comment shows
_CODES = {Refusal.FORBIDDEN: 40001, Refusal.BUSY: 40100, Refusal.BROKEN: 50000}


class TikTokPlatform(FakePlatform):
    """Lists videos, comments and replies; refuses with codes in answers of status 200."""

    type = "tiktok"
    documented = (
        "business-api.tiktok.com/portal/docs: Get comments on an owned video, Get replies to a"
        " comment, Get posts of an account (as public clients of v1.3 quote them, 1 Dec 2026)",
        "business-api.tiktok.com/portal/docs: Webhooks, Verify webhooks, Subscribe to comment"
        " updates (as quoted on 13 Aug 2026, looked up 1 Dec 2026)",
        "developers.tiktok.com/doc/webhooks-verification, …/webhooks-overview (1 Dec 2026)",
    )
    # A token that expired is replaced by the source: no fault.
    kinds = {kind: found for kind, found in KINDS.items() if kind is not Refusal.EXPIRED}  # noqa: RUF012
    removals = posts = followers = True

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.videos: dict[str, datetime] = {}
        self.deleted: set[str] = set()
        self.hidden: set[str] = set()
        self.access_token = "act.first"
        self.refresh_tokens = ["rft.first"]
        self.callback_url: str | None = None
        self.unlisted = False  # lists a video, but not its comments

    def settings(self) -> dict[str, Any]:
        return {
            "business_id": BUSINESS,
            "app_id": "7001",
            "app_secret": _SECRET,
            "refresh_token": "rft.first",
            "access_token": "act.first",
            "api_url": self.url,
        }

    def publish(self, *comments: FakeComment) -> None:
        super().publish(*comments)
        for comment in comments:
            self.videos.setdefault(comment.post_id, comment.created_at - timedelta(hours=1))

    def refused(self, refusal: Refusal) -> Response:
        return self.code(_CODES[refusal])

    def code(self, code: int, data: Any = None) -> Response:
        """An answer as TikTok writes it, of status 200 whatever happened."""
        said = "OK" if code == 0 else "No."
        body = {"code": code, "message": said, "request_id": "2026", "data": data or {}}
        return self.json(body)

    def answer(self, request: Request) -> Response:
        if request.path == "/tt_user/oauth2/refresh_token/":
            return self._tokens(request.get_json())
        if request.path.startswith("/business/webhook/"):
            return self._subscription(request)
        if request.headers.get("Access-Token") != self.access_token:
            return self.code(40105)
        if request.args.get("business_id") != BUSINESS:
            return self.code(40002)
        routes = {
            "/business/get/": self._account,
            "/business/video/list/": self._videos,
            "/business/comment/list/": self._comments,
            "/business/comment/reply/list/": self._replies,
        }
        return routes[request.path](request)

    def deliveries(self) -> Sequence[WebhookRequest]:
        return [self.delivery(_event(one, self.clock.now())) for one in self.undelivered()]

    def delivery(self, body: bytes, at: datetime | None = None) -> WebhookRequest:
        """A call with this body, signed now or at another time."""
        second = str(int((at or self.clock.now()).timestamp()))
        signed = hmac.new(_SECRET.encode(), f"{second}.".encode() + body, hashlib.sha256)
        headers = {"tiktok-signature": f"t={second},s={signed.hexdigest()}"}
        return WebhookRequest("POST", {}, headers, body)

    def _tokens(self, asked: dict[str, Any]) -> Response:
        if asked["refresh_token"] != self.refresh_tokens[-1] or asked["client_secret"] != _SECRET:
            return self.code(40103)
        count = len(self.refresh_tokens)
        self.refresh_tokens.append(f"rft.{count}")
        self.access_token = f"act.{count}"
        return self.code(
            0, {"access_token": self.access_token, "refresh_token": self.refresh_tokens[-1]}
        )

    def _subscription(self, request: Request) -> Response:
        asked = request.args if request.method == "GET" else request.get_json()
        if asked["app_id"] != "7001" or asked["secret"] != _SECRET:
            return self.code(40001)
        if request.method == "POST":
            self.callback_url = asked["callback_url"]
        return self.code(0, {"callback_url": self.callback_url} if self.callback_url else {})

    def _account(self, _request: Request) -> Response:
        name = {"username": "lena-park", "display_name": "Lena Park"}
        return self.code(0, {**name, "followers_count": 12_300})

    def _videos(self, request: Request) -> Response:
        listed = [one for one in self.videos if one not in self.deleted]
        if "filters" in request.args:
            wanted = json.loads(request.args["filters"])["video_ids"]
            return self.code(0, {"videos": [{"item_id": one} for one in listed if one in wanted]})
        listed.sort(key=lambda video: self.videos[video], reverse=True)
        start, size = int(request.args.get("cursor", 0)), int(request.args["max_count"])
        return self.code(
            0,
            {
                "videos": [self._video(one) for one in listed[start : start + size]],
                "has_more": start + size < len(listed),
                "cursor": start + size,
            },
        )

    def _video(self, video: str) -> dict[str, Any]:
        under = [one for one in self.comments.values() if one.post_id == video]
        return {
            "item_id": video,
            "caption": f"About {video}",
            "create_time": str(int(self.videos[video].timestamp())),
            "share_url": f"https://www.tiktok.com/@lena-park/video/{video}",
            "media_type": "VIDEO",
            "video_views": 9000,
            "likes": 120,
            "comments": sum(not one.removed for one in under),
            "shares": 4,
        }

    def _shown(self, video: str, parent: str | None) -> list[FakeComment]:
        found = [
            one
            for one in self.comments.values()
            if one.post_id == video and one.parent_id == parent and not one.removed
        ]
        return sorted(found, key=lambda one: one.created_at, reverse=True)

    def _comments(self, request: Request) -> Response:
        video = request.args["video_id"]
        if video in self.deleted or video not in self.videos or self.unlisted:
            return self.code(40002)
        if "comment_ids" in request.args:
            wanted = json.loads(request.args["comment_ids"])
            assert len(wanted) <= 30
            found = [self.comments[one] for one in wanted if one in self.comments]
            shown = [one for one in found if not one.removed and one.post_id == video]
            return self.code(0, {"comments": [self.row(one) for one in shown]})
        assert request.args["sort_field"] == "create_time"
        return self._page(request, self._shown(video, None))

    def _replies(self, request: Request) -> Response:
        parent = request.args["comment_id"]
        if self.comments[parent].removed:
            return self.code(40002)
        return self._page(request, self._shown(request.args["video_id"], parent))

    def _page(self, request: Request, found: list[FakeComment]) -> Response:
        start = int(request.args.get("cursor", 0))
        size = min(self.page, int(request.args["max_count"]))
        # After 500 comments TikTok sorts by likes, and repeats some.
        rest = sorted(found, key=lambda one: one.likes)
        found = found[:500] + rest if len(found) > 500 else found
        return self.code(
            0,
            {
                "comments": [self.row(one) for one in found[start : start + size]],
                "has_more": start + size < len(found),
                "cursor": start + size,
            },
        )

    def row(self, comment: FakeComment) -> dict[str, Any]:
        """A comment as TikTok lists it."""
        replies = self._shown(comment.post_id, comment.comment_id)
        found = {
            "comment_id": comment.comment_id,
            "video_id": comment.post_id,
            "unique_identifier": comment.author_id,
            "create_time": str(int(comment.created_at.timestamp())),
            "text": comment.text,
            "likes": comment.likes,
            "replies": len(replies),
            "owner": False,
            "status": "HIDDEN" if comment.comment_id in self.hidden else "PUBLIC",
        }
        if comment.parent_id:
            found["parent_comment_id"] = comment.parent_id
        if replies:
            found["reply_list"] = [self.row(one) for one in replies[:_SHOWN]]
        return found


def _event(comment: FakeComment, at: datetime) -> bytes:
    content = {
        "comment_id": comment.comment_id,
        "video_id": comment.post_id,
        "comment_type": "reply" if comment.parent_id else "comment",
        "comment_action": "delete" if comment.removed else "insert",
        "timestamp": int(at.timestamp()),
    }
    event = {
        "client_key": "7001",
        "event": "comment.update",
        "create_time": int(at.timestamp()),
        "user_openid": BUSINESS,
        "content": json.dumps(content),
    }
    return json.dumps(event).encode()


FAKE = TikTokPlatform
