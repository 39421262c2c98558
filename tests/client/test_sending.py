"""Comments of any number, in batches; files."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from groundswell_client.errors import InvalidRequestError
from groundswell_client.models.comments import SubmissionReceipt
from tests.client.fake_service import FakeService


def comment(number: int, text: str = "nice") -> dict[str, object]:
    return {
        "platform": "tiktok",
        "comment_id": f"c{number}",
        "kol_id": "mira",
        "text": text,
        "created_at": "2026-03-01T00:00:00Z",
    }


async def test_an_iterable_of_any_length_goes_in_batches() -> None:
    taken: list[int] = []

    def comments() -> Iterator[dict[str, object]]:
        for number in range(25):
            taken.append(number)
            yield comment(number) if number != 17 else {"comment_id": "bad"}

    reports: list[SubmissionReceipt] = []
    service = FakeService()

    def report(receipt: SubmissionReceipt) -> None:
        reports.append(receipt)
        assert len(taken) <= sum(service.batches) + 1  # nothing is read ahead

    total = await service.client().comments.send(comments(), batch=10, report=report)
    assert service.batches == [10, 10, 5]
    assert (total.accepted, total.rejected) == (24, 1)
    assert [item.index for item in total.items] == [17]
    assert [item.index for one in reports for item in one.items] == [17]


async def test_batches_are_bounded_in_bytes_and_a_long_comment_goes_alone() -> None:
    texts = ["x" * 300_000] * 4 + ["y" * 1_100_000, "z"]
    sizes: list[int] = []

    def answer(request: httpx.Request) -> None:
        sizes.append(len(request.content))

    service = FakeService(answer)
    await service.client().comments.send([comment(n, text) for n, text in enumerate(texts)])
    assert service.batches == [3, 1, 1, 1]
    assert (
        max(size for size, count in zip(sizes, service.batches, strict=True) if count > 1) < 2**20
    )


async def test_an_async_iterable_and_lines_are_taken_too() -> None:
    async def comments() -> AsyncIterator[bytes]:
        for number in range(3):
            yield json.dumps(comment(number)).encode()

    service = FakeService()
    total = await service.client().comments.send(comments())
    assert total.accepted == 3
    with pytest.raises(ValueError, match="on one line"):
        await service.client().comments.send([b'{"a":\n1}'])
    assert (await service.client().comments.send([])).accepted == 0
    assert service.batches == [3]


async def test_a_file_is_sent_from_its_beginning_at_each_try(tmp_path: Path) -> None:
    path = tmp_path / "may.csv"
    path.write_bytes(b"a,b\n" * 50_000)
    bodies: list[bytes] = []
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        bodies.append(request.read())
        if len(bodies) == 1:
            return httpx.Response(503)
        return httpx.Response(422, json={"detail": "no"})

    with FakeService(answer).sync_client(retries=1) as client, pytest.raises(InvalidRequestError):
        client.imports.upload(path, kol="mira", fields={"text": "Body"}, day_first=True)
    assert bodies == [path.read_bytes()] * 2
    keys = {request.headers["Idempotency-Key"] for request in requests}
    (key,) = keys
    assert re.fullmatch(r'"[0-9a-f-]{36}"', key)
    assert dict(requests[0].url.params) == {
        "name": "may.csv",
        "kol": "mira",
        "field": "text=Body",
        "day_first": "true",
    }
