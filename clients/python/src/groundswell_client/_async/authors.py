"""Authors of comments: what is stored about them, and its deletion."""

from collections.abc import AsyncIterator

from groundswell_client._async.connection import AsyncConnection
from groundswell_client.models.erasures import ErasureInfo
from groundswell_client.values import Query, part


class AsyncAuthors:
    """`client.authors`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def delete(self, author_id: str, *, platform: str | None = None) -> ErasureInfo:
        """Delete the texts and the id of an author; what was counted stays."""
        query: Query = {"platform": platform}
        path = f"/authors/{part(author_id)}"
        return await self._connection.send("DELETE", path, ErasureInfo, query=query)

    async def export(self, author_id: str, *, platform: str | None = None) -> AsyncIterator[bytes]:
        """What is stored about an author, as NDJSON in pieces of any size."""
        path, query = f"/authors/{part(author_id)}/export", {"platform": platform}
        async with self._connection.chunks(path, query) as chunks:
            async for chunk in chunks:
                yield chunk
