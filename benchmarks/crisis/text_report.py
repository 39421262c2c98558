"""Compares text level and count level: the printed tables and the result file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.crisis import delivery, text
from benchmarks.crisis.bootstrap import later, paired_intervals
from benchmarks.crisis.comments import Pool
from benchmarks.crisis.report import figures, show_groups
from benchmarks.machine import machine


def report(results: list[text.TextResult], pools: list[Pool], model_id: str) -> dict[str, Any]:
    """All results of the text level as JSON values."""
    counted, read = text.rows(results)
    count_level, text_level = figures(counted), figures(read)
    gaps = [gap for some in later(read.outcomes, counted.outcomes) for gap in some]
    return {
        "benchmark": "crisis, text level",
        "model": model_id,
        "machine": machine(),
        "kols": {tier: sum(r.tier == tier for r in results) for tier in text.KOLS},
        "comments": sum(result.delivered for result in results),
        "late": sum(result.late for result in results),
        "delivery": {
            "slow_share": delivery.SLOW,
            "late_share": delivery.LATE,
            "repeated_share": delivery.REPEATED,
        },
        "audiences": {
            pool.name: {
                "texts": sum(len(rows) for rows in pool.rows.values()),
                "kols": sum(result.audience == pool.name for result in results),
                "mean_negative_of_negative": pool.hit_rate,
                "mean_negative_of_others": pool.false_rate,
            }
            for pool in pools
        },
        "rows": [count_level, text_level],
        "difference": {
            "recall": text_level["recall"] - count_level["recall"],
            "caught_by_both": len(gaps),
            "later": float(np.median(gaps)),
            "interval_95": paired_intervals(read.outcomes, counted.outcomes),
        },
        "called": text.names(results),
    }


def show(result: dict[str, Any], console: Console) -> None:
    """Print the comparison, the engine by shape and tier at both levels, and the audiences."""
    table = Table(title=f"Crisis benchmark at budget {text.BUDGET:g}: counts and texts, same KOLs")
    names = ("recall", "95%", "false per KOL-week", "median", "p90", "hard paged", "notifications")
    table.add_column("level")
    for name in names:
        table.add_column(name, justify="right")
    for row in result["rows"]:
        low, high = row["interval_95"]["recall"]
        table.add_row(
            row["detector"],
            f"{row['recall']:.3f}",
            f"[{low:.3f}, {high:.3f}]",
            f"{row['false_per_kol_week']:.3f}",
            f"{row['delay_median']:.1f}",
            f"{row['delay_p90']:.0f}",
            f"{row['hard_negatives_paged']:.1%}",
            f"{row['notifications_per_incident']:.2f}",
        )
    console.print(table)
    apart = result["difference"]
    low, high = apart["interval_95"]["recall"]
    early, late = apart["interval_95"]["later"]
    console.print(
        f"text minus count: recall {100 * apart['recall']:+.1f} points "
        f"[{100 * low:+.1f}, {100 * high:+.1f}]; the {apart['caught_by_both']} crises caught by "
        f"both are {apart['later']:+.1f} minutes later (median) [{early:+.1f}, {late:+.1f}]; "
        f"{result['comments']:,} comments delivered, "
        f"{result['late'] / max(result['comments'], 1):.1%} after their window had closed"
    )
    for row, level in zip(result["rows"], ("count", "text"), strict=True):
        show_groups(row, f"{level} level, with the limit of the counts", console)
    audiences = Table("audience", "KOLs", "texts", "P(negative) of negative", "of others")
    for name, one in result["audiences"].items():
        audiences.add_row(
            name,
            str(one["kols"]),
            str(one["texts"]),
            f"{one['mean_negative_of_negative']:.2f}",
            f"{one['mean_negative_of_others']:.2f}",
        )
    console.print(audiences)
    console.print("kinds of the first pages: " + _counts(result["called"]))


def _counts(called: dict[str, dict[str, int]]) -> str:
    return "; ".join(
        f"{shape} " + ", ".join(f"{kind} {count}" for kind, count in kinds.items())
        for shape, kinds in called.items()
    )


def save(path: Path, result: dict[str, Any], seed: int) -> None:
    """Write the result and its seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result | {"seed": seed}, indent=1) + "\n")
