"""Some loads for a second each with the shipped model, and how delays are taken and judged."""

import asyncio
from datetime import date
from time import perf_counter
from typing import Any

import httpx
import pytest

from benchmarks.load import report
from benchmarks.load.__main__ import run
from benchmarks.load.measure import LoadDelays, LoadOutcome, LoadPlan
from benchmarks.load.steady_comments import SteadyComments

PLAN = LoadPlan(seconds=1.0, every=0.25, scale=0.01, loads=("rest", "readers", "pages"))


@pytest.mark.slow
def test_loads_of_a_second() -> None:
    found = run("SQLite", PLAN)
    assert found.capacity > 1
    rest, readers, pages = found.loads
    assert [one.load for one in found.loads] == list(PLAN.loads)
    for one in found.loads:
        assert len(one.delays) == 4
        assert min(one.delays) > 0
        assert not any(":" in what for what in one.done), one.done  # a request that was refused
    assert rest.done == {}
    assert readers.done["readers"] == 5
    assert readers.done["comments"] > 0
    assert pages.done["pages"] > 0


class SlowService:
    """Refuses the first request, and has scored a comment half a second after it came."""

    def __init__(self) -> None:
        self.posts = 0
        self.came: dict[str, float] = {}

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.posts += 1
            if self.posts == 1:
                return httpx.Response(429)
            for place in request.content.decode().split('"comment_id":"')[1:]:
                self.came[place.split('"')[0]] = perf_counter()
            return httpx.Response(202)
        comment_id = request.url.path.rsplit("/", 1)[1]
        scored = perf_counter() - self.came[comment_id] > 0.5
        return httpx.Response(200, json={"items": [{"negative": 0.1 if scored else None}]})


def test_a_delay_counts_from_when_a_comment_was_due() -> None:
    service = SlowService()

    async def timed() -> tuple[list[float], int]:
        transport = httpx.MockTransport(service.answer)
        async with httpx.AsyncClient(base_url="http://service", transport=transport) as http:
            steady = SteadyComments(http, every=0.1)
            return await steady.run(0.3), steady.refused

    delays, refused = asyncio.run(timed())
    assert refused == 1
    assert service.posts == 4
    assert len(delays) == 3
    assert all(0.5 <= delay < 1.5 for delay in delays)
    assert delays[0] >= 0.6  # it was refused once


def outcome(**p99: float) -> dict[str, Any]:
    loads = [LoadDelays(name, [delay] * 3, 0, {}) for name, delay in p99.items()]
    return report.result(date(2026, 3, 1), PLAN, {"SQLite": LoadOutcome(100.0, loads)})


@pytest.mark.parametrize(
    ("p99", "failed"),
    [
        ({"rest": 0.3, "storm": 2.2}, []),
        ({"rest": 0.3, "storm": 2.4, "pages": 0.4}, ["storm"]),
        ({"rest": 0.3, "storm": 2.4, "pages": 9.0}, ["storm", "pages"]),
    ],
)
def test_two_seconds_more_than_at_rest_are_allowed(
    p99: dict[str, float], failed: list[str]
) -> None:
    said = report.failures(outcome(**p99))
    assert [line.split()[1] for line in said] == failed
