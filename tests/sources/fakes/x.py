"""X: recent search and lookup, with what it bills."""

from typing import Any

from werkzeug import Request, Response

from tests.sources.fake_platform import FakeComment, FakePlatform, Refusal

TOKEN = "AAAAexample-bearer-token"
USER = "2244994945"
FOLLOWERS = 912_000


def post_id(at_ms: int, number: int = 0) -> str:
    """An id as X makes them: of the time."""
    return str(((at_ms - 1_288_834_974_657) << 22) + number)


class X(FakePlatform):
    """Bills each post that it sends, repeated ones too.

    Attributes:
        billed: posts that were sent, repeated ones too.
    """

    type = "x"
    documented = (
        "https://docs.x.com/x-api/posts/search/introduction, /x-api/getting-started/pricing,"
        " /x-api/fundamentals/post-cap, as known on 1 December 2026,"
        " from memory and excerpts",
    )
    edits = posts = followers = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.billed = 0
        self.sent: list[dict[str, Any]] = []  # in the order of publication
        self.gone: set[str] = set()
        self._names: dict[str, str] = {}

    def settings(self) -> dict[str, Any]:
        return {"account": "@lenapark", "bearer_token": TOKEN, "api_url": self.url}

    def publish(self, *comments: FakeComment) -> None:
        super().publish(*comments)
        for comment in self.undelivered():
            root = self._names.get(comment.post_id)
            if root is None:
                before = comment.created_at.timestamp() * 1000 - 60_000
                root = self._names[comment.post_id] = post_id(int(before), len(self._names))
                self.sent.append(self.post(root, f"Text of {comment.post_id}", USER))
            if not comment.removed:
                self.sent.append(self._reply(comment, root))
            else:
                self.gone.add(self._names[comment.comment_id])

    def post(self, number: str, text: str, author: str, **more: Any) -> dict[str, Any]:
        """A post as X writes it."""
        at = self.clock.now() if more.get("at") is None else more.pop("at")
        return {
            "id": number,
            "text": text,
            "author_id": author,
            "conversation_id": number,
            "created_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "edit_history_tweet_ids": [number],
            "lang": "vi",
            "public_metrics": {
                "like_count": 3, "reply_count": 2, "retweet_count": 1, "quote_count": 1,
                "impression_count": 900,
            },
            **more,
        }  # fmt: skip

    def _reply(self, comment: FakeComment, root: str) -> dict[str, Any]:
        at = comment.edited_at or comment.created_at
        number = post_id(int(at.timestamp() * 1000), len(self.sent))
        first = self._names.setdefault(comment.comment_id, number)
        answered = self._names[comment.parent_id] if comment.parent_id else root
        return self.post(
            number,
            comment.text,
            str(5000 + int(comment.author_id.split("-")[1])),
            at=at,
            conversation_id=root,
            edit_history_tweet_ids=[first] if first == number else [first, number],
            referenced_tweets=[{"type": "replied_to", "id": answered}],
            in_reply_to_user_id=USER,
        )

    def refused(self, refusal: Refusal) -> Response:
        status = int(refusal.value)
        return self.json({"title": "Refused", "status": status, "detail": "refused"}, status=status)

    def answer(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.json({"title": "Unauthorized", "status": 401}, status=401)
        assert "expansions" not in request.args, "expansions are billed"
        match request.path:
            case "/2/users/by/username/lenapark":
                counts = {"followers_count": FOLLOWERS}
                return self.json({"data": {"id": USER, "public_metrics": counts}})
            case "/2/tweets/search/recent":
                return self._search(request)
            case "/2/tweets":
                return self._lookup(request)
        return self.json({"title": "Not Found Error", "status": 404}, status=404)

    def _search(self, request: Request) -> Response:
        most = int(request.args["max_results"])
        assert 10 <= most <= 100
        since = int(request.args.get("since_id", 0))
        assert since or "start_time" in request.args or most == 10
        found = sorted(
            (one for one in self.sent if int(one["id"]) > since and one["id"] not in self.gone),
            key=lambda one: -int(one["id"]),
        )
        start = int(request.args.get("next_token", 0))
        page = found[start : start + most]
        self.billed += len(page)
        meta: dict[str, Any] = {"result_count": len(page)}
        if start + most < len(found):
            meta["next_token"] = str(start + most)
        return self.json({"data": page, "meta": meta} if page else {"meta": meta})

    def _lookup(self, request: Request) -> Response:
        wanted = request.args["ids"].split(",")
        found = [one for one in self.sent if one["id"] in wanted and one["id"] not in self.gone]
        self.billed += len(found)
        gone = [
            {
                "resource_id": one,
                "value": one,
                "title": "Not Found Error",
                "type": "https://api.twitter.com/2/problems/resource-not-found",
            }
            for one in wanted
            if one in self.gone
        ]
        return self.json({"data": found, **({"errors": gone} if gone else {})})


FAKE = X
