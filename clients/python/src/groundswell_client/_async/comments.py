"""Comments and what the model says of texts."""

from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from datetime import datetime

from groundswell_client._async.connection import AsyncConnection, checked
from groundswell_client._async.listing import AsyncListing
from groundswell_client.errors import UnexpectedAnswer
from groundswell_client.line_batch import Comment, LineBatch
from groundswell_client.models.comments import (
    CommentHistoryInfo,
    ListedCommentInfo,
    SubmissionReceipt,
)
from groundswell_client.models.erasures import ErasureInfo
from groundswell_client.record import decode
from groundswell_client.submission_total import SubmissionTotal
from groundswell_client.values import Query, async_each, iso, part

_BATCH = 500


class AsyncComments:
    """`client.comments`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def send(
        self,
        comments: AsyncIterable[Comment] | Iterable[Comment],
        *,
        batch: int = _BATCH,
        report: Callable[[SubmissionReceipt], None] | None = None,
    ) -> SubmissionReceipt:
        """Send comments of any number, in batches; waits while the service is busy.

        Sending a comment twice is safe: it counts as a duplicate.

        Args:
            comments: dicts with the fields of docs/openapi.json (`kol_id`, `platform`,
                `comment_id`, `text`, `created_at`, …), or JSON on one line as bytes. An endless
                iterable is read as fast as the service takes it.
            batch: comments a request, at most; a request has at most about 1 MiB.
            report: called with the receipt of each batch when it is committed; `index` of its
                items counts from the first comment of all.

        Returns:
            The receipts of all batches as one, with at most 1,000 rejected comments in `items`. A
            request of which every comment is rejected is a receipt too, not an error.

        Raises:
            ClientError: a batch cannot be sent; those that were reported are committed.
        """
        total, waiting = SubmissionTotal(), LineBatch(batch)
        async for comment in async_each(comments):
            if lines := waiting.add(comment):
                await self._send_batch(lines, total, report)
        if lines := waiting.take():
            await self._send_batch(lines, total, report)
        return total.receipt

    async def _send_batch(
        self,
        lines: Sequence[bytes],
        total: SubmissionTotal,
        report: Callable[[SubmissionReceipt], None] | None,
    ) -> None:
        receipt = total.add(await self.send_lines(lines), len(lines))
        if report is not None:
            report(receipt)

    async def send_lines(self, lines: Sequence[bytes]) -> SubmissionReceipt:
        """Send one batch of comments that are JSON already, each without a line end in it."""
        answer = await self._connection.request(
            "POST",
            "/comments",
            content=b"\n".join(lines),
            headers={"Content-Type": "application/x-ndjson"},
        )
        if answer.status_code == 422:
            try:
                return decode(answer.content, SubmissionReceipt)
            except UnexpectedAnswer:
                pass  # the request as a whole was refused
        return decode(checked(answer), SubmissionReceipt)

    async def get(self, platform: str, comment_id: str) -> CommentHistoryInfo:
        """A comment with its former texts, once for each KOL that it was sent for."""
        path = f"/comments/{part(platform)}/{part(comment_id)}"
        return await self._connection.get(path, CommentHistoryInfo)

    def list(
        self,
        kol_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        sentiment: str | None = None,
        post_id: str | None = None,
        author_id: str | None = None,
        removed: bool | None = None,
        limit: int | None = None,
    ) -> AsyncListing[ListedCommentInfo]:
        """Comments of a KOL, last written first."""
        query: Query = {
            "from": iso(since),
            "to": iso(until),
            "sentiment": sentiment,
            "post_id": post_id,
            "author_id": author_id,
            "removed": removed,
        }
        path = f"/kols/{part(kol_id)}/comments"
        return AsyncListing(self._connection, path, ListedCommentInfo, query, limit=limit)

    async def delete(self, platform: str, comment_id: str) -> ErasureInfo:
        """Delete the text and the author of a comment; what was counted stays."""
        path = f"/comments/{part(platform)}/{part(comment_id)}"
        return await self._connection.send("DELETE", path, ErasureInfo)
