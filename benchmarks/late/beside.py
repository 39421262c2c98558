"""Delay of prompt comments, alone and while another KOL is re-run all the time."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter

from benchmarks.late.cost import LateWorld, SteadyKol
from serving.storage.comment_log import CommentLog

KOLS = 20
AT_ONCE = 10  # comments in one request
_BEFORE = timedelta(seconds=1)  # they were written before they are received


@dataclass(frozen=True, slots=True)
class PromptDelays:
    """How long prompt comments waited.

    Attributes:
        milliseconds: of each request, from its commit in the log to that of its step.
        reruns: number of re-runs meanwhile.
    """

    milliseconds: list[float]
    reruns: int


async def measure(
    world: LateWorld, rerun: SteadyKol | None, *, requests: int, every: float
) -> PromptDelays:
    """Send prompt comments on other KOLs at a steady rate, through the running pipeline.

    Args:
        world: with a history of the KOL to re-run.
        rerun: the KOL that gets late comments, the next one as soon as it was re-run; None: none.
        requests: number of requests.
        every: seconds between two requests.
    """
    pipeline = world.pipeline
    before = len(pipeline.reruns)
    await pipeline.start()
    sent = asyncio.Event()
    late = None if rerun is None else asyncio.create_task(_rerun_until(sent, world, rerun))
    waiting = []
    begun = perf_counter()
    for number in range(requests):
        await asyncio.sleep(begun + number * every - perf_counter())
        world.clock.advance(timedelta(seconds=every))
        written = world.clock.now() - _BEFORE
        comments = [
            world.writer.write(f"prompt-{(number * AT_ONCE + place) % KOLS}", written)
            for place in range(AT_ONCE)
        ]
        await world.receive(comments)
        seq = await CommentLog(world.database).last_seq()
        waiting.append(asyncio.create_task(_processed(world, seq, perf_counter())))
    delays = await asyncio.gather(*waiting)
    if late is not None:
        sent.set()
        await late
    await pipeline.stop()
    return PromptDelays(delays, len(pipeline.reruns) - before)


async def _processed(world: LateWorld, seq: int, since: float) -> float:
    """Milliseconds until a place of the log is processed."""
    while world.pipeline.progress.seq < seq:
        await world.pipeline.written.wait(1.0)
    return 1000 * (perf_counter() - since)


async def _rerun_until(sent: asyncio.Event, world: LateWorld, kol: SteadyKol) -> None:
    """Send a late comment, and the next one once its KOL was re-run; the last is waited for."""
    while not sent.is_set():
        done = len(world.pipeline.reruns)
        await world.receive([world.late_comment(kol)])
        while len(world.pipeline.reruns) == done:
            await world.pipeline.written.wait(1.0)
