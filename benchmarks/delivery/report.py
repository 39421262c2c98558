"""The printed tables, and the result file that each run writes its own part of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.delivery.chain import ChainEvent
from benchmarks.delivery.faults import ChannelOutcome
from benchmarks.machine import machine


def rows(moments: Sequence[ChainEvent]) -> list[dict[str, Any]]:
    """Each moment with its distances.

    Returns:
        `what`; `event_minutes` from the first hostile comment in event time; `clock_seconds` from
        sending it; `delay_seconds` from the commit of the transition that it tells of. None where
        there is none.
    """
    first = moments[0]
    found = []
    for moment in moments:
        event = None
        if moment.event is not None and first.event is not None:
            event = round((moment.event - first.event).total_seconds() / 60, 1)
        delay = moment.cause and round((moment.at - moment.cause).total_seconds(), 2)
        found.append(
            {
                "what": moment.what,
                "event_minutes": event,
                "clock_seconds": round((moment.at - first.at).total_seconds(), 2),
                "delay_seconds": delay,
            }
        )
    return found


def show_story(told: Sequence[Mapping[str, Any]], console: Console) -> None:
    """The timeline."""
    table = Table(title="From the first hostile comment")
    table.add_column("what")
    for name in ("event time, min", "clock, s", "after its transition, s"):
        table.add_column(name, justify="right")
    for row in told:
        figures = (row["event_minutes"], row["clock_seconds"], row["delay_seconds"])
        table.add_row(row["what"], *("" if value is None else f"{value:,}" for value in figures))
    console.print(table)


def show_faults(told: Sequence[ChannelOutcome], console: Console) -> None:
    """What came of each channel."""
    table = Table(title="Three alerts in an outage: every transition told once for each key")
    for name in ChannelOutcome.__slots__:
        table.add_column(name, justify="left" if name == "channel" else "right")
    for one in told:
        table.add_row(*(f"{value:.1f}" if isinstance(value, float) else str(value)
                        for value in asdict(one).values()))  # fmt: skip
    console.print(table)


def save(path: Path, part: str, result: Mapping[str, Any]) -> None:
    """Write one part of the result file and keep the other."""
    known = json.loads(path.read_text()) if path.exists() else {}
    known[part] = {"machine": machine(), **result}
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
