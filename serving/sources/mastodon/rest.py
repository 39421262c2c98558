"""Mastodon's REST API: typed answers, pages by the Link header, the server's limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import httpx
import msgspec

from serving.sources.faults import AccountGone, BadAnswer, PlatformBusy, SourceFault
from serving.sources.mastodon.status import MastodonStatus, StatusAccount
from serving.sources.platform_client import PlatformAnswer, PlatformClient, retry_after

T = TypeVar("T")

PAGE = 40


@dataclass(frozen=True, slots=True)
class StatusPage:
    """Statuses of one answer.

    Attributes:
        statuses: newest first.
        next: the whole address of the next page; None at the end.
    """

    statuses: Sequence[MastodonStatus]
    next: str | None


class StatusContext(msgspec.Struct, frozen=True):
    """What is above and below a status."""

    descendants: list[MastodonStatus]


class MastodonNotification(msgspec.Struct, frozen=True):
    """Something that concerns the account of the token."""

    type: str
    status: MastodonStatus | None = None


class MastodonRest:
    """Asks a server."""

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    async def account(self, name: str, known_id: str | None = None) -> StatusAccount:
        """An account, by its id if it is known: names change with the server's domain."""
        if known_id is not None:
            answer = await self._client.get(f"/api/v1/accounts/{known_id}")
        else:
            answer = await self._client.get("/api/v1/accounts/lookup", {"acct": name})
        return read_as(answer.json(), StatusAccount)

    async def token_owner(self) -> StatusAccount:
        """Whose token it is."""
        answer = await self._client.get("/api/v1/accounts/verify_credentials")
        return read_as(answer.json(), StatusAccount)

    async def streaming_url(self) -> str | None:
        """Where the server says that it streams; None for itself."""
        answer = await self._client.get("/api/v2/instance")
        found: Any = answer.json()
        try:
            return str(found["configuration"]["urls"]["streaming"]).rstrip("/") or None
        except (KeyError, TypeError):
            return None

    async def page(self, path: str) -> StatusPage:
        """Statuses of a path or of a "next" address."""
        params = None if path.startswith("http") else {"limit": PAGE}
        answer = await self._client.get(path, params)
        return StatusPage(read_as(answer.json(), list[MastodonStatus]), _next(answer))

    async def mentions(self, path: str | None) -> StatusPage:
        """Statuses that mention the token's owner."""
        first = "/api/v1/notifications?types[]=mention"
        answer = await self._client.get(path or first, None if path else {"limit": PAGE})
        found = read_as(answer.json(), list[MastodonNotification])
        return StatusPage([one.status for one in found if one.status is not None], _next(answer))

    async def below(self, status_id: str) -> Sequence[MastodonStatus] | None:
        """What was answered; None if the status was deleted."""
        try:
            answer = await self._client.get(f"/api/v1/statuses/{status_id}/context")
        except AccountGone:
            return None
        return read_as(answer.json(), StatusContext).descendants

    async def exists(self, status_id: str) -> bool:
        """Whether a status still exists."""
        try:
            await self._client.get(f"/api/v1/statuses/{status_id}")
        except AccountGone:
            return False
        return True


def read_as(value: Any, shape: type[T]) -> T:
    """A value in a shape.

    Raises:
        BadAnswer: it does not have it.
    """
    try:
        return msgspec.convert(value, shape)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadAnswer(f"the server answered something unexpected: {error}") from None


def read_limit(answer: PlatformAnswer) -> SourceFault | None:
    """A refusal for too many requests; Mastodon says in a header of its own when it ends."""
    if answer.status != 429:
        return None
    pause = retry_after(answer)
    if pause is None:
        try:
            reset = datetime.fromisoformat(answer.headers.get("X-RateLimit-Reset", ""))
            pause = max((reset - answer.at).total_seconds(), 1.0)
        except (ValueError, TypeError):
            pause = None
    return PlatformBusy("the server allows 300 requests in 5 minutes (429)", retry_after=pause)


def _next(answer: PlatformAnswer) -> str | None:
    links = httpx.Response(200, headers=_links(answer.headers)).links
    found = links.get("next", {}).get("url")
    return None if found is None else str(found)


def _links(headers: Mapping[str, str]) -> dict[str, str]:
    return {"Link": headers["Link"]} if "Link" in headers else {}
