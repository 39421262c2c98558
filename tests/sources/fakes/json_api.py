"""A forum of our own making, with a token, pages and cursors that expire."""

from datetime import datetime
from typing import Any

from werkzeug import Request, Response

from tests.sources.fake_platform import KINDS, FakeComment, FakePlatform

_TOKEN = "t0ken-of-the-forum"


class ForumServer(FakePlatform):
    """Lists its comments, the newest first or after a place.

    Attributes:
        expired: cursors that are not known any more.
    """

    type = "json_api"
    documented = ("none: it stands for the API of any program",)
    kinds = KINDS
    edits = removals = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.expired = set[str]()

    def settings(self) -> dict[str, Any]:
        return {
            "platform": "forum",
            "url": f"{self.url}/api/comments?kol=lena",
            "token": _TOKEN,
            "items": "data.comments",
            "paging": "newest_first",
            "next_path": "paging.next",
            "next_parameter": "cursor",
            "comment_id": "id",
            "author_id": "author.id",
        }

    def oldest_first(self) -> dict[str, Any]:
        """Changes of the settings, for the list that continues."""
        return {
            "url": f"{self.url}/api/feed",
            "paging": "oldest_first",
            "next_parameter": "after",
        }

    def linked(self) -> dict[str, Any]:
        """Changes of the settings, for pages that name the whole link."""
        return {"next_path": "paging.link", "next_parameter": None}

    def answer(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {_TOKEN}":
            return Response(status=401)
        if request.path == "/api/feed":
            return self._feed(request)
        if request.args.get("kol") != "lena":
            return Response("which KOL?", status=400)
        found = [_item(one) for one in reversed(self.comments_in_order())]
        if since := request.args.get("since"):
            start = datetime.fromisoformat(since)
            found = [one for one in found if datetime.fromisoformat(one["created_at"]) >= start]
        return self._page(request, "cursor", found)

    def comments_in_order(self) -> list[FakeComment]:
        """Every state once, the last change last."""
        order = {one.comment_id: n for n, one in enumerate(self._undelivered)}
        return sorted(self.comments.values(), key=lambda one: order[one.comment_id])

    def _feed(self, request: Request) -> Response:
        return self._page(request, "after", [_item(one) for one in self._undelivered], keep=True)

    def _page(
        self, request: Request, parameter: str, found: list[Any], *, keep: bool = False
    ) -> Response:
        cursor = request.args.get(parameter, "p0")
        if cursor in self.expired:
            return Response("this cursor has expired", status=410)
        begin = int(cursor[1:])
        part = found[begin : begin + self.page]
        end = begin + len(part)
        following = f"p{end}" if keep or end < len(found) else None
        link = following and f"{self.url}/api/comments?kol=lena&cursor={following}"
        return self.json({"data": {"comments": part}, "paging": {"next": following, "link": link}})


def _item(comment: FakeComment) -> dict[str, Any]:
    return {
        "id": comment.comment_id,
        "text": comment.text,
        "created_at": comment.created_at.isoformat(),
        "post_id": comment.post_id,
        "author": {"id": comment.author_id},
        "likes": comment.likes,
        "edited_at": comment.edited_at and comment.edited_at.isoformat(),
        "deleted": comment.removed,
    }


FAKE = ForumServer
