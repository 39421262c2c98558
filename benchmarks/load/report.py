"""The printed table, the result file, and what is allowed."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.load.measure import LoadDelays, LoadOutcome, LoadPlan
from benchmarks.machine import machine

REST = "rest"
MOST_MORE = 2.0  # seconds of p99 under a load beyond that at rest


def result(day: date, plan: LoadPlan, found: Mapping[str, LoadOutcome]) -> dict[str, Any]:
    """The figures.

    Args:
        day: of the run.
        plan: what was to be done.
        found: what was measured, by database.
    """
    return {
        "machine": machine(),
        "day": day.isoformat(),
        "seconds": plan.seconds,
        "every": plan.every,
        "scale": plan.scale,
        "databases": {
            name: {"capacity": round(outcome.capacity), "loads": _rows(outcome.loads)}
            for name, outcome in found.items()
        },
    }


def _rows(loads: Sequence[LoadDelays]) -> list[dict[str, Any]]:
    return [
        {
            "load": one.load,
            "requests": len(one.delays),
            "p50": round(one.percentile(50), 3),
            "p99": round(one.percentile(99), 3),
            "worst": round(max(one.delays), 3),
            "refused": one.refused,
            "done": one.done,
        }
        for one in loads
    ]


def failures(found: Mapping[str, Any]) -> list[str]:
    """Where detection is slower than allowed, in words; empty if nowhere."""
    said = []
    for database, one in found["databases"].items():
        delays = {row["load"]: row["p99"] for row in one["loads"]}
        at_rest = delays.get(REST)
        for load, delay in delays.items():
            if at_rest is not None and delay > at_rest + MOST_MORE:
                said.append(f"{database}: {load} has a p99 of {delay:g} s, at rest {at_rest:g} s")
    return said


def show(found: Mapping[str, Any], console: Console) -> None:
    """Print a table of each database."""
    for database, one in found["databases"].items():
        title = f"{database}, {one['capacity']} comments/s"
        table = Table("load", "p50 s", "p99 s", "worst s", "refused", "done", title=title)
        for row in one["loads"]:
            times = (f"{row[name]:.3f}" for name in ("p50", "p99", "worst"))
            done = ", ".join(f"{number:,} {what}" for what, number in row["done"].items())
            table.add_row(row["load"], *times, str(row["refused"]), done)
        console.print(table)


def save(path: Path, found: Mapping[str, Any]) -> None:
    """Write the result file."""
    path.write_text(json.dumps(found, indent=2) + "\n")
