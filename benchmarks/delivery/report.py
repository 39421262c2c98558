"""The printed tables and the result file; each kind of run writes its part."""

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


def rows(events: Sequence[ChainEvent]) -> list[dict[str, Any]]:
    """Each event with its times.

    Returns:
        `what`; `event_minutes` since the first hostile comment in event time; `clock_seconds` since
        it was sent; `delay_seconds` since the commit of the reported transition. None if it does
        not apply.
    """
    first = events[0]
    found = []
    for one in events:
        event = None
        if one.event_time is not None and first.event_time is not None:
            event = round((one.event_time - first.event_time).total_seconds() / 60, 1)
        delay = one.cause and round((one.at - one.cause).total_seconds(), 2)
        found.append(
            {
                "what": one.what,
                "event_minutes": event,
                "clock_seconds": round((one.at - first.at).total_seconds(), 2),
                "delay_seconds": delay,
            }
        )
    return found


def show_events(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the timeline."""
    table = Table(title="Time since the first hostile comment")
    table.add_column("what")
    for name in ("event time, min", "clock, s", "after its transition, s"):
        table.add_column(name, justify="right")
    for row in rows:
        figures = (row["event_minutes"], row["clock_seconds"], row["delay_seconds"])
        table.add_row(row["what"], *("" if value is None else f"{value:,}" for value in figures))
    console.print(table)


def show_faults(results: Sequence[ChannelOutcome], console: Console) -> None:
    """Print the result of each channel."""
    table = Table(title="Three alerts in an outage: each transition is received once per key")
    for name in ChannelOutcome.__slots__:
        table.add_column(name, justify="left" if name == "channel" else "right")
    for one in results:
        table.add_row(*(f"{value:.1f}" if isinstance(value, float) else str(value)
                        for value in asdict(one).values()))  # fmt: skip
    console.print(table)


def save(path: Path, part: str, result: Mapping[str, Any]) -> None:
    """Write one part of the result file and keep the others."""
    known = json.loads(path.read_text()) if path.exists() else {}
    known[part] = {"machine": machine(), **result}
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
