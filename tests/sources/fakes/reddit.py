"""Reddit: tokens, listings, threads with parts that are left out, limits."""

from typing import Any

from werkzeug import Request, Response

from serving.clock import Clock
from tests.sources.fake_platform import FakeComment, FakePlatform, Refusal

SECRET = "s3cret-of-the-app"


class RedditPlatform(FakePlatform):
    """The KOL's submissions, a subreddit, and everybody's comments."""

    type = "reddit"
    documented = (
        "https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki"
        " (User-Agent, X-Ratelimit headers, limits), read on 2026-12-01",
        "https://github.com/reddit-archive/reddit/wiki/OAuth2 (client_credentials,"
        " refresh_token), as known on 2026-12-01",
        "https://www.reddit.com/dev/api (submitted, comments, morechildren, info, search, after),"
        " as known on 2026-12-01",
    )
    edits = removals = posts = followers = True

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.left = 100.0
        self.token = "token-1"
        self.grants: list[dict[str, str]] = []
        self.hidden: list[str] = []  # ids that a thread leaves to morechildren
        self.below: list[str] = []  # ids whose answers are a branch of their own
        self.deleted_posts: set[str] = set()
        self.threads: list[dict[str, Any]] = []  # of other people

    def settings(self) -> dict[str, Any]:
        return {
            "client_id": "p-jcoLKBynTLew",
            "client_secret": SECRET,
            "contact": "groundswell_pr",
            "api_url": self.url,
            "token_url": self.url,
        }

    def refused(self, refusal: Refusal) -> Response:
        return self.json({"message": "Refused", "error": int(refusal.value)}, status=int(refusal))

    def answer(self, request: Request) -> Response:
        if request.path == "/api/v1/access_token":
            self.grants.append(request.form.to_dict())
            return self.json({"access_token": self.token, "expires_in": 3600, "scope": "read"})
        if request.headers.get("Authorization") != f"bearer {self.token}":
            return self.json({"message": "Unauthorized", "error": 401}, status=401)
        found = self._read(request)
        found.headers["X-Ratelimit-Remaining"] = str(self.left)
        found.headers["X-Ratelimit-Used"] = "1"
        found.headers["X-Ratelimit-Reset"] = "41"
        return found

    def _read(self, request: Request) -> Response:
        path = request.path
        if path.endswith("/about"):
            return self.json({"kind": "t2", "data": {"subreddit": {"subscribers": 812}}})
        if path.endswith("/submitted"):
            named = dict.fromkeys(one.post_id for one in self.comments.values())
            return self._list(request, [self.submission(one) for one in reversed(named)])
        if path.endswith("/search"):
            return self._list(request, self.threads)
        if path.endswith("/comments"):
            newest = sorted(self.comments.values(), key=lambda one: one.created_at, reverse=True)
            return self._list(request, [self._thing(one) for one in newest])
        if path == "/api/morechildren":
            wanted = request.args["children"].split(",")
            things = [self._thing(self.comments[one]) for one in wanted if one in self.comments]
            return self.json({"json": {"errors": [], "data": {"things": things}}})
        if path == "/api/info":
            ids = [one.removeprefix("t1_") for one in request.args["id"].split(",")]
            things = [self._thing(self.comments[one]) for one in ids if one in self.comments]
            return self.json({"kind": "Listing", "data": {"children": things}})
        if "/_/" in path:
            return self._branch(path.rpartition("/")[2])
        return self._thread(path.rpartition("/")[2])

    def _list(self, request: Request, things: list[dict[str, Any]]) -> Response:
        start = int((request.args.get("after") or "at_0").removeprefix("at_"))
        part = things[start : start + self.page]
        more = start + self.page < len(things)
        after = f"at_{start + self.page}" if more else None
        return self.json({"kind": "Listing", "data": {"children": part, "after": after}})

    def submission(self, post_id: str, **changes: Any) -> dict[str, Any]:
        """A post."""
        under = [one for one in self.comments.values() if one.post_id == post_id]
        at = min((one.created_at for one in under), default=self.clock.now())
        data = {
            "name": f"t3_{post_id}",
            "title": f"The post {post_id}",
            "selftext": "Words below it",
            "author": "lena-park",
            "permalink": f"/r/u_lena-park/comments/{post_id}/the_post/",
            "created_utc": at.timestamp() - 3600,
            "edited": False,
            "is_self": True,
            "score": 7,
            "num_comments": len(under),
        }
        return {"kind": "t3", "data": data | changes}

    def _thing(self, one: FakeComment) -> dict[str, Any]:
        data = {
            "name": f"t1_{one.comment_id}",
            "link_id": f"t3_{one.post_id}",
            "parent_id": f"t1_{one.parent_id}" if one.parent_id else f"t3_{one.post_id}",
            "body": "[deleted]" if one.removed else one.text,
            "author": "[deleted]" if one.removed else one.author_id,
            "created_utc": one.created_at.timestamp(),
            "edited": one.edited_at.timestamp() if one.edited_at else False,
            "score": one.likes,
            "score_hidden": False,
            "replies": "",
        }
        if not one.removed:
            data["author_fullname"] = f"t2_{one.author_id}"
        return {"kind": "t1", "data": data}

    def _thread(self, post_id: str) -> Response:
        if post_id in self.deleted_posts:
            return self.json({"message": "Not Found", "error": 404}, status=404)
        shown: list[dict[str, Any]] = []
        under = [one for one in self.comments.values() if one.post_id == post_id]
        nodes = {one.comment_id: self._thing(one) for one in under}
        for one in under:
            # Reddit shows a deleted comment only where somebody answered it.
            answered = any(other.parent_id == one.comment_id for other in under)
            if one.comment_id in self.hidden or (one.removed and not answered):
                continue
            above = nodes.get(one.parent_id or "")
            if above is None:
                shown.append(nodes[one.comment_id])
                continue
            replies = above["data"]["replies"] or {"kind": "Listing", "data": {"children": []}}
            above["data"]["replies"] = replies
            if one.parent_id in self.below:
                rest = {"id": "_", "children": [], "parent_id": f"t1_{one.parent_id}", "count": 0}
                replies["data"]["children"] = [{"kind": "more", "data": rest}]
            else:
                replies["data"]["children"].append(nodes[one.comment_id])
        hidden = [one for one in self.hidden if one in nodes]
        if hidden:
            rest = {"children": hidden, "parent_id": f"t3_{post_id}", "count": len(hidden)}
            shown.append({"kind": "more", "data": rest})
        top = {"kind": "Listing", "data": {"children": [self.submission(post_id)]}}
        return self.json([top, {"kind": "Listing", "data": {"children": shown}}])

    def _branch(self, comment_id: str) -> Response:
        top = self._thing(self.comments[comment_id])
        below = [one for one in self.comments.values() if one.parent_id == comment_id]
        replies = {"kind": "Listing", "data": {"children": [self._thing(one) for one in below]}}
        top["data"]["replies"] = replies
        post = self.submission(self.comments[comment_id].post_id)
        listings = [{"kind": "Listing", "data": {"children": [one]}} for one in (post, top)]
        return self.json(listings)


FAKE = RedditPlatform
