"""Requests of an app to Lark's API, with the token that Lark gives the app."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from serving.clock import Clock
from serving.notify.channels.base import Unavailable
from serving.notify.channels.chat_webhook import HEADERS
from serving.notify.channels.http_post import ask
from serving.notify.channels.lark_answer import TokenEnded, content_of

_API = "/open-apis"
_TOKEN = "/auth/v3/tenant_access_token/internal"  # noqa: S105 - an address
# Lark gives another token once one is valid for less than 30 minutes.
_RENEWED_BEFORE = timedelta(minutes=20)
_MAX_ANSWER = 256 * 1024  # bytes; Lark answers with the card


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renewed_at: datetime


class LarkApp:
    """An app; its token is asked for when it is needed, and renewed before it ends."""

    def __init__(
        self, http: httpx.AsyncClient, host: str, app_id: str, secret: str, clock: Clock
    ) -> None:
        self._http = http
        self._host = host.rstrip("/")
        self._app_id = app_id
        self._secret = secret
        self._clock = clock
        self._token: _Token | None = None

    async def call(self, method: str, path: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """What Lark answers to a request, once more if it knows the token no longer.

        Args:
            method: of HTTP.
            path: below `/open-apis`, with the query.
            content: of the request.

        Raises:
            Unavailable: it was not carried out; try again.
            Rejected: it was not, and never will be.
        """
        for attempt in (1, 2):
            token = await self._valid_token()
            headers = {**HEADERS, "Authorization": f"Bearer {token}"}
            try:
                return await self._ask(method, path, content, headers, {token, self._secret})
            except TokenEnded:
                self._token = None
                if attempt == 2:
                    raise
        raise AssertionError

    async def _valid_token(self) -> str:
        now = self._clock.now()
        if self._token is not None and now < self._token.renewed_at:
            return self._token.value
        asked = {"app_id": self._app_id, "app_secret": self._secret}
        given = await self._ask("POST", _TOKEN, asked, HEADERS, {self._secret})
        value, seconds = given.get("tenant_access_token"), given.get("expire")
        if not (isinstance(value, str) and value and isinstance(seconds, int)):
            raise Unavailable("Lark gave no token")
        lasts = timedelta(seconds=max(0, min(seconds, 86_400)))
        early = min(_RENEWED_BEFORE, lasts / 2)
        self._token = _Token(value, now + lasts - early)
        return value

    async def _ask(
        self,
        method: str,
        path: str,
        content: Mapping[str, Any],
        headers: Mapping[str, str],
        secrets: set[str],
    ) -> Mapping[str, Any]:
        body = json.dumps(content, ensure_ascii=False).encode()
        url = f"{self._host}{_API}{path}"
        answer = await ask(self._http, method, url, body, headers, most=_MAX_ANSWER)
        return content_of(answer, secrets)
