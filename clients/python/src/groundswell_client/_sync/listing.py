"""A list of the API, page by page."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from groundswell_client._sync.connection import Connection
from groundswell_client.page_body import PageBody, WholeBody
from groundswell_client.record import decode
from groundswell_client.values import Query

T = TypeVar("T")

MOST_ITEMS = 1000  # of a page


class Listing(Generic[T]):
    """Records of a list; pages are fetched while you iterate.

    `async for alert in client.alerts.list(): …`, or `await client.alerts.list().all()`.
    """

    def __init__(
        self,
        connection: Connection,
        path: str,
        kind: type[T],
        query: Query | None = None,
        *,
        limit: int | None = None,
        paged: bool = True,
    ) -> None:
        self._connection = connection
        self._path = path
        self._kind = kind
        self._query = query or {}
        self._limit = limit
        self._paged = paged

    def __iter__(self) -> Iterator[T]:
        """The records in the list's order.

        Raises:
            ClientError: a page cannot be fetched, or cannot be read.
        """
        cursor: str | None = None
        left = self._limit
        while left is None or left > 0:
            page = self._page(cursor, left)
            for item in page.items[:left]:
                yield decode(bytes(item), self._kind)
            cursor = page.next_cursor
            if cursor is None:
                return
            left = None if left is None else left - len(page.items)

    def all(self) -> list[T]:
        """Every record, at most `limit`.

        Raises:
            ClientError: a page cannot be fetched, or cannot be read.
        """
        return list(self)

    def first(self) -> T | None:
        """The first record; None if the list is empty.

        Raises:
            ClientError: the page cannot be fetched, or cannot be read.
        """
        page = self._page(None, 1)
        return decode(bytes(page.items[0]), self._kind) if page.items else None

    def _page(self, cursor: str | None, left: int | None) -> PageBody | WholeBody:
        query = dict(self._query)
        if self._paged:
            query |= {"limit": min(left or MOST_ITEMS, MOST_ITEMS), "cursor": cursor}
        body, _ = self._connection.fetch(self._path, query)
        return decode(body, PageBody) if self._paged else decode(body, WholeBody)
