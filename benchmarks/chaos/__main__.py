"""`python -m benchmarks.chaos`: kill the service at random while it judges a stream.

The shipped model scores, a webhook is notified, and a sender repeats what was not acknowledged. A
run without kills says what should come of it. Ends with 1 if anything was lost, doubled or told
twice, or if an alert differs.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.chaos import report
from benchmarks.chaos.outcome import compare
from benchmarks.chaos.play import ChaosRun, play
from benchmarks.chaos.stream import Item, comments
from serving.clock import SystemClock
from tests.serving import postgres

RESULT = Path(__file__).parents[1] / "results" / "chaos.json"
DATABASES = ("SQLite", "PostgreSQL")


def main() -> None:
    """Run, print and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="on each database")
    parser.add_argument("--seeds", type=int, default=3, help="copies of the demo's KOLs")
    parser.add_argument("--seed", type=int, default=1, help="of the kills")
    parser.add_argument("--database", choices=DATABASES, action="append", help="one of the two")
    parser.add_argument("--out", type=Path, default=RESULT, help="result file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that started programs are stopped
    console = Console(width=120)
    end = SystemClock().now().replace(second=0, microsecond=0) - timedelta(days=3)
    items = comments(end, args.seeds)
    rows = []
    for name in args.database or DATABASES:
        rows.append(run(name, items, args.kills, args.seed))
        console.print(rows[-1], soft_wrap=True)
    report.show(rows, console)
    report.save(args.out, {"seed": args.seed, "seeds": args.seeds}, rows)
    if any(broken(row) for row in rows):
        sys.exit(1)


def broken(row: dict[str, Any]) -> list[str]:
    """What should be 0 in a row and is not."""
    names = ("lost", "duplicates", "diverging_alerts", "lost_notifications",
             "repeated_notifications")  # fmt: skip
    return [name for name in names if row[name]]


def run(name: str, items: Sequence[Item], kills: int, seed: int) -> dict[str, Any]:
    """A run without kills and one with them, on one kind of database."""
    with (
        tempfile.TemporaryDirectory(prefix="groundswell-chaos-") as folder,
        _databases(name, Path(folder)) as new_url,
    ):
        undisturbed = play(ChaosRun(name, new_url(), 0, seed), items, Path(folder) / "undisturbed")
        killed = play(ChaosRun(name, new_url(), kills, seed), items, Path(folder) / "killed")
    return report.row(name, killed, compare(undisturbed, killed))


@contextmanager
def _databases(name: str, folder: Path) -> Iterator[Callable[[], str]]:
    """Makes URLs of empty databases."""
    if name == "SQLite":
        numbers = iter(range(100))
        yield lambda: f"sqlite:///{folder}/{next(numbers)}.db"
        return
    with postgres.serving(durable=True) as server:
        yield lambda: server.url(server.create())


if __name__ == "__main__":
    main()
