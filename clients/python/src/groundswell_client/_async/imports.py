"""Imports of files."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from groundswell_client._async.connection import AsyncConnection, checked
from groundswell_client._async.listing import AsyncListing
from groundswell_client.errors import UnexpectedAnswer
from groundswell_client.models.imports import ImportDetailInfo, ImportInfo
from groundswell_client.record import decode
from groundswell_client.values import Query, new_key, opened

_CHUNK = 64 * 1024
_POLL = 0.5  # seconds
_OVER = frozenset({"finished", "failed", "interrupted"})


class AsyncImports:
    """`client.imports`: files of comments, in any order and form."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def upload(
        self,
        file: Path | BinaryIO,
        *,
        name: str | None = None,
        kol: str | None = None,
        platform: str | None = None,
        fields: Mapping[str, str] | None = None,
        time_zone: str | None = None,
        date_format: str | None = None,
        day_first: bool | None = None,
        as_of: str | None = None,
        preset: str | None = None,
        sheet: str | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
    ) -> ImportInfo:
        """Send a file; the service reads it in the background. `wait` for the result.

        Importing a file twice is safe: comments that are there count as duplicates.

        Args:
            file: a CSV, Excel, JSON, NDJSON or parquet file, or the export of a known tool, also
                compressed; as a path, or open for reading bytes and seekable.
            name: of the file, for people; that of the path by default.
            kol: the KOL of every comment.
            platform: the platform of every comment.
            fields: where each field is read from: a column, key or JMESPath expression.
            time_zone: of times that name none, like "Asia/Seoul" or "+07:00".
            date_format: of all times, such as "%d.%m.%Y %H:%M".
            day_first: whether 01/02/2026 is 1 February; None refuses such times.
            as_of: when the file was made, to read times like "2 days ago".
            preset: the tool that made the file; None to recognise it.
            sheet: of a spreadsheet; None to find it.
            encoding: of a text file; None to find it.
            delimiter: of a table; None to find it.
        """
        query: Query = {
            "name": file.name if name is None and isinstance(file, Path) else name,
            "kol": kol,
            "platform": platform,
            "field": [f"{field}={path}" for field, path in (fields or {}).items()],
            "time_zone": time_zone,
            "date_format": date_format,
            "day_first": day_first,
            "as_of": as_of,
            "preset": preset,
            "sheet": sheet,
            "encoding": encoding,
            "delimiter": delimiter,
        }
        headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": new_key()}
        with opened(file) as source:
            start = source.tell()

            async def chunks() -> AsyncIterator[bytes]:
                source.seek(start)
                while chunk := source.read(_CHUNK):
                    yield chunk

            answer = await self._connection.request(
                "POST", "/imports", query=query, content=chunks, headers=headers
            )
        return decode(checked(answer), ImportInfo)

    def list(self, *, limit: int | None = None) -> AsyncListing[ImportInfo]:
        """Imports, last received first."""
        return AsyncListing(self._connection, "/imports", ImportInfo, limit=limit)

    async def get(self, import_id: int) -> ImportDetailInfo:
        """An import: how far it is, what became of its rows, and what they have shown."""
        return await self._connection.get(f"/imports/{import_id}", ImportDetailInfo)

    async def wait(
        self, import_id: int, report: Callable[[ImportDetailInfo], None] | None = None
    ) -> ImportDetailInfo:
        """Wait until an import is over, and its comments are scored and judged.

        Args:
            import_id: the import.
            report: called at each look.

        Returns:
            The import at the end; its `state` is "finished", "failed" or "interrupted".
        """
        while True:
            found = await self.get(import_id)
            if report is not None:
                report(found)
            if found.state in _OVER and (found.state != "finished" or found.used is not None):
                return found
            await asyncio.sleep(_POLL)

    async def rejected(self, import_id: int) -> str:
        """The rows that were refused so far as CSV: row, field, reason and code."""
        body, _ = await self._connection.fetch(f"/imports/{import_id}/rejected.csv")
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise UnexpectedAnswer("the service's CSV is not UTF-8") from None
