"""`python -m benchmarks.nab`: NAB scores on five Twitter-volume series, ours and river's."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.nab.detectors import DETECTORS, NEIGHBOURS, OURS, volume_surge
from benchmarks.nab.scoring import Sweep, scaled, sweep
from benchmarks.nab.series import FOLDER, Series, load
from benchmarks.nab.tuning import Tuned, best, tune

_RESULTS = Path(__file__).parents[1] / "results"


def show(tuned: dict[str, Tuned], series: Sequence[Series], console: Console) -> None:
    """Print the comparison."""
    table = Table(
        title="NAB, standard profile, five Twitter-volume series; 0 flags nothing, 100 is perfect"
    )
    for column in ("detector", "re-tuned", "leave one out"):
        table.add_column(column, justify="left" if column == "detector" else "right")
    for one in series:
        table.add_column(f"{one.name.rpartition('_')[2]} (of {len(one.windows)})", justify="right")
    for name, row in tuned.items():
        cells = [f"{hit} · {false}" for hit, false in zip(row.hits, row.false, strict=True)]
        table.add_row(name, f"{row.score:.1f}", f"{row.left_out:.1f}", *cells)
    console.print(table)
    console.print(
        "Per series: windows found · flagged rows outside windows, at the re-tuned threshold."
    )


def neighbours(series: Sequence[Series]) -> dict[str, Any]:
    """Our detector with settings around its default, tuned with and without each series.

    Returns:
        Lowest, median and highest of both scores over the settings, and `left_out_with_settings`:
        the scaled score if setting and threshold for each series are the best on the four others.
    """
    grid = [
        [sweep(volume_surge(one, **options), one.windows) for one in series]
        for options in track(NEIGHBOURS, "other settings")
    ]
    tuned = [tune(sweeps) for sweeps in grid]
    total = 0.0
    for index in range(len(series)):
        choices = [_on_others(sweeps, index) for sweeps in grid]
        chosen = int(np.argmax([score for score, _ in choices]))
        total += grid[chosen][index].at(choices[chosen][1])[0]
    windows = sum(part.windows for part in grid[0])
    return {
        "settings": [
            options | {"re_tuned": row.score, "leave_one_out": row.left_out}
            for options, row in zip(NEIGHBOURS, tuned, strict=True)
        ],
        "re_tuned": _spread([row.score for row in tuned]),
        "leave_one_out": _spread([row.left_out for row in tuned]),
        "left_out_with_settings": scaled(total, windows),
    }


def _on_others(sweeps: Sequence[Sweep], index: int) -> tuple[float, float]:
    """The best sum over all series except one, and its threshold."""
    rest = [part for other, part in enumerate(sweeps) if other != index]
    threshold = best(rest)
    return sum(part.at(threshold)[0] for part in rest), threshold


def _plain(row: Tuned) -> dict[str, Any]:
    """A row as JSON values; a threshold that flags nothing is null."""
    values = asdict(row)
    values["threshold"] = row.threshold if np.isfinite(row.threshold) else None
    values["thresholds"] = [one if np.isfinite(one) else None for one in row.thresholds]
    return values


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "lowest": min(values),
        "median": float(np.median(values)),
        "highest": max(values),
    }


def main() -> None:
    """Run the benchmark and write its result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nab", description=__doc__)
    parser.add_argument("--data", type=Path, default=FOLDER, help="folder with windows.json")
    parser.add_argument("--out", type=Path, default=_RESULTS / "nab.json", help="result file")
    args = parser.parse_args()
    series = load(args.data)
    tuned = {
        name: tune([sweep(detect(one), one.windows) for one in track(series, name)])
        for name, detect in DETECTORS.items()
    }
    console = Console(width=150)
    show(tuned, series, console)
    around = neighbours(series)
    spread = around["leave_one_out"]
    console.print(
        f"{OURS} with {len(NEIGHBOURS)} settings around its own: re-tuned "
        f"{around['re_tuned']['lowest']:.1f} to {around['re_tuned']['highest']:.1f}, leave one out "
        f"{spread['lowest']:.1f} to {spread['highest']:.1f} (median {spread['median']:.1f}); "
        f"setting and threshold from the four other series: {around['left_out_with_settings']:.1f}"
    )
    result = {
        "benchmark": "nab",
        "series": [one.name for one in series],
        "windows": sum(len(one.windows) for one in series),
        "machine": machine(),
        "rows": {name: _plain(row) for name, row in tuned.items()},
        "neighbours": around,
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
