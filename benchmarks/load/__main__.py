"""`python -m benchmarks.load`: how long detection takes while others use the service.

A few comments a second are sent, and for each request the time until its comments are detected is
taken, at rest and under each load. Ends with 1 if the p99 under a load is more than two seconds
beyond that at rest.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks.load import report
from benchmarks.load.loads import LOADS
from benchmarks.load.measure import LoadOutcome, LoadPlan, measure
from serving.clock import SystemClock
from tests.serving import postgres

RESULT = Path(__file__).parents[1] / "results" / "load.json"
DATABASES = ("SQLite", "PostgreSQL")


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="under each load")
    parser.add_argument("--every", type=float, default=0.2, help="seconds between two requests")
    parser.add_argument("--scale", type=float, default=1.0, help="of the loads; less for a trial")
    parser.add_argument("--load", choices=LOADS, action="append", help="one of them; repeatable")
    parser.add_argument("--database", choices=DATABASES, action="append", help="one of the two")
    parser.add_argument("--out", type=Path, default=RESULT, help="result file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that started programs are stopped
    loads = [name for name in LOADS if args.load is None or name in (report.REST, *args.load)]
    plan = LoadPlan(args.seconds, args.every, args.scale, loads)
    day = SystemClock().now().date()
    found = report.result(day, plan, {name: run(name, plan) for name in args.database or DATABASES})
    report.show(found, Console(width=120))
    report.save(args.out, found)
    if broken := report.failures(found):
        sys.exit("\n".join(broken))


def run(database: str, plan: LoadPlan) -> LoadOutcome:
    """Measure on one kind of database."""
    with (
        tempfile.TemporaryDirectory(prefix="groundswell-load-") as folder,
        _empty(database, Path(folder)) as url,
    ):
        return measure(Path(folder), url, plan)


@contextmanager
def _empty(name: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if name == "SQLite":
        yield f"sqlite:///{folder / 'load.db'}"
        return
    with postgres.serving(durable=True) as server:
        yield server.url(server.create())


if __name__ == "__main__":
    main()
