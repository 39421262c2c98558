"""The data of the plots beyond the tables: all crises, the curves, and a few timelines."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.crisis import peers, protocol
from benchmarks.crisis.bench import OURS, DetectorRow, KolResult
from benchmarks.crisis.report import recall
from benchmarks.crisis.timeline import worst


def details_path(result: Path) -> Path:
    """The path of a result file's details, beside it."""
    return result.with_name(f"{result.stem}_details.json")


def details(test: Sequence[KolResult], table: Sequence[DetectorRow]) -> dict[str, Any]:
    """Delays, curves and timelines as JSON values.

    Returns:
        "crises": the engine's at the first budget, each with KOL, tier, shape, delay and limit
        (minutes or null). "curves": detector → [threshold, false pages per KOL-week, recall] on the
        test KOLs; the engine at its settings for the budgets, the others at all thresholds of
        their grids. "timelines": for each tier the KOL with the most errors.
    """
    mine = {row.budget: row for row in table if row.name == OURS}
    crises = [
        {"kol": c.kol, "tier": c.tier, "shape": c.kind, "delay": c.delay, "limit": c.limit}
        for c in mine[protocol.BUDGETS[0]].caught
    ]
    curves = {
        OURS: [[row.threshold, row.false_rate, recall(row.caught)] for row in mine.values()],
    }
    for peer in peers.PEERS:
        points = []
        for index, threshold in enumerate(peer.grid):
            outcomes = tuple(result.peers[peer.name][index] for result in test)
            row = DetectorRow(peer.name, 0.0, threshold, outcomes)
            points.append([threshold, row.false_rate, recall(row.caught)])
        curves[peer.name] = points
    lines = [result.timeline for result in test if result.timeline is not None]
    return {
        "crises": crises,
        "curves": curves,
        "timelines": [asdict(line) for line in worst(lines)],
    }


def save_details(path: Path, content: dict[str, Any]) -> None:
    """Write the details, one entry per line."""
    parts = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")
