"""Silences: which alerts send no notifications."""

import msgspec

from groundswell_client._async.connection import AsyncConnection
from groundswell_client._async.listing import AsyncListing
from groundswell_client.models.silences import SilenceInfo, SilenceRequest
from groundswell_client.values import given


class AsyncSilences:
    """`client.silences`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def list(
        self, *, state: str | None = None, limit: int | None = None
    ) -> AsyncListing[SilenceInfo]:
        """Silences, last made first; `state` is "pending", "active" or "expired"."""
        return AsyncListing(
            self._connection, "/silences", SilenceInfo, {"state": state}, limit=limit
        )

    async def get(self, silence_id: int) -> SilenceInfo:
        """One silence."""
        return await self._connection.get(f"/silences/{silence_id}", SilenceInfo)

    async def add(self, silence: SilenceRequest) -> SilenceInfo:
        """Add a silence."""
        body = given(msgspec.structs.asdict(silence))
        return await self._connection.send("POST", "/silences", SilenceInfo, body)

    async def expire(self, silence_id: int, *, actor: str | None = None) -> SilenceInfo:
        """End a silence now."""
        path = f"/silences/{silence_id}/expire"
        return await self._connection.send("POST", path, SilenceInfo, given({"actor": actor}))
