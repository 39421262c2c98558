"""The YouTube Data API v3, with one channel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from werkzeug import Request, Response

from tests.sources.fake_platform import FakeComment, FakePlatform, Refusal

CHANNEL = "UCabcdefghijklmnopqrstuv"
UPLOADS = "UUabcdefghijklmnopqrstuv"
_SHOWN = 5  # replies that a thread shows
_COSTS = {"/liveChat/messages": 5}


@dataclass(slots=True)
class FakeLiveChat:
    """The chat of a live video: messages in order, as resources."""

    chat_id: str
    video_id: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False


class YouTubePlatform(FakePlatform):
    """Lists threads, replies, videos and live chats; counts the units that it gave."""

    type = "youtube"
    documented = (
        "developers.google.com/youtube/v3/docs/commentThreads/list, …/comments/list, …/comments,"
        " …/errors (1 Dec 2026)",
        "developers.google.com/youtube/v3/docs/channels, …/playlistItems/list, …/videos (known)",
        "developers.google.com/youtube/v3/live/docs/liveChatMessages/list (1 Dec 2026)",
        "developers.google.com/youtube/v3/determine_quota_cost (1 Dec 2026)",
    )
    edits = removals = posts = followers = True

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.units = 0
        self.quota = 10_000
        self.handle = "@lena-park"
        self.videos: dict[str, datetime] = {}
        self.disabled: set[str] = set()
        self.deleted: set[str] = set()
        self.private: set[str] = set()
        self.chats: dict[str, FakeLiveChat] = {}
        self.expired: set[str] = set()  # page tokens
        self.extra_count: dict[str, int] = {}
        self.access_token = "ya29-second"
        self.failing_channel_list = False

    def settings(self) -> dict[str, Any]:
        return {
            "channel": "@lena-park",
            "api_key": "AIzaSyTheKeyOfTheTests000000000000000000",
            "api_url": self.url,
            "token_url": f"{self.url}/token",
        }

    def publish(self, *comments: FakeComment) -> None:
        super().publish(*comments)
        for comment in comments:
            self.videos.setdefault(comment.post_id, comment.created_at - timedelta(hours=1))

    def refused(self, refusal: Refusal) -> Response:
        reason = {
            Refusal.EXPIRED: "authError",
            Refusal.FORBIDDEN: "forbidden",
            Refusal.BUSY: "rateLimitExceeded",
            Refusal.BROKEN: "backendError",
        }[refusal]
        return self.error(int(refusal.value), reason)

    def error(self, status: int, reason: str) -> Response:
        """A refusal as Google writes it."""
        inner = [{"message": "No.", "domain": "youtube", "reason": reason}]
        return self.json(
            {"error": {"code": status, "message": "No.", "errors": inner}}, status=status
        )

    def answer(self, request: Request) -> Response:
        if request.path == "/token":
            if request.form.get("refresh_token") != "1//refresh":
                return self.json({"error": "invalid_grant"}, status=400)
            return self.json({"access_token": self.access_token, "expires_in": 3599})
        cost = _COSTS.get(request.path, 1)
        if self.units + cost > self.quota:
            return self.error(403, "quotaExceeded")
        self.units += cost
        if "Authorization" in request.headers:
            if request.headers["Authorization"] != f"Bearer {self.access_token}":
                return self.error(401, "authError")
        elif request.headers.get("X-Goog-Api-Key") != self.settings()["api_key"]:
            return self.error(400, "keyInvalid")
        if request.args.get("pageToken") in self.expired:
            return self.error(400, "invalidPageToken")
        routes = {
            "/channels": self._channels,
            "/playlistItems": self._uploads,
            "/videos": self._videos,
            "/commentThreads": self._threads,
            "/comments": self._replies,
            "/liveChat/messages": self._messages,
        }
        found = routes.get(request.path)
        return found(request) if found else self.error(404, "notFound")

    def _channels(self, request: Request) -> Response:
        args = request.args
        if args.get("forHandle") != self.handle and args.get("id") != CHANNEL:
            return self.json({"kind": "youtube#channelListResponse"})
        item = {
            "id": CHANNEL,
            "snippet": {"title": "Lena Park", "customUrl": self.handle},
            "statistics": {"subscriberCount": "12300", "hiddenSubscriberCount": False},
            "contentDetails": {"relatedPlaylists": {"uploads": UPLOADS}},
        }
        return self.json({"items": [item]})

    def _uploads(self, request: Request) -> Response:
        if not self.videos:
            return self.error(404, "playlistNotFound")
        newest = sorted(self.videos, key=lambda video: self.videos[video], reverse=True)
        listed = [video for video in newest if video not in self.deleted]
        return self._page(request, [{"contentDetails": {"videoId": one}} for one in listed])

    def _videos(self, request: Request) -> Response:
        wanted = request.args["id"].split(",")
        hidden = self.deleted | self.private
        found = [one for one in wanted if one in self.videos and one not in hidden]
        return self.json({"items": [self._video(one) for one in found]})

    def _video(self, video: str) -> dict[str, Any]:
        count = sum(one.post_id == video and not one.removed for one in self.comments.values())
        item: dict[str, Any] = {
            "id": video,
            "snippet": {"title": f"About {video}", "publishedAt": _written(self.videos[video])},
            "statistics": {
                "viewCount": "9000",
                "likeCount": "120",
                "commentCount": str(count + self.extra_count.get(video, 0)),
            },
        }
        for chat in self.chats.values():
            if chat.video_id == video:
                on = {} if chat.ended else {"activeLiveChatId": chat.chat_id}
                over = {"actualEndTime": _written(self.clock.now())} if chat.ended else {}
                item["liveStreamingDetails"] = {**on, **over}
        return item

    def _threads(self, request: Request) -> Response:
        args = request.args
        assert args["textFormat"] == "plainText"
        hidden = self.deleted | self.private
        tops = [
            one
            for one in self.comments.values()
            if one.parent_id is None and not one.removed and one.post_id not in hidden
        ]
        if "id" in args:
            wanted = args["id"].split(",")
            return self.json(
                {"items": [self.thread(one) for one in tops if one.comment_id in wanted]}
            )
        if "allThreadsRelatedToChannelId" in args and self.failing_channel_list:
            return self.error(400, "processingFailure")
        video = args.get("videoId")
        if video is not None:
            if video in hidden or video not in self.videos:
                return self.error(404, "videoNotFound")
            if video in self.disabled:
                return self.error(403, "commentsDisabled")
            tops = [one for one in tops if one.post_id == video]
        tops.sort(key=lambda one: one.created_at, reverse=True)
        return self._page(request, tops, self.thread)

    def thread(self, top: FakeComment) -> dict[str, Any]:
        """A thread as a resource."""
        replies = self._replies_of(top.comment_id)
        thread: dict[str, Any] = {
            "id": top.comment_id,
            "snippet": {
                "channelId": CHANNEL,
                "videoId": top.post_id,
                "topLevelComment": _comment(top),
                "totalReplyCount": len(replies),
            },
        }
        if replies:
            thread["replies"] = {"comments": [_comment(one) for one in replies[:_SHOWN]]}
        return thread

    def _replies_of(self, parent: str) -> list[FakeComment]:
        return [
            one for one in self.comments.values() if one.parent_id == parent and not one.removed
        ]

    def _replies(self, request: Request) -> Response:
        if "id" in request.args:
            wanted = request.args["id"].split(",")
            found = [one for one in self.comments.values() if one.comment_id in wanted]
            hidden = self.deleted | self.private
            shown = [one for one in found if not one.removed and one.post_id not in hidden]
            return self.json({"items": [_comment(one) for one in shown]})
        replies = self._replies_of(request.args["parentId"])
        return self._page(request, [_comment(one, video=False) for one in replies])

    def _messages(self, request: Request) -> Response:
        chat = self.chats.get(request.args["liveChatId"])
        if chat is None:
            return self.error(404, "liveChatNotFound")
        if chat.ended:
            return self.error(403, "liveChatEnded")
        start = int(request.args.get("pageToken", 0))
        body = {
            "items": chat.messages[start:],
            "nextPageToken": str(len(chat.messages)),
            "pollingIntervalMillis": 4000,
        }
        return self.json(body)

    def _page(
        self,
        request: Request,
        items: Sequence[Any],
        resource: Callable[[Any], dict[str, Any]] = dict,
    ) -> Response:
        size = min(self.page, int(request.args.get("maxResults", 20)))
        start = int(request.args.get("pageToken", "at0")[2:])
        body: dict[str, Any] = {"items": [resource(one) for one in items[start : start + size]]}
        if start + size < len(items):
            body["nextPageToken"] = f"at{start + size}"
        return self.json(body)


def text_message(message_id: str, text: str, at: datetime) -> dict[str, Any]:
    """A message of a live chat."""
    return {
        "id": message_id,
        "snippet": {
            "type": "textMessageEvent",
            "authorChannelId": "UCwriter",
            "publishedAt": _written(at),
            "displayMessage": text,
        },
    }


def _comment(comment: FakeComment, *, video: bool = True) -> dict[str, Any]:
    snippet = {
        "authorDisplayName": comment.author_id,
        "authorChannelId": {"value": comment.author_id},
        "textDisplay": comment.text,
        "textOriginal": comment.text,
        "likeCount": comment.likes,
        "publishedAt": _written(comment.created_at),
        "updatedAt": _written(comment.edited_at or comment.created_at),
    }
    if video:
        snippet["videoId"] = comment.post_id
    if comment.parent_id:
        snippet["parentId"] = comment.parent_id
    return {"id": comment.comment_id, "snippet": snippet}


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


FAKE = YouTubePlatform
