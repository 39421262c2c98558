"""The comments endpoint of a service, in memory, behind the real client."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import httpx

from groundswell_client import AsyncClient, Client, ClientError, ServerEvent
from serving.errors import InvalidComment
from serving.ingest.comment import parse_comment

Answer = Callable[[httpx.Request], httpx.Response | None]
STATUS = {"version": "1", "model": "fake", "alive": True, "reruns": 0, "kols": 1, "open_alerts": 0}


class FakeService:
    """The comments endpoint and the status, with the real validation, in memory."""

    def __init__(self, before: Answer = lambda _: None) -> None:
        self.before = before
        self.seen: dict[str, dict[str, object]] = {}
        self.batches: list[int] = []
        self.backlogs = [0]
        self.reruns = [0]

    def client(self, retries: int = 0) -> AsyncClient:
        return AsyncClient(
            "http://test", retries=retries, transport=httpx.MockTransport(self.answer)
        )

    def sync_client(self, retries: int = 0) -> Client:
        return Client("http://test", retries=retries, transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        if (early := self.before(request)) is not None:
            return early
        if request.url.path == "/v1/status":
            backlog = self.backlogs.pop(0) if len(self.backlogs) > 1 else self.backlogs[0]
            log = {"last_seq": 10, "processed_seq": 10 - backlog, "backlog": backlog}
            reruns = self.reruns.pop(0) if not backlog and len(self.reruns) > 1 else self.reruns[0]
            return httpx.Response(200, json=STATUS | {"log": log, "reruns": reruns})
        assert request.headers["content-type"] == "application/x-ndjson"
        lines = request.content.splitlines()
        self.batches.append(len(lines))
        counts = {"accepted": 0, "updated": 0, "duplicates": 0, "rejected": 0}
        items = []
        for index, line in enumerate(lines):
            item = json.loads(line)
            try:
                parse_comment(item, now=datetime(2026, 3, 9, tzinfo=UTC))
            except InvalidComment as error:
                counts["rejected"] += 1
                fault = {"code": "x", "field": None, "message": str(error)}
                names = {"platform": item.get("platform"), "comment_id": item.get("comment_id")}
                items.append({"index": index, "status": "rejected", "error": fault} | names)
                continue
            counts["duplicates" if item["comment_id"] in self.seen else "accepted"] += 1
            self.seen.setdefault(item["comment_id"], item)
        body = counts | {"adjustments": {}, "items": items}
        if counts["rejected"] == len(lines):
            return httpx.Response(422, json=body | {"detail": "all bad"})
        return httpx.Response(202, json=body)


async def until_error(
    events: AsyncIterator[ServerEvent],
) -> tuple[list[ServerEvent], ClientError | None]:
    """The events of a stream up to the error that ends it."""
    found = []
    try:
        async for event in events:
            found.append(event)  # noqa: PERF401 - those before the error count
    except ClientError as error:
        return found, error
    return found, None
