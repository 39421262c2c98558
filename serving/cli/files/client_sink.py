"""Comments of an import to a service, through its API."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from groundswell_client import AsyncClient
from serving.ingest.importers.importer import BatchAnswer

_BACKLOG = 64  # comments that may wait to be scored while an import sends more …
_AT_ONCE = 128  # … so many at once: a live comment waits for no more than both
_PAUSE = 0.05


class ClientSink:
    """Sends batches to a service, some comments at a time."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def send(self, lines: Sequence[bytes]) -> BatchAnswer:
        """Submit comments.

        Raises:
            ClientError: the service cannot be reached or answers with an error.
        """
        accepted = updated = duplicates = 0
        rejected: list[tuple[int, str, str, str]] = []
        adjustments = Counter[str]()
        for first in range(0, len(lines), _AT_ONCE):
            await self._wait_for_room()
            receipt = await self._client.comments.send_lines(lines[first : first + _AT_ONCE])
            accepted += receipt.accepted
            updated += receipt.updated
            duplicates += receipt.duplicates
            adjustments.update(receipt.adjustments)
            rejected += [
                (first + item.index, error.field or "", error.message, error.code)
                for item in receipt.items
                if (error := item.error) is not None
            ]
        return BatchAnswer(accepted, updated, duplicates, rejected, dict(adjustments))

    async def _wait_for_room(self) -> None:
        """Live comments go first: wait while many are to be scored."""
        while True:
            status = await self._client.status()
            if status.log.backlog <= _BACKLOG:
                return
            await asyncio.sleep(_PAUSE)
