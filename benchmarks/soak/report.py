"""The printed table and the result file."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.soak.memory import trend
from benchmarks.soak.samples import SoakSample
from benchmarks.soak.traffic import SoakPlan, SoakTraffic
from benchmarks.soak.verification import SoakFaults, SoakRemains

MOST_GROWTH = 0.05  # share by which memory may change after the warm-up
MOST_DELAY = 10.0  # seconds of p99 in which detection keeps up with the comments
MEMORY = ("resident", "own")


def result(
    day: date, plan: SoakPlan, warm_up: float, traffic: SoakTraffic, remains: SoakRemains,
    faults: SoakFaults, *, cores: list[int],
) -> dict[str, Any]:  # fmt: skip
    """The figures of a soak.

    Args:
        day: of the run.
        plan: what was to be done.
        warm_up: minutes that the trend of memory leaves out.
        traffic: what was done.
        remains: what it left.
        faults: what went wrong.
        cores: on which everything ran.
    """
    samples = traffic.samples
    settled = [sample for sample in samples if sample.second >= 60 * warm_up]
    seconds = [sample.second for sample in settled]
    everything = [delay for sample in samples for delay in sample.delays]
    return {
        "machine": machine(),
        "day": day.isoformat(),
        "cores": len(cores),
        "minutes": plan.minutes,
        "warm_up_minutes": warm_up,
        "share": plan.share,
        "kols": 3 * plan.copies,
        "readers": plan.readers,
        "capacity": round(traffic.capacity, 1),
        "rate": round(traffic.rate, 1),
        "comments": len(traffic.acknowledged),
        "alerts": len(remains.alerts),
        "notifications": len({message.key for message in remains.messages}),
        "actions": sum(traffic.actions.values()),
        "events_read": sum(map(len, traffic.read)),
        "requests_repeated": traffic.requests_repeated,
        "faults": asdict(faults),
        "memory": {
            name: trend(seconds, [getattr(sample, name) for sample in settled]).rounded()
            for name in MEMORY
        },
        "delay": {
            "p50": round(float(np.percentile(everything, 50)), 3),
            "p99": round(float(np.percentile(everything, 99)), 3),
            "worst": round(max(everything), 3),
        },
        "most_backlog": max(sample.backlog for sample in samples),
        "delays": _by_minute(samples, max(1, round(plan.minutes))),
        "samples": {
            name: [getattr(sample, name) for sample in samples]
            for name in ("second", *MEMORY, "descriptors", "database", "backlog", "sent")
        },
    }


def _by_minute(samples: list[SoakSample], minutes: int) -> dict[str, list[float]]:
    """p50 and p99 of the delays of each minute; a minute without any has those before it."""
    found: dict[str, list[float]] = {"p50": [], "p99": []}
    for minute in range(minutes):
        delays = [
            delay
            for sample in samples
            if min(sample.second // 60, minutes - 1) == minute
            for delay in sample.delays
        ]
        for name, percentile in (("p50", 50), ("p99", 99)):
            before = found[name][-1] if found[name] else 0.0
            value = round(float(np.percentile(delays, percentile)), 3) if delays else before
            found[name].append(value)
    return found


def failures(found: dict[str, Any]) -> list[str]:
    """What a soak does not keep, in words; empty if all is well."""
    said = [f"{count} {name.replace('_', ' ')}" for name, count in found["faults"].items() if count]
    for name, line in found["memory"].items():
        if line["change"] > MOST_GROWTH:
            grown = f"{100 * line['change']:.1f}%, more than {100 * MOST_GROWTH:g}%"
            said.append(f"{name} memory grew by {grown}")
    if (delay := found["delay"]["p99"]) > MOST_DELAY:
        said.append(f"the service did not keep up: a p99 of the delay of {delay:g} s")
    return said


def show(found: dict[str, Any], console: Console) -> None:
    """Print a table."""
    table = Table("soak", "")
    for name in ("minutes", "cores", "capacity", "rate", "comments", "alerts", "notifications",
                 "actions", "events_read", "requests_repeated", "most_backlog"):  # fmt: skip
        table.add_row(name.replace("_", " "), f"{found[name]:,}")
    for name, value in found["delay"].items():
        table.add_row(f"delay {name}, s", f"{value:.3f}")
    for name, line in found["memory"].items():
        text = f"{line['first']} to {line['last']} ({100 * line['change']:+.1f}%)"
        table.add_row(f"{name} memory after the warm-up, MiB", text)
    for name, count in found["faults"].items():
        table.add_row(name.replace("_", " "), str(count))
    console.print(table)


def save(path: Path, found: dict[str, Any]) -> None:
    """Write the result file; each list on one line."""
    samples = found.pop("samples")
    head = json.dumps(found, indent=2)
    lists = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(one)}" for name, one in samples.items()
    )
    path.write_text(f'{head[:-2]},\n  "samples": {{\n{lists}\n  }}\n}}\n')
    found["samples"] = samples
