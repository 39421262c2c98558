"""Metrics of a row with bootstrap intervals, the printed tables and the result file."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.crisis import protocol
from benchmarks.crisis.bench import OURS, Cost, DetectorRow
from benchmarks.crisis.bootstrap import Interval, crisis_intervals, delay_of, false_interval
from benchmarks.crisis.scoring import Caught, KolOutcome
from benchmarks.machine import machine


def recall(crises: Sequence[Caught]) -> float:
    """Share of crises that were caught, in [0, 1]."""
    return sum(crisis.delay is not None for crisis in crises) / max(len(crises), 1)


def delays(crises: Sequence[Caught]) -> tuple[float, float]:
    """Median and 90th percentile of the delay in minutes; a miss counts as a day."""
    values = [delay_of(crisis) for crisis in crises]
    if not values:
        return float("nan"), float("nan")
    return float(np.median(values)), float(np.percentile(values, 90))


def limits(crises: Sequence[Caught]) -> tuple[float, float]:
    """Median and 90th percentile of the limit's delay; a miss counts as a day."""
    values = [protocol.MISSED_MINUTES if c.limit is None else c.limit for c in crises]
    return float(np.median(values)), float(np.percentile(values, 90))


def interval(outcomes: Sequence[KolOutcome]) -> dict[str, Interval]:
    """95% bootstrap intervals by KOL of recall and of false pages per KOL-week."""
    every = crisis_intervals(outcomes, [outcome.caught for outcome in outcomes])
    return {"recall": every["recall"], "false_per_kol_week": false_interval(outcomes)}


def figures(row: DetectorRow) -> dict[str, Any]:
    """All metrics of one row, as in the result file."""
    caught = row.caught
    hit = [crisis for crisis in caught if crisis.delay is not None]
    median, tail = delays(caught)
    causes: defaultdict[str, int] = defaultdict(int)
    for page in row.false:
        causes[page.cause] += 1
    hard = sum(causes.get(kind, 0) for kind in protocol.HARD_NEGATIVES)
    hard_total = len(row.outcomes) * protocol.HARD_NEGATIVES_PER_KOL
    errors = [c.resolve_error for c in hit if c.resolve_error is not None]
    return {
        "detector": row.name,
        "budget": row.budget,
        "threshold": row.threshold,
        "recall": recall(caught),
        "false_per_kol_week": row.false_rate,
        "interval_95": interval(row.outcomes),
        "delay_median": median,
        "delay_p90": tail,
        "false_by_cause": dict(causes),
        "hard_negatives_paged": hard / hard_total,
        "notifications_per_incident": sum(c.pages for c in hit) / max(len(hit), 1),
        "aftershocks_per_incident": sum(c.aftershocks for c in hit) / max(len(hit), 1),
        "resolve_error_median_minutes": float(np.median(errors)) if errors else None,
        "by_shape": _by(row.outcomes, "kind"),
        "by_tier": _by(row.outcomes, "tier"),
    }


def _by(outcomes: Sequence[KolOutcome], name: str) -> dict[str, dict[str, Any]]:
    groups: defaultdict[str, list[Caught]] = defaultdict(list)
    for outcome in outcomes:
        for crisis in outcome.caught:
            groups[getattr(crisis, name)].append(crisis)
    out = {}
    for key, crises in sorted(groups.items(), key=lambda group: _place(group[0])):
        chosen = [[c for c in outcome.caught if getattr(c, name) == key] for outcome in outcomes]
        median, tail = delays(crises)
        limit_median, limit_tail = limits(crises)
        out[key] = {
            "crises": len(crises),
            "recall": recall(crises),
            "delay_median": median,
            "delay_p90": tail,
            "interval_95": crisis_intervals(outcomes, chosen),
            "limit_recall": sum(c.limit is not None for c in crises) / len(crises),
            "limit_median": limit_median,
            "limit_p90": limit_tail,
        }
    return out


def _place(key: str) -> int:
    """Position of a shape or tier in the protocol, which is the order of the tables."""
    return [*protocol.CRISES, *(tier.name for tier in protocol.TIERS)].index(key)


def show(rows: Sequence[dict[str, Any]], costs: Sequence[Cost], console: Console) -> None:
    """Print the comparison, and the engine's metrics by shape and tier."""
    table = Table(title="Recall, false pages per KOL-week (measured), median delay in minutes")
    table.add_column("detector")
    for budget in protocol.BUDGETS:
        table.add_column(f"budget {budget:g}", justify="right")
    by_name: defaultdict[str, dict[float, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        by_name[row["detector"]][row["budget"]] = row
    for name, cells in by_name.items():
        table.add_row(
            name,
            *(
                f"{cells[budget]['recall']:.2f}  {cells[budget]['false_per_kol_week']:.2f}  "
                f"{_minutes(cells[budget]['delay_median'])}"
                for budget in protocol.BUDGETS
            ),
        )
    console.print(table)
    for budget in protocol.BUDGETS:
        mine = by_name[OURS][budget]
        low, high = mine["interval_95"]["recall"]
        console.print(
            f"{OURS} at budget {budget:g}: recall {mine['recall']:.3f} [{low:.3f}, {high:.3f}], "
            f"false pages {mine['false_per_kol_week']:.3f} per KOL-week {mine['false_by_cause']}, "
            f"hard negatives paged {mine['hard_negatives_paged']:.1%}, "
            f"{mine['notifications_per_incident']:.2f} notifications per incident, "
            f"{mine['aftershocks_per_incident']:.2f} aftershocks reported"
        )
    first = protocol.BUDGETS[0]
    show_groups(by_name[OURS][first], f"{OURS} at budget {first:g} beside the limit", console)
    peers = {name: cells[first] for name, cells in by_name.items()}
    for group, title in (("by_shape", "shape"), ("by_tier", "tier")):
        show_peers(peers, group, f"Recall, median delay by {title} at budget {first:g}", console)
    state = max(cost.state_bytes for cost in costs)
    console.print(
        f"{speed_of(costs):,.0f} windows per second and core; largest state {state:,} bytes"
    )


def speed_of(costs: Sequence[Cost]) -> float:
    """Windows per second and core."""
    return sum(cost.windows for cost in costs) / max(sum(cost.seconds for cost in costs), 1e-9)


def show_groups(row: dict[str, Any], title: str, console: Console) -> None:
    """Print one detector by shape and tier, the limit, and 95% intervals by KOL."""
    detail = Table(title=title)
    for column in ("", "crises", "recall", "limit", "median", "limit", "p90", "limit"):
        detail.add_column(column, justify="left" if not column else "right")
    for group in ("by_shape", "by_tier"):
        for key, cell in row[group].items():
            low, high = cell["interval_95"]["recall"]
            early, late = cell["interval_95"]["delay_median"]
            detail.add_row(
                key,
                str(cell["crises"]),
                f"{cell['recall']:.2f} [{low:.2f}, {high:.2f}]",
                f"{cell['limit_recall']:.2f}",
                f"{_minutes(cell['delay_median'])} [{_minutes(early)}, {_minutes(late)}]",
                _minutes(cell["limit_median"]),
                _minutes(cell["delay_p90"]),
                _minutes(cell["limit_p90"]),
            )
        detail.add_section()
    console.print(detail)


def show_peers(rows: dict[str, dict[str, Any]], group: str, title: str, console: Console) -> None:
    """Print all detectors by shape or by tier."""
    keys = list(rows[OURS][group])
    table = Table("detector", *keys, title=title)
    for name, row in rows.items():
        cells = [row[group][key] for key in keys]
        table.add_row(name, *(f"{c['recall']:.2f}  {_minutes(c['delay_median'])}" for c in cells))
    limit = [rows[OURS][group][key] for key in keys]
    table.add_row(
        "the limit", *(f"{c['limit_recall']:.2f}  {_minutes(c['limit_median'])}" for c in limit)
    )
    console.print(table)


def _minutes(value: float) -> str:
    return "missed" if value >= protocol.MISSED_MINUTES else f"{value:.0f}"


def save(
    path: Path, rows: Sequence[dict[str, Any]], costs: Sequence[Cost], kols: int, seed: int
) -> None:
    """Write the result with machine and versions."""
    result = {
        "benchmark": "crisis",
        "kols": kols,
        "comments": sum(cost.comments for cost in costs),
        "seeds": {"calibration": protocol.CALIBRATION_SEED, "measured": seed},
        "machine": machine(),
        "windows_per_second_and_core": speed_of(costs),
        "largest_state_bytes": max(cost.state_bytes for cost in costs),
        "rows": list(rows),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
