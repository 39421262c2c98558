"""The delay of detection at rest and under each load, on one database."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import httpx
import numpy as np

from benchmarks.chaos.receiver import receiving
from benchmarks.chaos.stream import comments
from benchmarks.load.load_worker import loading
from benchmarks.load.loads import LoadTarget
from benchmarks.load.preparation import open_alerts, register_kols
from benchmarks.load.steady_comments import SteadyComments
from benchmarks.service_process import ServiceProcess
from serving.clock import SystemClock
from tests.serving.streams import wait_until_processed

FILES = 1024  # descriptors that the service may have
ALERTS, KOLS = 10_010, 50_000
_PATIENCE = 1800.0  # seconds for what was sent to be processed
_AT_ONCE = 500
_LATEST = timedelta(hours=2)  # before now, the end of the history


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What is to be done.

    Attributes:
        seconds: for which the delay is measured under each load.
        every: seconds between two requests with comments.
        scale: 1 for whole loads; less for a trial.
        loads: their names.
    """

    seconds: float
    every: float
    scale: float
    loads: Collection[str]


@dataclass(frozen=True, slots=True)
class LoadDelays:
    """The delay of detection under a load.

    Attributes:
        load: its name.
        delays: seconds, of each request with comments.
        refused: requests with comments that were refused first.
        done: what the load did.
    """

    load: str
    delays: Sequence[float]
    refused: int
    done: dict[str, int]

    def percentile(self, share: float) -> float:
        """A percentile of the delays, seconds."""
        return float(np.percentile(self.delays, share))


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What was measured on one database.

    Attributes:
        capacity: comments a second that the service processes when it has nothing else to do.
        loads: the delays under each load, in the order of the loads.
    """

    capacity: float
    loads: Sequence[LoadDelays]


def measure(folder: Path, url: str, plan: LoadPlan) -> LoadOutcome:
    """Run the service with the shipped model, and put one load after the other on it.

    Args:
        folder: an empty one.
        url: an empty database.
        plan: what is to be done.

    Raises:
        ServiceFailed: the service did not start, or ended.
    """
    with receiving() as receiver:
        service = ServiceProcess(folder, url, receiver.url, files=FILES)
        try:
            _start(service)
            return _measure(service, url, plan)
        finally:
            service.stop()


def _measure(service: ServiceProcess, url: str, plan: LoadPlan) -> LoadOutcome:
    found = []
    with httpx.Client(base_url=service.url, timeout=600) as client:
        capacity = _send_history(client, plan.scale)
        for seed, name in enumerate(plan.loads):
            target = LoadTarget(service.url, url, plan.scale, capacity / 2)
            if name == "open_alerts":
                service.end()
                asyncio.run(open_alerts(url, target.many(ALERTS)))
                _start(service)
            if name == "kols":
                register_kols(client, target.many(KOLS))
            wait_until_processed(client, seconds=_PATIENCE)
            with loading(name, target) as load:
                delays, refused = asyncio.run(_timed(service.url, plan, seed))
            found.append(LoadDelays(name, delays, refused, load.done))
            if name == "imports":  # a stop interrupts what is left of the file
                service.end()
                _start(service)
    return LoadOutcome(capacity, found)


def _start(service: ServiceProcess) -> None:
    service.start()
    service.wait_until_ready()


def _send_history(client: httpx.Client, scale: float) -> float:
    """Send the demo's two days; comments a second that were processed."""
    end = SystemClock().now().replace(second=0, microsecond=0) - _LATEST
    items = comments(end, 1)
    items = items[: max(1, round(scale * len(items)))]
    begun = perf_counter()
    for first in range(0, len(items), _AT_ONCE):
        client.post("/v1/comments", json=items[first : first + _AT_ONCE]).raise_for_status()
    wait_until_processed(client, seconds=_PATIENCE)
    return len(items) / (perf_counter() - begun)


async def _timed(url: str, plan: LoadPlan, seed: int) -> tuple[list[float], int]:
    async with httpx.AsyncClient(base_url=url, timeout=600) as http:
        steady = SteadyComments(http, plan.every, seed)
        return await steady.run(plan.seconds), steady.refused
