"""The server of a platform for the tests: pages, ETags, refusals, cut answers, wrong clocks.

Each type of source has a fake in `tests/sources/fakes/`, built from the platform's public
documentation; it exports its class as `FAKE`.
"""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from typing import Any, ClassVar

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from serving.clock import Clock
from serving.sources.faults import FaultKind
from serving.sources.source import WebhookRequest


@dataclass(frozen=True, slots=True)
class FakeComment:
    """A comment as the platform has it."""

    comment_id: str
    text: str
    created_at: datetime
    author_id: str = "author-1"
    post_id: str = "post-1"
    parent_id: str | None = None
    likes: int = 0
    edited_at: datetime | None = None
    removed: bool = False


class Refusal(StrEnum):
    """How a platform fails."""

    EXPIRED = "401"
    FORBIDDEN = "403"
    BUSY = "429"
    BROKEN = "500"
    TRUNCATED = "truncated"


KINDS: Mapping[Refusal, FaultKind] = {
    Refusal.EXPIRED: FaultKind.TOKEN_EXPIRED,
    Refusal.FORBIDDEN: FaultKind.PERMISSION_LOST,
    Refusal.BUSY: FaultKind.RATE_LIMITED,
    Refusal.BROKEN: FaultKind.PLATFORM_UNAVAILABLE,
    Refusal.TRUNCATED: FaultKind.BAD_ANSWER,
}
RETRY_AFTER = 37


# Servers that no fake uses now. One takes half a second to stop, so they are used again.
_FREE: list[HTTPServer] = []


def _free_server() -> HTTPServer:
    if _FREE:
        return _FREE.pop()
    server = HTTPServer(host="127.0.0.1", port=0)
    server.start()
    return server


def stop_servers() -> None:
    """Stop the servers of all fakes, after the last test."""
    while _FREE:
        _FREE.pop().stop()


class FakePlatform(ABC):
    """A platform with one account of one KOL.

    A fake of an HTTP API says in `answer` what its paths answer; everything else is here. A fake of
    a webhook makes signed requests of what was published, in `deliveries`. A fake of a stream
    that is not HTTP starts its server in `start`.

    Attributes:
        type: of the source.
        documented: the pages of the platform that it is built from, with the day they were read.
        kinds: the fault that each refusal has to become; those that this platform does not know
            are left out.
        has_kol: whether its source is set up for one KOL, and its comments do not say whose.
        asks: whether the source sends requests, which cost quota.
        edits: whether the source brings edits.
        removals: whether the source brings removals.
        posts: whether the source brings posts.
        followers: whether the source brings followers.
        page: comments on one page of an answer.
        requests: everything that was asked, in order.
        skew: how far its clock is ahead.
        comments: what was published, by id, in order of publication.
    """

    type: ClassVar[str]
    documented: ClassVar[tuple[str, ...]]
    kinds: ClassVar[Mapping[Refusal, FaultKind]] = KINDS
    has_kol: ClassVar[bool] = True
    asks: ClassVar[bool] = True
    edits: ClassVar[bool] = False
    removals: ClassVar[bool] = False
    posts: ClassVar[bool] = False
    followers: ClassVar[bool] = False

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.server = _free_server()
        self.page = 10
        self.requests: list[Request] = []
        self.skew = timedelta()
        self.comments: dict[str, FakeComment] = {}
        self._undelivered: list[FakeComment] = []
        self._refusals: deque[Refusal] = deque()

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The settings of a source that reads this fake, secrets too."""

    async def start(self) -> None:
        """Begin to answer."""
        self.begin()

    async def stop(self) -> None:
        """Stop."""
        self.end()

    def begin(self) -> None:
        """As `start`, for tests of the whole service; for fakes that are HTTP servers alone."""
        self.server.expect_request(re.compile(".*")).respond_with_handler(self._respond)

    def end(self) -> None:
        """As `stop`."""
        self.server.clear()
        _FREE.append(self.server)

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return self.server.url_for("/").rstrip("/")

    # What happens on the platform.

    def publish(self, *comments: FakeComment) -> None:
        """People write comments."""
        for comment in comments:
            self.comments[comment.comment_id] = comment
            self._undelivered.append(comment)

    def edit(self, comment_id: str, text: str) -> None:
        """Somebody edits a comment."""
        edited = replace(self.comments[comment_id], text=text, edited_at=self.clock.now())
        self.publish(edited)

    def remove(self, comment_id: str) -> None:
        """Somebody removes a comment."""
        self.publish(replace(self.comments[comment_id], removed=True))

    def refuse(self, refusal: Refusal, times: int = 1) -> None:
        """Refuse the next requests."""
        self._refusals.extend([refusal] * times)

    # What the platform answers.

    def answer(self, request: Request) -> Response:
        """What a request is answered with; for fakes of HTTP APIs."""
        return Response(status=404)

    def refused(self, refusal: Refusal) -> Response:
        """What a refusal looks like; platforms explain themselves in the body."""
        return Response(refusal.value, status=int(refusal.value))

    def deliveries(self) -> Sequence[WebhookRequest]:
        """What the platform sends to the webhook of what was published since the last time."""
        return ()

    def delivery(self, body: bytes) -> WebhookRequest:
        """A request with this body, signed as the platform signs; for fakes of webhooks."""
        raise NotImplementedError(f"{self.type} has no webhook")

    def undelivered(self) -> Sequence[FakeComment]:
        """What was published since the last time; for `deliveries`."""
        found, self._undelivered = self._undelivered, []
        return found

    def json(self, body: Any, *, status: int = 200) -> Response:
        """An answer in JSON."""
        return Response(json.dumps(body), status=status, mimetype="application/json")

    def _respond(self, request: Request) -> Response:
        self.requests.append(request)
        refusal = self._refusals.popleft() if self._refusals else None
        if refusal not in {None, Refusal.TRUNCATED}:
            found = self.refused(refusal)
            if refusal is Refusal.BUSY and "Retry-After" not in found.headers:
                found.headers["Retry-After"] = str(RETRY_AFTER)
        else:
            found = self.answer(request)
            body = found.get_data()
            etag = hashlib.sha256(body).hexdigest()[:20]
            if found.status_code == 200 and request.method == "GET" and body:
                found.set_etag(etag)
                if etag in request.if_none_match:
                    found = Response(status=304)
            if refusal is Refusal.TRUNCATED:
                found = Response(body[: max(1, len(body) // 2)], mimetype=found.mimetype)
        found.headers["Date"] = format_datetime(self.clock.now() + self.skew, usegmt=True)
        return found
