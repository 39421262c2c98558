"""All that happens to the service during a soak."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.chaos.stream import Item
from benchmarks.load.event_reader import EventReader
from benchmarks.service_process import ServiceProcess
from benchmarks.soak.responders import Responders
from benchmarks.soak.samples import SoakSample, SoakSampler
from benchmarks.soak.sender import PacedSender

_SCRAPE_EVERY = 5.0  # seconds
# A connection that is kept may be closed by the service just as the next request is sent.
_NEW_CONNECTIONS = httpx.Limits(max_keepalive_connections=0)
_LAST_EVENTS = 2.0  # seconds for the readers to get what was written last


@dataclass(frozen=True, slots=True)
class SoakPlan:
    """What is to be done.

    Attributes:
        minutes: of the soak.
        share: of the capacity that is sent.
        capacity_seconds: for which the capacity is measured.
        copies: of the demo's three KOLs.
        readers: of `/v1/stream`.
    """

    minutes: float
    share: float
    capacity_seconds: float
    copies: int
    readers: int


@dataclass(frozen=True, slots=True)
class SoakTraffic:
    """What was done, and what was seen meanwhile.

    Attributes:
        capacity: comments a second that the service can do.
        rate: comments a second that were sent.
        samples: in order of time.
        acknowledged: the comments that were acknowledged.
        requests_repeated: requests that were sent again.
        actions: number of actions of people on each alert.
        read: ids of the alert events that each reader got, in order.
    """

    capacity: float
    rate: float
    samples: list[SoakSample]
    acknowledged: set[tuple[str, str, str]]
    requests_repeated: int
    actions: dict[str, int]
    read: list[list[int]]


async def soak(
    service: ServiceProcess, database: Path, plan: SoakPlan, comments: Iterator[Item]
) -> SoakTraffic:
    """Measure the capacity, soak, and wait until all is processed.

    Args:
        service: one that is ready.
        database: its SQLite file.
        plan: what is to be done.
        comments: in order of time, without end.
    """
    async with httpx.AsyncClient(
        base_url=service.url, timeout=120, limits=_NEW_CONNECTIONS
    ) as http:
        sender = PacedSender(http, comments)
        responders = Responders(http)
        readers = [EventReader(service.url, since=0) for _ in range(plan.readers)]
        sampler = SoakSampler(
            service.pid, database, sender.backlog, lambda: len(sender.acknowledged), sender.delays
        )
        async with asyncio.TaskGroup() as group:
            people = [responders.run(), _scrape(http), *(reader.run() for reader in readers)]
            beside = [group.create_task(one) for one in people]
            capacity = await sender.capacity(plan.capacity_seconds)
            await sender.until_processed()
            sampling = group.create_task(sampler.run())
            await sender.run(plan.share * capacity, 60 * plan.minutes)
            sampling.cancel()
            await sender.until_processed()
            await sampler.take()
            await asyncio.sleep(_LAST_EVENTS)
            for task in beside:
                task.cancel()
    return SoakTraffic(
        capacity,
        plan.share * capacity,
        sampler.samples,
        sender.acknowledged,
        sender.repeated,
        dict(responders.done),
        [reader.alert_ids for reader in readers],
    )


async def _scrape(http: httpx.AsyncClient) -> None:
    while True:
        (await http.get("/metrics")).raise_for_status()
        await asyncio.sleep(_SCRAPE_EVERY)
