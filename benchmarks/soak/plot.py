"""Draws a soak: `python -m benchmarks.soak.plot [RESULT]`."""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.crisis.plots import PLOT_STYLE

_ROOT = Path(__file__).parents[2]
RESULT = _ROOT / "benchmarks" / "results" / "soak.json"
PLOT = _ROOT / "docs" / "images" / "soak.png"
_LINE, _TREND, _QUIET = "#1f6feb", "#cf222e", "#8c959f"


def figure(result: dict[str, Any]) -> Figure:
    """Memory, delay, comments and files over the minutes of a soak.

    Args:
        result: as in the result file.
    """
    samples = {name: np.array(values) for name, values in result["samples"].items()}
    minutes = samples["second"] / 60
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    memory, delay, comments, files = figure.subplots(2, 2, sharex=True).ravel()
    _memory(memory, minutes, samples, result)
    for name, colour in (("p50", _QUIET), ("p99", _LINE)):
        found = result["delays"][name]
        delay.step(range(len(found) + 1), [*found, found[-1]], color=colour, where="post",
                   label=f"{name} of each minute")  # fmt: skip
    delay.set(title="delay of detection", ylabel="seconds", ylim=(0, None))
    rate = np.diff(samples["sent"]) / np.diff(samples["second"])
    comments.plot(minutes[1:], rate, color=_LINE, lw=0.8, label="acknowledged a second")
    comments.plot(minutes, samples["backlog"], color=_QUIET, lw=0.8, label="not processed yet")
    comments.axhline(result["capacity"], color=_TREND, ls=":", lw=1, label="capacity a second")
    comments.set(title="comments", xlabel="minutes", ylim=(0, None))
    files.plot(minutes, samples["descriptors"], color=_LINE, label="open descriptors")
    files.plot(minutes, samples["database"], color=_QUIET, label="database, MiB")
    files.set(title="files", xlabel="minutes", ylim=(0, None))
    for panel in (memory, delay, comments, files):
        panel.grid(alpha=0.25)
        panel.legend(frameon=False, loc="best")
    return figure


def _memory(
    panel: Axes, minutes: np.ndarray, samples: dict[str, np.ndarray], result: dict[str, Any]
) -> None:
    for name, colour in (("resident", _QUIET), ("own", _LINE)):
        line = result["memory"][name]
        panel.plot(minutes, samples[name], color=colour, lw=1.2, label=name)
        ends = [max(result["warm_up_minutes"], minutes[0]), minutes[-1]]
        label = f"its trend after the warm-up: {100 * line['change']:+.1f}%"
        panel.plot(ends, [line["first"], line["last"]], "--", color=_TREND, lw=1.2, label=label)
    top = 1.15 * samples["resident"].max()
    panel.set(title="memory of the service", ylabel="MiB", ylim=(0, top))


def draw(result: dict[str, Any], path: Path) -> None:
    """Write the plot as PNG."""
    with mpl.rc_context(PLOT_STYLE):
        figure(result).savefig(path, dpi=130, metadata={"Software": None})


def main() -> None:
    """Draw it again from a result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak.plot", description=__doc__)
    parser.add_argument("result", type=Path, nargs="?", default=RESULT)
    parser.add_argument("--out", type=Path, default=PLOT, help="PNG file")
    args = parser.parse_args()
    draw(json.loads(args.result.read_text()), args.out)


if __name__ == "__main__":
    main()
