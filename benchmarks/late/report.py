"""The printed tables and the result file; each part of the benchmark writes its own."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.late.beside import PromptDelays
from benchmarks.late.cost import LateCosts
from benchmarks.late.crisis import CrisisResult, differences, equal_parts
from benchmarks.machine import machine


def crisis_row(prompt: CrisisResult, delayed: CrisisResult) -> dict[str, Any]:
    """The figures of two runs on one database."""
    found = delayed.found
    reruns, seconds = delayed.reruns, delayed.rerun_seconds
    return {
        "database": prompt.run.database,
        "comments": prompt.comments,
        "kol_weeks": round(prompt.weeks, 1),
        "crises": prompt.crises,
        "equal": equal_parts(prompt, delayed),
        "differences": differences(prompt, delayed),
        "recall": {"prompt": round(prompt.recall, 4), "delayed": round(delayed.recall, 4)},
        "false_pages_per_kol_week": {
            "prompt": round(prompt.false_pages, 4),
            "delayed": round(delayed.false_pages, 4),
        },
        "alerts": len(prompt.final["alerts"]),
        "delayed": {
            "found_late": len(found.delays),
            "in_time": found.in_time,
            "withdrawn": found.withdrawn,
            "found_after_minutes": quantiles(found.delays),
            "reruns": reruns,
            "rerun_milliseconds": round(1000 * seconds / max(reruns, 1), 1),
            "seconds": round(delayed.seconds),
        },
        "prompt": {
            "found_late": len(prompt.found.delays),
            "reruns": prompt.reruns,
            "seconds": round(prompt.seconds),
        },
    }


def quantiles(values: Sequence[float]) -> dict[str, float] | None:
    """Median, 99th percentile and largest; None of nothing."""
    if not values:
        return None
    p50, p99 = np.quantile(values, (0.5, 0.99))
    return {name: round(float(value), 1) for name, value in
            (("p50", p50), ("p99", p99), ("max", max(values)))}  # fmt: skip


def show_crisis(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print one column for each database."""
    table = Table(title="The same comments, prompt and delayed")
    table.add_column("")
    for row in rows:
        table.add_column(row["database"], justify="right")
    lines = {
        "comments": lambda row: f"{row['comments']:,}",
        "KOL-weeks, crises": lambda row: f"{row['kol_weeks']}, {row['crises']}",
        "equal in the end": lambda row: ", ".join(k for k, v in row["equal"].items() if v) or "no",
        "different": lambda row: ", ".join(k for k, v in row["equal"].items() if not v) or "no",
        "recall, prompt / delayed": lambda row: _both(row["recall"]),
        "false pages per KOL-week": lambda row: _both(row["false_pages_per_kol_week"]),
        "alerts": lambda row: str(row["alerts"]),
        "of these found late": lambda row: str(row["delayed"]["found_late"]),
        "of these raised in time": lambda row: str(row["delayed"]["in_time"]),
        "withdrawn on the way": lambda row: str(row["delayed"]["withdrawn"]),
        "found after, minutes": lambda row: _quantiles(row["delayed"]["found_after_minutes"]),
        "re-runs": lambda row: f"{row['delayed']['reruns']:,}",
        "time of a re-run, mean, ms": lambda row: str(row["delayed"]["rerun_milliseconds"]),
        "time of the runs, s": lambda row: (
            f"{row['prompt']['seconds']} / {row['delayed']['seconds']}"
        ),
    }
    for name, figure in lines.items():
        table.add_row(name, *(figure(row) for row in rows))
    console.print(table)
    for row in rows:
        for one in row["differences"]:
            console.print(row["database"], one, markup=False, soft_wrap=True)


def cost_row(
    database: str, costs: Sequence[LateCosts], delays: Mapping[str, PromptDelays]
) -> dict[str, Any]:
    """The figures of one database.

    Args:
        database: its name.
        costs: of late comments, one of each KOL.
        delays: of prompt comments, by what ran beside.
    """
    return {
        "database": database,
        "late_comments": [
            {
                "kol": cost.kol.kol_id,
                "comments_a_day": cost.kol.a_day,
                "days": cost.kol.days,
                "late": len(cost.milliseconds),
                "milliseconds": quantiles(cost.milliseconds),
                "windows": quantiles(cost.windows),
            }
            for cost in costs
        ],
        "prompt_comments": [
            {
                "beside": beside,
                "requests": len(delay.milliseconds),
                "milliseconds": quantiles(delay.milliseconds),
                "reruns": delay.reruns,
            }
            for beside, delay in delays.items()
        ],
    }


def show_costs(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the cost of a late comment, and the delay of prompt ones."""
    late = Table("database", "KOL", "comments a day", "late", "ms", "windows judged again",
                 title="One late comment, from its commit to that of the re-run")  # fmt: skip
    prompt = Table("database", "beside", "requests", "ms", "re-runs",
                   title="Prompt comments, from their commit to that of their step")  # fmt: skip
    for row in rows:
        for one in row["late_comments"]:
            late.add_row(
                row["database"],
                one["kol"],
                f"{one['comments_a_day']:,}",
                str(one["late"]),
                _quantiles(one["milliseconds"]),
                _quantiles(one["windows"]),
            )
        for one in row["prompt_comments"]:
            prompt.add_row(
                row["database"],
                one["beside"],
                str(one["requests"]),
                _quantiles(one["milliseconds"]),
                str(one["reruns"]),
            )
    console.print(late)
    console.print(prompt)


def _both(pair: Mapping[str, float]) -> str:
    return f"{pair['prompt']:.3f} / {pair['delayed']:.3f}"


def _quantiles(found: Mapping[str, float] | None) -> str:
    return "" if found is None else f"p50 {found['p50']:g}, p99 {found['p99']:g}"


def save(path: Path, part: str, result: Mapping[str, Any]) -> None:
    """Write one part of the result file and keep the others."""
    known = json.loads(path.read_text()) if path.exists() else {}
    known[part] = {"machine": machine(), **result}
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
