"""The comments whose detection is timed: a few a second on some KOLs, as they are written."""

import asyncio
import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from time import perf_counter
from typing import Any

import httpx

from benchmarks.load.detection_delay import until_scored
from serving.clock import SystemClock

KOLS = 20
_AT_ONCE = 4  # comments of a request
_PAUSE = 0.1  # seconds before a refused request is sent again
_TEXTS = (
    "love this", "what time is it on", "terrible, I hate it", "from Jakarta", "first",
    "the parcel came after three weeks and half of it was broken", "quá đẹp luôn chị ơi",
    "배송이 너무 늦어요", "which shade is that", "worst ever, I want a refund",
)  # fmt: skip


def comment(kol_id: str, number: int, text: str) -> dict[str, Any]:
    """A comment that was written a second ago."""
    return {
        "platform": "instagram",
        "comment_id": f"{kol_id}-{number}",
        "kol_id": kol_id,
        "post_id": f"{kol_id}-post",
        "author_id": f"author-{number % 4001}",
        "text": text,
        "created_at": (SystemClock().now() - timedelta(seconds=1)).isoformat(),
    }


class SteadyComments:
    """Sends comments at a steady rate and times the detection of one of each request.

    A request that is refused with 429 or 503 is sent again, and its delay counts from the first
    time. Requests do not wait for one another.

    Attributes:
        refused: requests that were refused.

    Args:
        http: a client of the service.
        every: seconds between two requests.
        seed: of the texts.
    """

    def __init__(self, http: httpx.AsyncClient, every: float, seed: int = 1) -> None:
        self._http = http
        self._every = every
        self._rng = random.Random(seed)
        self._numbers: Iterator[int] = count()
        self.refused = 0

    async def run(self, seconds: float) -> list[float]:
        """Seconds until detection, of each request in order."""
        begun = perf_counter()
        tasks = []
        async with asyncio.TaskGroup() as group:
            for number in range(round(seconds / self._every)):
                due = begun + number * self._every
                await asyncio.sleep(max(0.0, due - perf_counter()))
                tasks.append(group.create_task(self._send(due)))
        return [task.result() for task in tasks]

    async def _send(self, since: float) -> float:
        items = []
        for _ in range(_AT_ONCE):
            number = next(self._numbers)
            text = f"{self._rng.choice(_TEXTS)} {self._rng.randrange(1000)}"
            items.append(comment(f"steady-{number % KOLS}", number, text))
        while True:
            answer = await self._http.post("/v1/comments", json=items)
            if answer.is_success:
                return await until_scored(self._http, items[-1], since)
            assert answer.status_code in (429, 503), answer.text
            self.refused += 1
            await asyncio.sleep(_PAUSE)
