"""Authors of comments: what is stored about them, and its deletion."""

from collections.abc import Iterator

from groundswell_client._sync.connection import Connection
from groundswell_client.models.erasures import ErasureInfo
from groundswell_client.values import Query, part


class Authors:
    """`client.authors`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def delete(self, author_id: str, *, platform: str | None = None) -> ErasureInfo:
        """Delete the texts and the id of an author; what was counted stays."""
        query: Query = {"platform": platform}
        path = f"/authors/{part(author_id)}"
        return self._connection.send("DELETE", path, ErasureInfo, query=query)

    def export(self, author_id: str, *, platform: str | None = None) -> Iterator[bytes]:
        """What is stored about an author, as NDJSON in pieces of any size."""
        path, query = f"/authors/{part(author_id)}/export", {"platform": platform}
        with self._connection.chunks(path, query) as chunks:
            yield from chunks
