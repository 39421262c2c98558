"""Asks YouTube's Data API with a key or with OAuth, and gets new access tokens by itself."""

from collections.abc import Mapping
from typing import Any

from serving.sources.faults import BadAnswer, SourceFault, TokenExpired
from serving.sources.platform_client import PlatformAnswer
from serving.sources.source_context import SourceContext
from serving.sources.youtube.refusals import read_refusal
from serving.sources.youtube.settings import YouTubeSpec

_CONNECT_AGAIN = (
    "allow the access again as docs/sources/youtube.md says, and enter the new refresh_token"
)


class YouTubeAccess:
    """The API, with the credentials of a source."""

    def __init__(self, spec: YouTubeSpec, context: SourceContext) -> None:
        """Prepare; nothing is asked yet."""
        self._spec = spec
        headers = {}
        if spec.api_key is not None and spec.refresh_token is None:
            headers["X-Goog-Api-Key"] = spec.api_key.get_secret_value()
        self._api = context.client(spec.api_url, headers=headers, read_fault=read_refusal)
        self._tokens = context.client(spec.token_url, read_fault=_token_refused)

    async def get(
        self, path: str, params: Mapping[str, Any], *, cost: int = 1, etag: str | None = None
    ) -> PlatformAnswer:
        """An answer of the API.

        Raises:
            SourceFault: as `read_refusal` says.
        """
        if self._spec.refresh_token is None:
            return await self._api.get(path, params, cost=cost, etag=etag)
        if "Authorization" not in self._api.headers:
            await self._refresh()
        try:
            return await self._api.get(path, params, cost=cost, etag=etag)
        except TokenExpired:  # access tokens hold for an hour
            await self._refresh()
            return await self._api.get(path, params, cost=cost, etag=etag)

    async def items(
        self, path: str, params: Mapping[str, Any], *, cost: int = 1
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        """The items of a page, and the token of the next one."""
        return items_of(await self.get(path, params, cost=cost))

    async def _refresh(self) -> None:
        self._api.headers.pop("Authorization", None)
        spec = self._spec
        assert spec.refresh_token is not None
        assert spec.client_secret is not None
        answer = await self._tokens.post(
            "",
            form={
                "grant_type": "refresh_token",
                "client_id": spec.client_id or "",
                "client_secret": spec.client_secret.get_secret_value(),
                "refresh_token": spec.refresh_token.get_secret_value(),
            },
            cost=0,
        )
        token = answer.object().get("access_token")
        if not isinstance(token, str) or not token:
            raise BadAnswer("Google's answer has no access_token")
        self._api.headers["Authorization"] = f"Bearer {token}"


def items_of(answer: PlatformAnswer) -> tuple[list[Mapping[str, Any]], str | None]:
    """The items of a page, and the token of the next one.

    Raises:
        BadAnswer: the answer is no list of objects.
    """
    body = answer.object()
    found = body.get("items", [])
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise BadAnswer("YouTube's answer has no list of items")
    token = body.get("nextPageToken")
    return found, str(token) if token else None


def _token_refused(answer: PlatformAnswer) -> SourceFault | None:
    """Google answers 400 or 401 to a refresh token that was revoked."""
    if answer.status in {400, 401}:
        return TokenExpired("Google refuses the refresh token", remedy=_CONNECT_AGAIN)
    return None
