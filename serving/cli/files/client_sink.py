"""Comments of an import to a service, through its API."""

import asyncio
from collections.abc import Sequence

from groundswell_client import AsyncClient
from serving.ingest.importers.importer import BatchAnswer

_BACKLOG = 5000  # comments that may wait to be scored while an import sends more
_LOOK_EVERY = 4  # batches
_PAUSE = 0.2


class ClientSink:
    """Sends batches to a service."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._batches = 0

    async def send(self, lines: Sequence[bytes]) -> BatchAnswer:
        """Submit comments.

        Raises:
            ClientError: the service cannot be reached or answers with an error.
        """
        await self._wait_for_room()
        receipt = await self._client.comments.send_lines(lines)
        return BatchAnswer(
            receipt.accepted,
            receipt.updated,
            receipt.duplicates,
            [
                (item.index, item.error.field or "", item.error.message, item.error.code)
                for item in receipt.items
                if item.error is not None
            ],
            receipt.adjustments,
        )

    async def _wait_for_room(self) -> None:
        """Live comments go first: pause while many wait to be scored."""
        self._batches += 1
        if self._batches % _LOOK_EVERY:
            return
        while True:
            status = await self._client.status()
            if status.log.backlog <= _BACKLOG:
                return
            await asyncio.sleep(_PAUSE)
