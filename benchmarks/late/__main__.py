"""`python -m benchmarks.late`: what late comments change, and what they cost.

`--crisis` sends the crisis benchmark's comments promptly and up to an hour late and compares what
is finally derived. `--cost` times one late comment, and prompt comments beside a re-run. Both run
the real pipeline on SQLite and, where it is installed, PostgreSQL.
"""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console

from benchmarks.crisis import protocol
from benchmarks.crisis.comments import Pool
from benchmarks.late import audience, beside, cost, crisis, report
from benchmarks.late.measured import databases

RESULT = Path(__file__).parents[1] / "results" / "late.json"
KOLS = {"nano": 4, "micro": 4, "mid": 2}
DAYS = {"nano": 56, "micro": 28, "mid": 21}
LATE = {"nano": 100, "mega": 40}
NANO_DAYS = 8
_CONSOLE = Console(width=110)


def main() -> None:
    """Run the wanted parts, print and write their results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.late", description=__doc__)
    parser.add_argument("--crisis", action="store_true", help="compare delayed with prompt runs")
    parser.add_argument("--cost", action="store_true", help="time late comments")
    parser.add_argument("--kols", type=_per_tier, default=KOLS, help="e.g. nano=4,micro=4,mid=2")
    parser.add_argument("--days", type=_per_tier, default=DAYS, help="days per tier, likewise")
    parser.add_argument("--delay", type=float, default=60.0, help="most minutes of delay")
    parser.add_argument("--poll", type=int, default=15, help="minutes between two polls")
    parser.add_argument("--mega-days", type=int, default=2, help="history of the mega KOL")
    parser.add_argument("--late", type=_per_tier, default=LATE, help="late comments per KOL")
    parser.add_argument("--requests", type=int, default=400, help="of prompt comments")
    parser.add_argument("--every", type=float, default=0.1, help="seconds between two of them")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULT, help="result file")
    args = parser.parse_args()
    if not args.crisis and not args.cost:
        parser.error("give --crisis, --cost or both")
    # So that a started server is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if args.crisis:
        compare_runs(args)
    if args.cost:
        measure_costs(args)


def compare_runs(args: argparse.Namespace) -> None:
    """Prompt and delayed runs on each database."""
    with databases(durable=False) as makers:
        runs = [
            crisis.CrisisRun(
                name, make(), protocol.TEST_SEED, args.kols, args.days, delay, args.poll
            )
            for delay in (args.delay, 0.0)
            for name, make in makers.items()
        ]
        with ProcessPoolExecutor(args.processes) as processes:
            results = list[crisis.CrisisResult]()
            for result in processes.map(_play, runs):
                _CONSOLE.print(f"{result.run}: {result.seconds:.0f} s", soft_wrap=True)
                results.append(result)
    delayed, prompt = results[: len(makers)], results[len(makers) :]
    rows = [report.crisis_row(*pair) for pair in zip(prompt, delayed, strict=True)]
    report.show_crisis(rows, _CONSOLE)
    how = {"kols": args.kols, "days": args.days, "delay": args.delay, "poll": args.poll}
    report.save(args.out, "crisis", {**how, "rows": rows})


def measure_costs(args: argparse.Namespace) -> None:
    """The cost of late comments on each database."""
    nano = cost.SteadyKol("nano", 20, NANO_DAYS, args.late["nano"])
    mega = cost.SteadyKol("mega", 80_000, args.mega_days, args.late["mega"])
    pool = audience.pool(protocol.TEST_SEED)
    with databases(durable=True) as makers:
        rows = []
        for name, make in makers.items():
            rows.append(asyncio.run(_costs(name, make(), pool, (nano, mega), args)))
            _CONSOLE.print(rows[-1], soft_wrap=True)
    report.show_costs(rows, _CONSOLE)
    report.save(args.out, "cost", {"every_seconds": args.every, "rows": rows})


async def _costs(
    name: str,
    url: str,
    pool: Pool,
    kols: Sequence[cost.SteadyKol],
    args: argparse.Namespace,
) -> dict[str, Any]:
    world = cost.new_world(url, pool, protocol.TEST_SEED)
    for kol in kols:
        await world.receive_history(kol)
    costs = [await cost.measure(world, kol) for kol in kols]
    delays = {
        beside_what: await beside.measure(world, kol, requests=args.requests, every=args.every)
        for beside_what, kol in {"nothing": None, **{kol.kol_id: kol for kol in kols}}.items()
    }
    await world.database.close()
    return report.cost_row(name, costs, delays)


def _play(run: crisis.CrisisRun) -> crisis.CrisisResult:
    return asyncio.run(crisis.play(run))


def _per_tier(words: str) -> dict[str, int]:
    return {name: int(number) for name, number in (word.split("=") for word in words.split(","))}


if __name__ == "__main__":
    main()
