"""Silences: which alerts send no notifications."""

import msgspec

from groundswell_client._sync.connection import Connection
from groundswell_client._sync.listing import Listing
from groundswell_client.models.silences import SilenceInfo, SilenceRequest
from groundswell_client.values import given


class Silences:
    """`client.silences`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, state: str | None = None, limit: int | None = None) -> Listing[SilenceInfo]:
        """Silences, last made first; `state` is "pending", "active" or "expired"."""
        return Listing(self._connection, "/silences", SilenceInfo, {"state": state}, limit=limit)

    def get(self, silence_id: int) -> SilenceInfo:
        """One silence."""
        return self._connection.get(f"/silences/{silence_id}", SilenceInfo)

    def add(self, silence: SilenceRequest) -> SilenceInfo:
        """Add a silence."""
        body = given(msgspec.structs.asdict(silence))
        return self._connection.send("POST", "/silences", SilenceInfo, body)

    def expire(self, silence_id: int, *, actor: str | None = None) -> SilenceInfo:
        """End a silence now."""
        path = f"/silences/{silence_id}/expire"
        return self._connection.send("POST", path, SilenceInfo, given({"actor": actor}))
