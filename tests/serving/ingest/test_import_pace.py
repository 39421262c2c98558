"""An import leaves room for live comments: it sends few at once, and only while few wait."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from groundswell_client.models.comments import CommentReceipt, FaultInfo, SubmissionReceipt
from serving.cli.files.client_sink import ClientSink
from serving.errors import InvalidComment
from serving.ingest.import_worker import IntakeSink
from serving.ingest.intake import Receipt
from serving.storage.comment_update import CommentOutcome

MOST = 64 + 128  # comments that a live one may wait for
BATCH = 1000
BAD = 700  # place of a comment that is rejected
LINES = [json.dumps({"comment_id": str(number)}).encode() for number in range(BATCH)]


class SlowScoring:
    """Takes comments, and scores forty between two looks at how many wait.

    Attributes:
        waiting: comments that wait.
        most: that ever waited.
        taken: comment ids in order.
    """

    def __init__(self) -> None:
        self.waiting = self.most = 0
        self.taken = list[str]()
        self.comments = self  # as the client groups its methods

    async def backlog(self) -> int:
        self.waiting = max(0, self.waiting - 40)
        return self.waiting

    async def take(self, items: Mapping[int, Any], *, wait: bool) -> list[Receipt]:
        self._add([item["comment_id"] for item in items.values()])
        fault = InvalidComment("invalid_text", "text", "is empty")
        return [
            Receipt(place, item, CommentOutcome.REJECTED, fault)
            if place == BAD
            else Receipt(place, item, CommentOutcome.ACCEPTED)
            for place, item in items.items()
        ]

    async def send_lines(self, lines: Sequence[bytes]) -> SubmissionReceipt:
        ids = [json.loads(line)["comment_id"] for line in lines]
        self._add(ids)
        bad = [
            CommentReceipt(
                index=place, platform=None, comment_id=name, status="rejected",
                error=FaultInfo(code="invalid_text", field="text", message="is empty"),
            )
            for place, name in enumerate(ids)
            if name == str(BAD)
        ]  # fmt: skip
        return SubmissionReceipt(
            accepted=len(ids) - len(bad), updated=0, duplicates=0, rejected=len(bad),
            adjustments={"text_cut": 1}, items=tuple(bad),
        )  # fmt: skip

    async def status(self) -> Any:
        return SimpleNamespace(log=SimpleNamespace(backlog=await self.backlog()))

    def _add(self, ids: Sequence[str]) -> None:
        self.taken += ids
        self.waiting += len(ids)
        self.most = max(self.most, self.waiting)


@pytest.mark.parametrize("way", ["worker", "command"])
def test_a_live_comment_waits_for_few_comments_of_an_import(way: str) -> None:
    scoring: Any = SlowScoring()
    sink = IntakeSink(scoring, scoring.backlog) if way == "worker" else ClientSink(scoring)
    answer = asyncio.run(sink.send(LINES))
    assert scoring.taken == [str(number) for number in range(BATCH)]
    assert scoring.most <= MOST
    assert (answer.accepted, answer.updated, answer.duplicates) == (BATCH - 1, 0, 0)
    (rejected,) = answer.rejected
    assert (rejected[0], rejected[1], rejected[3]) == (BAD, "text", "invalid_text")
    if way == "command":
        assert answer.adjustments == {"text_cut": 8}
