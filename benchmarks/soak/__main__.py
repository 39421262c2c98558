"""`python -m benchmarks.soak`: run the service at 70% of what it can do, for an hour.

The shipped model scores the demo's storms again and again, readers follow the stream, people act on
the alerts, a webhook is notified, metrics are scraped. Ends with 1 if anything was lost or doubled,
if the alerts differ from a rebuild, or if memory grew by more than 5% after the warm-up.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from benchmarks.chaos.play import wait_until_delivered
from benchmarks.chaos.receiver import receiving
from benchmarks.service_process import ServiceProcess, running
from benchmarks.soak import plot, report
from benchmarks.soak.stream import endless_comments
from benchmarks.soak.traffic import SoakPlan, soak
from benchmarks.soak.verification import faults, read_remains, rebuilt_alerts
from serving.clock import SystemClock

_BEFORE = timedelta(days=1000)  # event time begins so long ago


def main() -> None:
    """Run, print, draw and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="of the soak")
    parser.add_argument("--warm-up", type=float, default=10.0, help="minutes before memory counts")
    parser.add_argument("--rate-of-capacity", type=float, default=0.7, help="share that is sent")
    parser.add_argument("--capacity-seconds", type=float, default=60.0, help="to measure it")
    parser.add_argument("--copies", type=int, default=4, help="of the demo's three KOLs")
    parser.add_argument("--readers", type=int, default=20, help="of the stream")
    parser.add_argument("--cores", help="that everything runs on, such as 0 or 0,1; all if unset")
    parser.add_argument("--out", type=Path, default=plot.RESULT, help="result file")
    parser.add_argument("--plot", type=Path, default=plot.PLOT, help="PNG file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that started programs are stopped
    if args.cores is not None:
        os.sched_setaffinity(0, {int(core) for core in args.cores.split(",")})
    plan = SoakPlan(
        args.minutes, args.rate_of_capacity, args.capacity_seconds, args.copies, args.readers
    )
    console = Console(width=100)
    found = run(plan, args.warm_up)
    report.save(args.out, found)
    plot.draw(found, args.plot)
    report.show(found, console)
    if broken := report.failures(found):
        sys.exit("; ".join(broken))


def run(plan: SoakPlan, warm_up: float) -> dict[str, Any]:
    """Soak a service on an empty SQLite database; the figures.

    Args:
        plan: what is to be done.
        warm_up: minutes that the trend of memory leaves out.
    """
    now = SystemClock().now()
    begin = now.replace(minute=0, second=0, microsecond=0) - _BEFORE
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="groundswell-soak-") as made, receiving() as receiver:
        folder = Path(made)
        database = folder / "soak.db"
        url = f"sqlite:///{database}"
        threads = {"GROUNDSWELL_MODEL_THREADS": str(len(cores))}
        service = ServiceProcess(folder, url, receiver.url, environment=threads)
        with running(service):
            comments = endless_comments(begin, plan.copies)
            traffic = asyncio.run(soak(service, database, plan, comments))
            with httpx.Client(base_url=service.url, timeout=120) as client:
                wait_until_delivered(client)
                remains = read_remains(url, client, receiver.messages)
        rebuilt = asyncio.run(rebuilt_alerts(url, folder / "rebuilt.db"))
    found = faults(traffic, remains, rebuilt)
    return report.result(now.date(), plan, warm_up, traffic, remains, found, cores=cores)


if __name__ == "__main__":
    main()
