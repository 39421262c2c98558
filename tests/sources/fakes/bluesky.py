"""Bluesky: the public API over HTTP, and Jetstream over a websocket."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from werkzeug import Request, Response

from serving.clock import Clock
from serving.sources.faults import FaultKind
from tests.sources.fake_platform import KINDS, FakeComment, FakePlatform, Refusal

COLLECTION = "app.bsky.feed.post"
KOL_DID = "did:plc:lena4park7xx2yy3zz5aa6bb"


def address(author: str, rkey: str) -> str:
    """The address of a post."""
    return f"at://{author}/{COLLECTION}/{rkey}"


def microseconds(at: datetime) -> int:
    """As Jetstream writes times."""
    return round(at.timestamp() * 1_000_000)


class BlueskyPlatform(FakePlatform):
    """One KOL, the posts that comments name, and everybody else on the network."""

    type = "bluesky"
    documented = (
        "https://github.com/bluesky-social/jetstream (README; the /subscribe wire format, kept by"
        " version 2: docs/superpowers/specs/2026-05-27-subscribe-v1-filtering-design.md), read on"
        " 2026-12-01",
        "https://github.com/bluesky-social/atproto/tree/main/lexicons/app/bsky (feed/defs.json,"
        " getAuthorFeed, getPostThread, getPosts, getQuotes, actor/getProfile), read on 2026-12-01",
        "https://docs.bsky.app/docs/advanced-guides/rate-limits, read on 2026-12-01",
    )
    # No token is needed, so none can expire.
    kinds: ClassVar[Mapping[Refusal, FaultKind]] = {
        refusal: kind for refusal, kind in KINDS.items() if refusal is not Refusal.EXPIRED
    }
    removals = posts = followers = True

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.handle = "lena-park.bsky.social"
        self.deleted_posts: set[str] = set()
        self.quotes: dict[str, FakeComment] = {}
        self.events: list[tuple[int, str]] = []
        self.kept_from = 0  # microseconds: older events are not there any more
        self.paths: list[str] = []
        self._listeners: list[asyncio.Queue[str | None]] = []
        self._jetstream: Server | None = None

    def settings(self) -> dict[str, Any]:
        return {"api_url": self.url, "jetstream_hosts": [self.stream_url]}

    async def start(self) -> None:
        await super().start()
        self._jetstream = await serve(self._stream, "127.0.0.1", 0)

    async def stop(self) -> None:
        self.hang_up()
        if self._jetstream is not None:
            self._jetstream.close()
            await self._jetstream.wait_closed()
        await super().stop()

    @property
    def stream_url(self) -> str:
        """Where Jetstream answers."""
        assert self._jetstream is not None
        port = next(iter(self._jetstream.sockets)).getsockname()[1]
        return f"ws://127.0.0.1:{port}"

    def publish(self, *comments: FakeComment) -> None:
        """People write comments, change them or delete them; the stream says so at once."""
        for comment in comments:
            operation = "update" if comment.comment_id in self.comments else "create"
            record = None if comment.removed else self.record(comment)
            author = f"did:plc:{comment.author_id}"
            super().publish(comment)
            self.commit(
                author,
                comment.comment_id,
                record,
                operation="delete" if comment.removed else operation,
            )

    # The stream.

    async def _stream(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.paths.append(connection.request.path)
        asked = parse_qs(urlsplit(connection.request.path).query)
        waiting: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners.append(waiting)
        if "cursor" in asked:
            begin = max(int(asked["cursor"][0]), self.kept_from)
            for at, message in list(self.events):
                if at >= begin:
                    await connection.send(message)
        while (message_or_end := await waiting.get()) is not None:
            await connection.send(message_or_end)

    def send(self, message: str, at: int | None = None) -> None:
        """A message of the stream, whatever it is."""
        self.events.append((microseconds(self.clock.now()) if at is None else at, message))
        for listener in self._listeners:
            listener.put_nowait(message)

    def hang_up(self) -> None:
        """Close the connections."""
        for listener in self._listeners:
            listener.put_nowait(None)
        self._listeners.clear()

    @property
    def connected(self) -> int:
        """Connections there are."""
        return len(self._listeners)

    def commit(
        self,
        author: str,
        rkey: str,
        record: Mapping[str, Any] | None,
        *,
        operation: str = "create",
        at: datetime | None = None,
    ) -> None:
        """An event of a record."""
        time_us = microseconds(at or self.clock.now())
        change = {"rev": "3l", "operation": operation, "collection": COLLECTION, "rkey": rkey}
        if record is not None:
            change |= {"record": record, "cid": "bafy"}  # type: ignore[dict-item]
        self.event({"did": author, "time_us": time_us, "kind": "commit", "commit": change})

    def account(self, did: str, status: str | None) -> None:
        """An account goes, or comes back."""
        found: dict[str, Any] = {"active": status is None, "did": did, "seq": 1}
        if status is not None:
            found["status"] = status
        time_us = microseconds(self.clock.now())
        self.event({"did": did, "time_us": time_us, "kind": "account", "account": found})

    def event(self, event: Mapping[str, Any]) -> None:
        """An event, as Jetstream writes JSON."""
        self.send(json.dumps(event, separators=(",", ":"), ensure_ascii=False), event["time_us"])

    # The API.

    def answer(self, request: Request) -> Response:
        method = request.path.rpartition(".")[2]
        if method == "getProfile":
            return self._profile(request.args["actor"])
        if method == "getAuthorFeed":
            return self._feed(int(request.args.get("cursor", 0)))
        if method == "getPostThread":
            return self._thread(request.args["uri"])
        if method == "getPosts":
            wanted = request.args.getlist("uris")
            there = {view["uri"]: view for view in map(self.view, self.living())}
            return self.json({"posts": [there[uri] for uri in wanted if uri in there]})
        if method == "getQuotes":
            views = [self.view(one, quoted=True) for one in self.quotes.values() if not one.removed]
            return self.json({"uri": request.args["uri"], "posts": views})
        return self.json({"error": "MethodNotImplemented", "message": "No"}, status=501)

    def refused(self, refusal: Refusal) -> Response:
        names = {"403": "Forbidden", "429": "RateLimitExceeded", "500": "InternalServerError"}
        status = int(refusal.value)
        return self.json({"error": names[refusal.value], "message": "Refused"}, status=status)

    def living(self, post_id: str | None = None) -> list[FakeComment]:
        """Comments that exist."""
        return [
            one
            for one in self.comments.values()
            if not one.removed and post_id in {None, one.post_id}
        ]

    def view(self, comment: FakeComment, *, quoted: bool = False) -> dict[str, Any]:
        """A comment as a post view."""
        author = f"did:plc:{comment.author_id}"
        return {
            "uri": address(author, comment.comment_id),
            "cid": "bafy",
            "author": {"did": author, "handle": f"{comment.author_id}.bsky.social"},
            "record": self.record(comment, quoted=quoted),
            "likeCount": comment.likes,
            "replyCount": 0,
            "repostCount": 0,
            "indexedAt": comment.created_at.isoformat(),
        }

    def record(self, comment: FakeComment, *, quoted: bool = False) -> dict[str, Any]:
        """What its author wrote."""
        top = {"uri": address(KOL_DID, comment.post_id), "cid": "bafy"}
        parent = top
        if comment.parent_id is not None:
            above = self.comments.get(comment.parent_id)
            author = f"did:plc:{above.author_id}" if above else "did:plc:nobody"
            parent = {"uri": address(author, comment.parent_id), "cid": "bafy"}
        record: dict[str, Any] = {
            "$type": COLLECTION,
            "text": comment.text,
            "createdAt": comment.created_at.isoformat().replace("+00:00", "Z"),
            "langs": ["vi"],
        }
        if quoted:
            return record | {"embed": {"$type": "app.bsky.embed.record", "record": top}}
        return record | {"reply": {"root": top, "parent": parent}}

    def post_view(self, post_id: str) -> dict[str, Any]:
        """A post of the KOL."""
        written = [one.created_at for one in self.comments.values() if one.post_id == post_id]
        at = min(written, default=self.clock.now()) - timedelta(hours=1)
        return {
            "uri": address(KOL_DID, post_id),
            "cid": "bafy",
            "author": {"did": KOL_DID, "handle": self.handle},
            "record": {
                "$type": COLLECTION,
                "text": f"The post {post_id}",
                "createdAt": at.isoformat(),
            },
            "likeCount": 12,
            "replyCount": len(self.living(post_id)),
            "repostCount": 3,
            "quoteCount": sum(not one.removed for one in self.quotes.values()),
            "indexedAt": at.isoformat(),
        }

    def _profile(self, actor: str) -> Response:
        if actor not in {self.handle, KOL_DID}:
            error = {"error": "InvalidRequest", "message": "Profile not found"}
            return self.json(error, status=400)
        return self.json({"did": KOL_DID, "handle": self.handle, "followersCount": 4100})

    def _feed(self, start: int) -> Response:
        named = list(dict.fromkeys(one.post_id for one in self.comments.values()))
        posts = [post_id for post_id in reversed(named) if post_id not in self.deleted_posts]
        part = posts[start : start + self.page]
        found: dict[str, Any] = {"feed": [{"post": self.post_view(post_id)} for post_id in part]}
        if start + self.page < len(posts):
            found["cursor"] = str(start + self.page)
        return self.json(found)

    def _thread(self, uri: str) -> Response:
        post_id = uri.rpartition("/")[2]
        if post_id in self.deleted_posts:
            error = {"error": "NotFound", "message": f"Post not found: {uri}"}
            return self.json(error, status=400)
        living = self.living(post_id)
        nodes: dict[str | None, dict[str, Any]] = {
            one.comment_id: {"post": self.view(one), "replies": []} for one in living
        }
        top: dict[str, Any] = {"post": self.post_view(post_id), "replies": []}
        for one in living:
            nodes.get(one.parent_id, top)["replies"].append(nodes[one.comment_id])
        return self.json({"thread": top})


FAKE = BlueskyPlatform
