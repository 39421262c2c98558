"""Asks the TikTok API for Business: codes in the body, tokens that live for a day."""

import json
from collections.abc import Mapping
from typing import Any

from serving.sources.faults import (
    AccountGone,
    BadAnswer,
    PermissionLost,
    PlatformBusy,
    PlatformUnavailable,
    SourceFault,
    SubscriptionLost,
    TokenExpired,
)
from serving.sources.platform_client import PlatformAnswer, retry_after
from serving.sources.source_context import SourceContext
from serving.sources.tiktok.settings import TikTokSpec

_BUSY = {40016, 40100, 40133}
_TOKEN = {40101, 40102, 40104, 40105}
_REFRESH_TOKEN = {40103}
_PERMISSION = {40001}
NOT_THERE = {40002, 40404}  # TikTok calls the id of a deleted video an invalid parameter
_CONNECT_AGAIN = (
    "let the account allow the app again as docs/sources/tiktok.md says, and enter the new"
    " refresh_token"
)
_OTHER_ADDRESS = (
    "turn the source's setting webhook off, or delete the other subscription with TikTok's"
    " /business/webhook/delete/"
)


class TikTokRefusal(BadAnswer):
    """TikTok refused a request with a code that has no fault of its own."""


class MissingVideo(AccountGone):
    """TikTok does not know a video or a comment, or takes its id for wrong."""


class TikTokBusinessApi:
    """The API, with the tokens of a source."""

    def __init__(self, spec: TikTokSpec, context: SourceContext) -> None:
        """Prepare; nothing is asked yet."""
        self._spec = spec
        self._context = context
        self._refresh_token = spec.refresh_token.get_secret_value()
        self._client = context.client(spec.api_url)
        if spec.access_token is not None:
            self._client.headers["Access-Token"] = spec.access_token.get_secret_value()

    async def get(self, path: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The `data` of an answer. Lists and objects among the parameters are sent as JSON.

        Raises:
            SourceFault: TikTok refused, by status or by code.
        """
        written = {
            name: json.dumps(value) if isinstance(value, list | dict) else value
            for name, value in {"business_id": self._spec.business_id, **params}.items()
        }
        if "Access-Token" not in self._client.headers:
            await self._refresh()
        try:
            return _data(await self._client.get(path, written))
        except TokenExpired:
            await self._refresh()
            return _data(await self._client.get(path, written))

    async def callback_url(self) -> str | None:
        """Where TikTok sends its calls about comments; None if nowhere."""
        # TikTok wants the app's secret in the query of this request.
        answer = await self._client.get("/business/webhook/list/", self._subscription())
        found = _data(answer).get("callback_url")
        return str(found) if found else None

    async def subscribe(self, url: str) -> None:
        """Let TikTok call about comments.

        Raises:
            SubscriptionLost: it refuses.
        """
        try:
            _data(
                await self._client.post(
                    "/business/webhook/update/",
                    json_body={**self._subscription(), "callback_url": url},
                )
            )
        except (PermissionLost, TikTokRefusal, MissingVideo) as error:
            raise SubscriptionLost(f"TikTok does not subscribe the webhook: {error}") from None

    def other_address(self, host: str) -> SubscriptionLost:
        """The fault of an app that calls somebody else."""
        return SubscriptionLost(f"the app calls another address, at {host}", remedy=_OTHER_ADDRESS)

    def _subscription(self) -> dict[str, str]:
        secret = self._spec.app_secret.get_secret_value()
        return {"app_id": self._spec.app_id, "secret": secret, "event_type": "COMMENT"}

    async def _refresh(self) -> None:
        """Get a new access token. TikTok may give out a new refresh token with it."""
        self._client.headers.pop("Access-Token", None)
        answer = await self._client.post(
            "/tt_user/oauth2/refresh_token/",
            json_body={
                "client_id": self._spec.app_id,
                "client_secret": self._spec.app_secret.get_secret_value(),
                "grant_type": "refresh_token",
                "refresh_token": self._refresh_token,
            },
        )
        try:
            data = _data(answer)
        except (TokenExpired, TikTokRefusal, MissingVideo) as error:
            raise TokenExpired(
                f"TikTok gives out no new access token: {error}", remedy=_CONNECT_AGAIN
            ) from None
        access, refresh = data.get("access_token"), data.get("refresh_token")
        if not isinstance(access, str) or not access:
            raise BadAnswer("TikTok's answer has no access_token")
        self._client.headers["Access-Token"] = access
        saved = {"access_token": access}
        if isinstance(refresh, str) and refresh:
            self._refresh_token = refresh
            saved["refresh_token"] = refresh
        await self._context.secrets.save(saved)


def rows_of(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The list of objects in the data of an answer.

    Raises:
        BadAnswer: it is none.
    """
    found = data.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise BadAnswer(f"TikTok's answer has no list of {name}")
    return found


def _data(answer: PlatformAnswer) -> Mapping[str, Any]:
    body = answer.object()
    code = body.get("code")
    if code == 0:
        found = body.get("data") or {}
        if not isinstance(found, Mapping):
            raise BadAnswer("TikTok's answer has data that is no object")
        return found
    if not isinstance(code, int):
        raise BadAnswer("TikTok's answer has no code")
    raise _refusal(code, str(body.get("message") or "")[:200], answer)


def _refusal(code: int, says: str, answer: PlatformAnswer) -> SourceFault:
    message = f"TikTok answered {code}: {says}"
    if code in _BUSY:
        return PlatformBusy(message, retry_after=retry_after(answer))
    if code in _TOKEN | _REFRESH_TOKEN:
        return TokenExpired(message, remedy=_CONNECT_AGAIN)
    if code in _PERMISSION:
        return PermissionLost(message)
    if code in NOT_THERE:
        return MissingVideo(message)
    if 50_000 <= code < 60_000:
        return PlatformUnavailable(message, retry_after=retry_after(answer))
    return TikTokRefusal(message)
