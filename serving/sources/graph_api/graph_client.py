"""Asks Meta's Graph API in the name of accounts, and keeps below its rate limits."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from serving.clock import Clock
from serving.sources.faults import BadAnswer, PlatformBusy
from serving.sources.graph_api.graph_faults import (
    GraphUsage,
    app_usage,
    business_usage,
    graph_fault,
)
from serving.sources.platform_client import PlatformAnswer
from serving.sources.source_context import SourceContext

_EVERYBODY = ""


class GraphClient:
    """One host of the Graph API; each request names its token."""

    def __init__(
        self, context: SourceContext, base_url: str, *, proof_secret: str | None = None
    ) -> None:
        """Prepare.

        Args:
            context: of the source.
            base_url: the host and the version.
            proof_secret: the app's secret, if the host takes `appsecret_proof`.
        """
        self._client = context.client(base_url, read_fault=graph_fault)
        self._clock: Clock = context.clock
        self._proof_secret = proof_secret
        self._paused: dict[str, datetime] = {}

    async def get(
        self, path: str, token: str, params: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """GET a path.

        Raises:
            SourceFault: a rate limit is nearly reached, or Meta refused.
        """
        return await self._request("GET", path, token, params)

    async def post(
        self, path: str, token: str, params: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """POST to a path; see `get`."""
        return await self._request("POST", path, token, params)

    async def _request(
        self, method: str, path: str, token: str, params: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        self._check_pause(token)
        found = dict(params or {})
        if self._proof_secret is not None:
            found["appsecret_proof"] = hmac.new(
                self._proof_secret.encode(), token.encode(), hashlib.sha256
            ).hexdigest()
        answer = await self._client.request(
            method, path, params=found, headers={"Authorization": f"Bearer {token}"}
        )
        self._note(_EVERYBODY, app_usage(answer.headers))
        self._note(token, business_usage(answer.headers))
        if (fault := graph_fault(answer)) is not None:  # with the status 200
            raise fault
        return answer.object()

    def _check_pause(self, token: str) -> None:
        now = self._clock.now()
        for key in (_EVERYBODY, token):
            if (until := self._paused.get(key)) is not None and until > now:
                raise PlatformBusy(
                    "nearly all requests that Meta allows are used; nothing is asked until"
                    f" {until:%H:%M} UTC",
                    retry_after=(until - now).total_seconds(),
                )

    def _note(self, key: str, usage: GraphUsage | None) -> None:
        if usage is not None and (pause := usage.pause) is not None:
            self._paused[key] = self._clock.now() + timedelta(seconds=pause)


def items_of(body: Mapping[str, Any], what: str) -> list[Mapping[str, Any]]:
    """The list of an answer.

    Raises:
        BadAnswer: there is none.
    """
    found = body.get("data")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadAnswer(f"Meta answered no list of {what}")
    return found


def next_of(body: Mapping[str, Any]) -> str | None:
    """The cursor of the next page; None on the last.

    A page may be empty although there are more.
    """
    paging = body.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return str(after) if after else None


def text_of(item: Mapping[str, Any], name: str) -> str:
    """A value that has to be there.

    Raises:
        BadAnswer: it is not.
    """
    found = item.get(name)
    if not isinstance(found, str | int) or found == "":
        raise BadAnswer(f"Meta answered an item without {name!r}")
    return str(found)


def time_of(item: Mapping[str, Any], name: str) -> datetime:
    """A time: ISO 8601 or seconds since 1970. Meta's times are UTC.

    Raises:
        BadAnswer: it is none.
    """
    found = item.get(name)
    try:
        if isinstance(found, int | float) and not isinstance(found, bool):
            seconds = found / 1000 if found > 1e11 else found
            return datetime.fromtimestamp(seconds, UTC)
        at = datetime.fromisoformat(str(found))
    except (ValueError, OverflowError, OSError):
        raise BadAnswer(f"Meta answered an item whose {name!r} is no time") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def count_of(item: Mapping[str, Any], *path: str) -> int | None:
    """A number somewhere below an item; None if it is not there."""
    found: Any = item
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def optional_text(item: Mapping[str, Any], *path: str) -> str | None:
    """A text or number somewhere below an item, as a text; None if it is not there."""
    found: Any = item
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return str(found) if isinstance(found, str | int) and found != "" else None


__all__ = [
    "GraphClient",
    "PlatformAnswer",
    "count_of",
    "items_of",
    "next_of",
    "optional_text",
    "text_of",
    "time_of",
]
