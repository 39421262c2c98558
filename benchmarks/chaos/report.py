"""The printed table and the result file."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.chaos.outcome import ChaosOutcome, KillCosts
from benchmarks.machine import machine

_COLUMNS = {
    "database": "database",
    "kills": "kills",
    "comments": "comments",
    "alerts": "alerts",
    "notifications": "notifications",
    "lost": "lost",
    "duplicates": "duplicates",
    "diverging_alerts": "diverging alerts",
    "lost_notifications": "notifications lost",
    "repeated_notifications": "repeated",
    "sent_again": "sent again, same key",
}


def row(database: str, killed: ChaosOutcome, found: KillCosts) -> dict[str, Any]:
    """The figures of a run."""
    return {
        "database": database,
        "kills": killed.kills,
        "comments": len(set(killed.stored)),
        "alerts": len(killed.alerts),
        "notifications": len({message.key for message in killed.messages}),
        **asdict(found),
        "requests_repeated": killed.requests_repeated,
        "seconds": round(killed.seconds),
    }


def show(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """Print a table."""
    table = Table(*_COLUMNS.values())
    for one in rows:
        table.add_row(*(str(one[name]) for name in _COLUMNS))
    console.print(table)


def save(path: Path, how: dict[str, Any], rows: Sequence[dict[str, Any]]) -> None:
    """Write the result file."""
    path.write_text(json.dumps({"machine": machine(), **how, "rows": rows}, indent=2) + "\n")
