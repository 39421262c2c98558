"""Tokens and limits of Reddit's API."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from serving.sources.faults import BadAnswer, PlatformBusy, TokenExpired
from serving.sources.platform_client import PlatformAnswer
from serving.sources.source_context import SourceContext

_EARLY = timedelta(minutes=1)  # before its end a token is renewed
_REMEDY = (
    "check the client id, the secret and the refresh token at https://www.reddit.com/prefs/apps"
)


class RedditSession:
    """Asks with a token that it gets and renews; stays below what Reddit says is left."""

    def __init__(
        self,
        context: SourceContext,
        *,
        api_url: str,
        token_url: str,
        client_id: str,
        client_secret: str,
        refresh_token: str | None,
        user_agent: str,
    ) -> None:
        agent = {"User-Agent": user_agent}
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._api = context.client(api_url, headers=agent)
        self._tokens = context.client(
            token_url, headers={**agent, "Authorization": f"Basic {basic}"}
        )
        self._refresh_token = refresh_token
        self._context = context
        self._ends_at: datetime | None = None
        self._free_at: datetime | None = None

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON of an answer.

        Raises:
            PlatformBusy: what Reddit allows until then is used up.
            TokenExpired: the credentials are not valid any more.
            SourceFault: as of `PlatformClient`.
        """
        now = self._context.clock.now()
        if self._free_at is not None and now < self._free_at:
            pause = (self._free_at - now).total_seconds()
            raise PlatformBusy("Reddit allows no more requests in this period", retry_after=pause)
        if self._ends_at is None or now >= self._ends_at - _EARLY:
            await self._renew(now)
        try:
            answer = await self._api.get(path, {**(params or {}), "raw_json": 1})
        except TokenExpired:
            self._ends_at = None  # the next attempt gets a new one
            raise
        self._observe(answer)
        return answer.json()

    async def _renew(self, now: datetime) -> None:
        form = {"grant_type": "client_credentials"}
        if self._refresh_token is not None:
            form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        try:
            answer = await self._tokens.post("/api/v1/access_token", form=form)
        except TokenExpired as fault:
            raise TokenExpired(str(fault), remedy=_REMEDY) from None
        found = answer.object()
        if "error" in found:  # a wrong refresh token is answered with 200
            raise TokenExpired(f"Reddit gives no token: {found['error']}", remedy=_REMEDY)
        try:
            token, seconds = str(found["access_token"]), float(found["expires_in"])
        except (KeyError, TypeError, ValueError):
            raise BadAnswer("Reddit gave no token and no reason") from None
        self._api.headers["Authorization"] = f"bearer {token}"
        self._ends_at = now + timedelta(seconds=min(max(seconds, 0.0), 86_400.0))

    def _observe(self, answer: PlatformAnswer) -> None:
        try:
            left = float(answer.headers["X-Ratelimit-Remaining"])
            reset = float(answer.headers["X-Ratelimit-Reset"])
        except (KeyError, ValueError):
            return
        self._context.quota.observe(int(left))
        if left < 1:
            self._free_at = answer.at + timedelta(seconds=min(max(reset, 0.0), 3600.0))
