"""What the fakes of Instagram, Facebook and Threads have in common: Meta's server."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any, ClassVar

from werkzeug import Request, Response

from serving.clock import Clock
from serving.sources.source import WebhookRequest
from tests.sources.fake_platform import FakeComment, FakePlatform, Refusal

APP_SECRET = "5ecret-of-the-app"
VERIFY_TOKEN = "verify-me"
TOKEN = "IGAA-token-of-lena"


class GraphError(Exception):
    """An answer of Meta's with an error."""

    def __init__(self, code: int, message: str, *, subcode: int | None = None, status: int = 400):
        super().__init__(message)
        self.code = code
        self.subcode = subcode
        self.status = status


MISSING = GraphError(
    100, "Unsupported get request. Object does not exist or permissions are missing", subcode=33
)
_REFUSALS = {
    Refusal.EXPIRED: GraphError(
        190, "Error validating access token: Session has expired", subcode=463
    ),
    Refusal.FORBIDDEN: GraphError(10, "Application does not have permission", status=403),
    Refusal.BUSY: GraphError(4, "Application request limit reached", status=403),
    Refusal.BROKEN: GraphError(2, "Service temporarily unavailable", status=500),
}


class GraphFake(FakePlatform):
    """Meta's server.

    Attributes:
        handle: of the account.
        followers_count: of the account.
        subscribed: whether the account has the app installed.
        tokens: those that hold, with the account of each.
        headers: of every answer, for usage.
        gone_posts: posts that were deleted.
        missing_pages: of comments that are answered empty although there are some.
        renewals: how often a token was renewed.
        new_token: that the next renewal gives; None for the same again.
        can_subscribe: whether the app may be installed.
        handles: of further accounts.
    """

    account_id: ClassVar[str] = "17841400000000001"
    has_kol = False

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.handle = "lena-park"
        self.followers_count = 120_000
        self.subscribed = True
        self.tokens: dict[str, str] = {TOKEN: self.account_id}
        self.headers: dict[str, str] = {}
        self.gone_posts: set[str] = set()
        self.missing_pages = 0
        self.renewals = 0
        self.new_token: str | None = None
        self.can_subscribe = True
        self._answered_yet: int | None = None
        self.handles: dict[str, str] = {}

    def common_settings(self) -> dict[str, Any]:
        return {
            "tokens": TOKEN,
            "app_secret": APP_SECRET,
            "verify_token": VERIFY_TOKEN,
            "api_url": self.url,
        }

    # Answers.

    def node(self, request: Request, path: list[str], account_id: str) -> Any:
        """What a path below the version answers to an account's token."""
        raise MISSING

    def answer(self, request: Request) -> Response:
        try:
            if self._answered_yet is not None:
                self._answered_yet -= 1
                if self._answered_yet < 0:
                    self._answered_yet = None if self._answered_yet < -1 else self._answered_yet
                    raise _REFUSALS[Refusal.BROKEN]
            parts = request.path.strip("/").split("/")
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            account_id = self.tokens.get(token)
            if account_id is None:
                raise _REFUSALS[Refusal.EXPIRED]
            if parts[0] == "refresh_access_token":
                found: Any = self.renewed(request, token)
            else:
                assert parts[0].startswith("v"), "every other path has a version"
                found = self.node(request, parts[1:], account_id)
        except GraphError as error:
            return self._error(error)
        answer = self.json(found)
        answer.headers.update(self.headers)
        return answer

    def answer_only(self, count: int) -> None:
        """Answer some requests, and refuse the two after them."""
        self._answered_yet = count

    def renewed(self, request: Request, token: str) -> Any:
        assert request.args["access_token"] == token
        self.renewals += 1
        if self.new_token is not None:
            self.tokens[self.new_token] = self.tokens[token]
            token, self.new_token = self.new_token, None
        return {"access_token": token, "token_type": "bearer", "expires_in": 60 * 86400}

    def refused(self, refusal: Refusal) -> Response:
        return self._error(_REFUSALS[refusal])

    def _error(self, error: GraphError) -> Response:
        body = {
            "message": str(error),
            "type": "OAuthException",
            "code": error.code,
            "fbtrace_id": "AbCdEf",
        }
        if error.subcode is not None:
            body["error_subcode"] = error.subcode
        return self.json({"error": body}, status=error.status)

    def paged(
        self, request: Request, rows: Sequence[FakeComment], edge: str, limit: int | None = None
    ) -> tuple[list[FakeComment], dict[str, Any]]:
        """A page of rows, and its `paging`; a cursor is invalid once its row is deleted."""
        after = request.args.get("after")
        start = 0
        if after is not None:
            marked = base64.b64decode(after).decode()
            places = [n for n, row in enumerate(rows) if row.comment_id == marked]
            if not places:
                raise GraphError(100, "Invalid parameter: the cursor is invalid")
            start = places[0] + 1
        size = min(int(request.args.get("limit", 25)), self.page if limit is None else limit)
        found = list(rows[start : start + size])
        paging: dict[str, Any] = {}
        if found:
            cursor = base64.b64encode(found[-1].comment_id.encode()).decode()
            paging["cursors"] = {"before": "x", "after": cursor}
            if len(rows) > start + size:
                paging["next"] = f"{self.url}/{edge}?after={cursor}&access_token=hidden"
        return found, paging

    def there(self, post_id: str) -> list[FakeComment]:
        """The comments of a post, newest first."""
        if post_id in self.gone_posts or post_id not in self.post_ids():
            raise MISSING
        if self.missing_pages:
            self.missing_pages -= 1
            return []
        found = [one for one in self.comments.values() if one.post_id == post_id]
        found = [one for one in found if not one.removed]
        return sorted(found, key=lambda one: (one.created_at, one.comment_id), reverse=True)

    def post_ids(self) -> list[str]:
        found = dict.fromkeys(one.post_id for one in self.comments.values())
        return [one for one in found if one not in self.gone_posts]

    def handle_of(self, account_id: str) -> str:
        return self.handles.get(account_id, self.handle)

    def comment(self, comment_id: str) -> FakeComment:
        found = self.comments.get(comment_id)
        if found is None or found.removed or found.post_id in self.gone_posts:
            raise MISSING
        return found

    # Calls.

    def delivery(self, body: bytes) -> WebhookRequest:
        signature = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"content-type": "application/json", "x-hub-signature-256": f"sha256={signature}"}
        return WebhookRequest("POST", {}, headers, body)

    def call(self, body: Any) -> WebhookRequest:
        return self.delivery(json.dumps(body).encode())


def stamp(comment: FakeComment) -> str:
    """A time as Meta writes it."""
    return comment.created_at.strftime("%Y-%m-%dT%H:%M:%S+0000")
