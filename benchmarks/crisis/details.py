"""What the plots need beyond the tables: every crisis, the curves, and a few timelines."""

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
    """Where the details of a result file lie: beside it."""
    return result.with_name(f"{result.stem}_details.json")


def details(test: Sequence[KolResult], table: Sequence[DetectorRow]) -> dict[str, Any]:
    """Delays, curves and timelines as JSON-able values.

    Returns:
        "crises": ours at the first budget, each with KOL, tier, shape, delay and limit (minutes or
        null). "curves": per detector [threshold, false pages per KOL-week, recall] on the test
        KOLs; the engine at its settings for the budgets, the others at every threshold of their
        grid. "timelines": of every tier the KOL with the most faults.
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
    stories = [result.timeline for result in test if result.timeline is not None]
    return {
        "crises": crises,
        "curves": curves,
        "timelines": [asdict(story) for story in worst(stories)],
    }


def save_details(path: Path, content: dict[str, Any]) -> None:
    """Write them on one line an entry."""
    parts = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")
