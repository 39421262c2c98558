"""A Mastodon server: REST with Link headers, and streaming over a websocket."""

import asyncio
import html
import json
from datetime import timedelta
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from werkzeug import Request, Response

from serving.clock import Clock
from tests.sources.fake_platform import FakeComment, FakePlatform

TOKEN = "t0ken-of-the-server"
KOL_ID = "4100"


class MastodonPlatform(FakePlatform):
    """The KOL's statuses, and what was answered."""

    type = "mastodon"
    documented = (
        "https://docs.joinmastodon.org/methods/streaming (events, subscribe, hosts), read on"
        " 2026-12-01",
        "https://docs.joinmastodon.org/methods/accounts, /statuses, /timelines, /notifications,"
        " /api/rate-limits, entities/Status, as known on 2026-12-01",
    )
    edits = removals = posts = followers = True

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.owner = "77"
        self.moved: str | None = None
        self.handle = "lena-park"
        self.deleted_posts: set[str] = set()
        self.subscribed: list[str] = []
        self.tokens: list[str | None] = []
        self._listeners: list[asyncio.Queue[str | None]] = []
        self._streaming: Server | None = None

    def settings(self) -> dict[str, Any]:
        return {"server": self.url, "access_token": TOKEN}

    async def start(self) -> None:
        await super().start()
        self._streaming = await serve(self._stream, "127.0.0.1", 0)

    async def stop(self) -> None:
        self.hang_up()
        if self._streaming is not None:
            self._streaming.close()
            await self._streaming.wait_closed()
        await super().stop()

    # The stream.

    async def _stream(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.tokens.append(connection.request.headers.get("Authorization"))
        self.subscribed.append(str(await connection.recv()))
        waiting: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners.append(waiting)
        while (message := await waiting.get()) is not None:
            await connection.send(message)

    def send(self, event: str, payload: Any) -> None:
        """An event."""
        written = payload if isinstance(payload, str) else json.dumps(payload)
        message = json.dumps({"stream": ["user"], "event": event, "payload": written})
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

    # The API.

    def answer(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.json({"error": "The access token is invalid"}, status=401)
        path = request.path
        if path == "/api/v1/accounts/lookup":
            is_known = request.args["acct"] == self.handle
            return self.json(self.account()) if is_known else self._missing()
        if path == f"/api/v1/accounts/{KOL_ID}":
            return self.json(self.account())
        if path.endswith("/verify_credentials"):
            return self.json({"id": self.owner, "acct": "somebody"})
        if path == "/api/v2/instance":
            assert self._streaming is not None
            port = next(iter(self._streaming.sockets)).getsockname()[1]
            return self.json({"configuration": {"urls": {"streaming": f"ws://127.0.0.1:{port}"}}})
        if path.endswith("/statuses"):
            named = list(dict.fromkeys(one.post_id for one in self.comments.values()))
            posts = [self.post(one) for one in reversed(named) if one not in self.deleted_posts]
            return self._page(request, posts)
        if path.startswith("/api/v1/timelines/tag/") or path == "/api/v1/notifications":
            return self._page(request, [])
        status_id = path.removeprefix("/api/v1/statuses/").removesuffix("/context")
        if not path.endswith("/context"):
            one = self.comments.get(status_id)
            return self._missing() if one is None or one.removed else self.json(self.status(one))
        if status_id in self.deleted_posts:
            return self._missing()
        under = [one for one in self.comments.values() if one.post_id == status_id]
        living = [self.status(one) for one in under if not one.removed]
        return self.json({"ancestors": [], "descendants": living})

    def _missing(self) -> Response:
        return self.json({"error": "Record not found"}, status=404)

    def _page(self, request: Request, found: list[dict[str, Any]]) -> Response:
        start = int(request.args.get("max_id", 0))
        answer = self.json(found[start : start + self.page])
        if start + self.page < len(found):
            link = f"{self.url}{request.path}?max_id={start + self.page}"
            answer.headers["Link"] = f'<{link}>; rel="next", <{link}>; rel="prev"'
        return answer

    def account(self) -> dict[str, Any]:
        """The KOL."""
        moved = {"id": "9", "acct": self.moved} if self.moved else None
        return {"id": KOL_ID, "acct": self.handle, "followers_count": 5120, "moved": moved}

    def status(self, one: FakeComment, **changes: Any) -> dict[str, Any]:
        """An answer."""
        found: dict[str, Any] = {
            "id": one.comment_id,
            "created_at": one.created_at.isoformat(),
            "edited_at": one.edited_at.isoformat() if one.edited_at else None,
            "content": f"<p>{html.escape(one.text)}</p>",
            "visibility": "public",
            "in_reply_to_id": one.parent_id or one.post_id,
            "in_reply_to_account_id": KOL_ID,
            "favourites_count": one.likes,
            "account": {"id": one.author_id, "acct": one.author_id},
            "language": "vi",
            "mentions": [],
            "tags": [],
        }
        return found | changes

    def post(self, post_id: str, **changes: Any) -> dict[str, Any]:
        """A status of the KOL."""
        under = [one for one in self.comments.values() if one.post_id == post_id]
        at = min((one.created_at for one in under), default=self.clock.now()) - timedelta(hours=1)
        found: dict[str, Any] = {
            "id": post_id,
            "created_at": at.isoformat(),
            "content": f"<p>The post {post_id}</p>",
            "visibility": "public",
            "url": f"https://mastodon.example.com/@lena-park/{post_id}",
            "in_reply_to_id": None,
            "favourites_count": 4,
            "reblogs_count": 2,
            "replies_count": len(under),
            "account": {"id": KOL_ID, "acct": self.handle},
        }
        return found | changes


FAKE = MastodonPlatform
