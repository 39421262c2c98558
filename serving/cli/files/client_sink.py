"""Comments of an import to a service, through its API."""

from collections.abc import Sequence

from serving.client.client import ServiceClient
from serving.client.models.kols import KolInfo
from serving.ingest.importers.importer import BatchAnswer
from serving.storage.kol_handle_rows import handle_key
from serving.storage.kol_store import KnownKols


def known_kols(kols: Sequence[KolInfo]) -> KnownKols:
    """KOLs by what comments may name them by."""
    return KnownKols(
        frozenset(kol.kol_id for kol in kols),
        {
            (platform, handle_key(handle)): kol.kol_id
            for kol in kols
            for platform, handle in kol.handles.items()
        },
    )


class ClientSink:
    """Sends batches to a service."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def send(self, lines: Sequence[bytes]) -> BatchAnswer:
        """Submit comments.

        Raises:
            ClientError: the service cannot be reached or answers with an error.
        """
        receipt = await self._client.submit_lines(lines)
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
