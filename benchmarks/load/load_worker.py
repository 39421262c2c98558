"""A load in a process of its own, so that it does not slow whoever measures."""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from benchmarks.load.loads import LOADS, Load, LoadTarget

_TIMEOUT = 600.0  # seconds for one answer
_CONNECTIONS = 100


class RunningLoad:
    """A load that runs.

    Attributes:
        done: what it did, by what it is; known once it has ended.
    """

    def __init__(self) -> None:
        self.done = dict[str, int]()


@contextmanager
def loading(name: str, target: LoadTarget) -> Iterator[RunningLoad]:
    """Put a load on a service, for as long as the context lasts.

    Args:
        name: of the load.
        target: the service.

    Raises:
        RuntimeError: the load failed.
    """
    command = [
        *(sys.executable, "-m", "benchmarks.load.load_worker", name, target.url, target.database),
        *(str(target.scale), str(target.rate)),
    ]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    load = RunningLoad()
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the load {name} did not start")
        yield load
        process.stdin.close()
        load.done.update(json.loads(process.stdout.readline() or "{}"))
        if process.wait(60) != 0:
            raise RuntimeError(f"the load {name} failed")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def _run(load: Load, target: LoadTarget) -> None:
    limits = httpx.Limits(max_connections=_CONNECTIONS)
    async with httpx.AsyncClient(base_url=target.url, timeout=_TIMEOUT, limits=limits) as http:
        running = asyncio.ensure_future(load(target, http))
        begun = asyncio.ensure_future(target.begun.wait())
        await asyncio.wait([running, begun], return_when=asyncio.FIRST_COMPLETED)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        over = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
        await asyncio.wait([running, over], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
            await over
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    sys.stdout.write(json.dumps(target.done) + "\n")


def main() -> None:
    """Run a load until standard input ends, and write what it did."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.load_worker")
    parser.add_argument("load", choices=LOADS)
    parser.add_argument("url")
    parser.add_argument("database")
    parser.add_argument("scale", type=float)
    parser.add_argument("rate", type=float)
    args = parser.parse_args()
    target = LoadTarget(args.url, args.database, args.scale, args.rate)
    asyncio.run(_run(LOADS[args.load], target))


if __name__ == "__main__":
    main()
