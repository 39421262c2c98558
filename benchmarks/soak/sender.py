"""Sends comments at a rate, or as fast as they are processed."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from time import perf_counter

import httpx

from benchmarks.chaos.play import identity
from benchmarks.chaos.stream import Item
from benchmarks.load.detection_delay import until_scored

_TICK = 0.25  # seconds between two requests
_MOST = 250  # comments of one request
_AHEAD = 400  # comments that wait while the capacity is measured
_FEWEST = 256  # comments that are processed meanwhile
_PROBE_EVERY = 1.0  # seconds between two comments whose delay is measured
_PAUSE = 0.1  # seconds before a request is sent again


class PacedSender:
    """Sends comments in order, each request until it is acknowledged.

    Attributes:
        acknowledged: the comments that were acknowledged.
        repeated: requests that were sent again.
        delays: seconds until a comment was detected, of about one comment a second.

    Args:
        http: a client of the service.
        comments: in order of time, without end.
    """

    def __init__(self, http: httpx.AsyncClient, comments: Iterator[Item]) -> None:
        self._http = http
        self._comments = comments
        self.acknowledged = set[tuple[str, str, str]]()
        self.repeated = 0
        self.delays = list[float]()

    async def capacity(self, seconds: float) -> float:
        """Comments a second that are processed while there are always some to process.

        Args:
            seconds: for which it is measured at least.
        """
        sent, begun = len(self.acknowledged), perf_counter()
        left = done = 0
        while perf_counter() - begun < seconds or done < _FEWEST:
            if left < _AHEAD:
                await self._send(list(islice(self._comments, _MOST)))
            else:
                await asyncio.sleep(_PAUSE)
            left = await self.backlog()
            done = len(self.acknowledged) - sent - left
        return done / (perf_counter() - begun)

    async def run(self, rate: float, seconds: float) -> None:
        """Send a number of comments a second, and measure the delay of one in each second."""
        begun, sent, probed = perf_counter(), 0, 0.0
        async with asyncio.TaskGroup() as probes:
            while (now := perf_counter() - begun) < seconds:
                due = min(int(rate * now) - sent, _MOST)
                if due > 0:
                    batch = list(islice(self._comments, due))
                    sending = perf_counter()
                    await self._send(batch)
                    sent += due
                    if now >= probed:
                        probed = now + _PROBE_EVERY
                        probes.create_task(self._probe(batch[-1], sending))
                await asyncio.sleep(max(0.0, now + _TICK - (perf_counter() - begun)))

    async def backlog(self) -> int:
        """Comments that are not processed yet."""
        status = (await self._http.get("/v1/status")).raise_for_status().json()
        return int(status["log"]["backlog"])

    async def until_processed(self) -> None:
        """Wait until all comments are processed."""
        left = await self.backlog()
        while left:
            await asyncio.sleep(_PAUSE)
            left = await self.backlog()

    async def _probe(self, comment: Item, since: float) -> None:
        self.delays.append(await until_scored(self._http, comment, since))

    async def _send(self, batch: list[Item]) -> None:
        while True:
            answer = await self._http.post("/v1/comments", json=batch)
            if answer.is_success:
                assert answer.json()["rejected"] == 0, answer.text
                self.acknowledged |= {identity(item) for item in batch}
                return
            assert answer.status_code in (429, 503), answer.text
            self.repeated += 1
            await asyncio.sleep(_PAUSE)
