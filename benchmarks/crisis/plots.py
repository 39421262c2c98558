"""Draws the page of plots: `python -m benchmarks.crisis.plots [RESULT]`.

Writes docs/plots/README.md and its plots from a result file and its details.
"""

import argparse
import json
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.crisis import protocol
from benchmarks.crisis.bench import OURS
from benchmarks.crisis.details import details_path

_ROOT = Path(__file__).parents[2]
_OURS, _LIMIT, _ALARM, _QUIET = "#1f6feb", "#57606a", "#cf222e", "#8c959f"
_HOURS = 3  # per point of a timeline
_TICKS = (1, 3, 10, 30, 100, 300, 1440)
_FEWEST = 0.01  # false pages per KOL-week at the left edge of the curves
PLOT_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "groundswell",
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

Crises = Sequence[dict[str, Any]]


def within(delays: Sequence[float | None], ticks: np.ndarray) -> np.ndarray:
    """Share of crises detected within each number of minutes; None is never."""
    known = np.sort([delay for delay in delays if delay is not None])
    return np.searchsorted(known, ticks, side="right") / max(len(delays), 1)


def delays(crises: Crises, group: str, keys: Sequence[str]) -> Figure:
    """One panel per shape or tier: share of its crises paged over time, and the limit."""
    columns = 3
    rows = -(-len(keys) // columns)
    figure = Figure(figsize=(9, 2.4 * rows), layout="constrained")
    ticks = np.geomspace(1, protocol.MISSED_MINUTES, 120)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, key in zip(panels, keys, strict=False):
        mine = [crisis for crisis in crises if crisis[group] == key]
        for name, colour, style in (("delay", _OURS, "-"), ("limit", _LIMIT, "--")):
            share = within([crisis[name] for crisis in mine], ticks)
            label = OURS if name == "delay" else "limit"
            panel.step(ticks, share, style, color=colour, where="post", label=label)
        panel.set(title=f"{key} ({len(mine)})", xscale="log", ylim=(0, 1.02))
        panel.set_xticks(_TICKS, [str(tick) for tick in _TICKS])
        panel.minorticks_off()
        panel.grid(alpha=0.25)
    for panel in panels[len(keys) :]:
        panel.remove()
    panels[0].legend(loc="lower right", frameon=False)
    figure.supxlabel("minutes since the onset")
    figure.supylabel("share of crises detected")
    return figure


def curves(points: dict[str, list[list[float]]]) -> Figure:
    """Recall against false pages: other detectors at all thresholds, the engine at its settings."""
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    panel = figure.subplots()
    colours = mpl.colormaps["tab10"].colors
    for index, (name, rows) in enumerate(points.items()):
        kept = [(max(false, _FEWEST), recall) for _, false, recall in sorted(rows)]
        false, recall = zip(*kept, strict=True)
        if name == OURS:
            panel.plot(false, recall, "o-", color=_OURS, lw=2.5, label=name, zorder=3)
        else:
            panel.plot(false, recall, "-", color=colours[index - 1], lw=1, label=name)
    for budget in protocol.BUDGETS:
        panel.axvline(budget, color=_QUIET, lw=0.6, ls=":")
    panel.set(xscale="log", xlim=(_FEWEST, 10), ylim=(0, 1))
    panel.set(xlabel="false pages per KOL-week", ylabel="share of crises paged")
    panel.grid(alpha=0.25)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def timelines(rows: Sequence[dict[str, Any]]) -> Figure:
    """One row per KOL: comments, negatives, incidents and pages."""
    figure = Figure(figsize=(10, 1.9 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), 1, sharex=True, squeeze=False).ravel()
    for panel, timeline in zip(panels, rows, strict=True):
        _draw(panel, timeline)
    panels[-1].set_xlabel("days since the start")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=6, frameon=False
    )
    return figure


def _draw(panel: Axes, timeline: dict[str, Any]) -> None:
    totals, dark = (
        np.array(timeline[name]).reshape(-1, _HOURS).sum(axis=1) / _HOURS
        for name in ("comments", "negative")
    )
    days = protocol.WARM_UP_DAYS + (np.arange(len(totals)) + 0.5) * _HOURS / 24
    panel.fill_between(days, totals, color="#d0d7de", lw=0, label="comments per hour")
    panel.plot(days, dark, color="#24292f", lw=0.7, label="predicted negative")
    panel.set_yscale("symlog", linthresh=max(1.0, float(np.median(totals))))
    panel.set_ylim(bottom=0)
    top = panel.get_ylim()[1]
    for kind, crisis, start, end in timeline["incidents"]:
        span = (start / protocol.MINUTES_PER_DAY, end / protocol.MINUTES_PER_DAY)
        panel.axvspan(*span, color=_ALARM if crisis else _QUIET, alpha=0.25, lw=0)
        hit = any(start < page <= end for page in timeline["pages"])
        name = f"{kind}, missed" if crisis and not hit else kind
        colour = _ALARM if crisis else _LIMIT
        panel.text(span[0], top, name, fontsize=6, color=colour, va="bottom", ha="left")
    false = set(timeline["false"])
    marks: tuple[tuple[str, str, list[int]], ...] = (
        ("page", "^", [page for page in timeline["pages"] if page not in false]),
        ("false page", "x", sorted(false)),
        ("resolved", "|", timeline["resolutions"]),
    )
    for label, mark, minutes in marks:
        colour = {"page": "#1a7f37", "false page": _ALARM, "resolved": _OURS}[label]
        at = [minute / protocol.MINUTES_PER_DAY for minute in minutes]
        panel.plot(at, [top * 0.75] * len(at), mark, color=colour, ms=6, label=label)
    panel.set_ylabel(timeline["kol"])


def page(result: dict[str, Any], content: dict[str, Any]) -> str:
    """The Markdown page around the plots."""
    crises, rows = content["crises"], content["timelines"]
    missed = sum(crisis["delay"] is None for crisis in crises)
    never = sum(crisis["limit"] is None for crisis in crises)
    chosen = ", ".join(
        f"{timeline['kol']} ({timeline['missed']} missed, {len(timeline['false'])} false)"
        for timeline in rows
    )
    about = (
        f"Drawn by `python -m benchmarks.crisis.plots` from `benchmarks/results/`: "
        f"{result['kols']} simulated KOLs, {result['comments']:,} comments, seed "
        f"{result['seeds']['measured']}. The engine runs at a budget of {protocol.BUDGETS[0]:g} "
        f"false pages per KOL and week. The limit is a test that knows the true rates and the "
        f"onset."
    )
    ends = (
        f"For each shape, the share of crises detected within so many minutes of their onset. A "
        f"line that ends below 1 has misses: {missed} of {len(crises)} by the engine, {never} by "
        f"the limit. A miss is a crisis that was not detected within a day or before it ended."
    )
    price = (
        f"Each other rule at every threshold of its grid, and the engine at its settings for the "
        f"three budgets (dotted). Values below {_FEWEST:g} are drawn at {_FEWEST:g}."
    )
    faults = (
        f"For each size, the KOL with the most faults: {chosen}. Red marks a crisis, grey an "
        f"event that must not page. The scale of comments per hour is linear up to the median."
    )
    parts = (
        "# Plots of the crisis benchmark",
        about,
        "## Delay by shape of the crisis",
        ends,
        "![Delays by shape](delays_by_shape.svg)",
        "## Delay by size of the KOL",
        "![Delays by tier](delays_by_tier.svg)",
        "## Recall and its price in false pages",
        price,
        "![Recall against false pages](recall.svg)",
        "## Hits, misses and false pages",
        faults,
        "![Timelines](timelines.svg)",
    )
    return "\n\n".join(textwrap.fill(part, 100) for part in parts) + "\n"


def main() -> None:
    """Draw all plots and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crisis.plots", description=__doc__)
    default = _ROOT / "benchmarks" / "results" / "crisis_100.json"
    parser.add_argument("result", type=Path, nargs="?", default=default)
    parser.add_argument("--out", type=Path, default=_ROOT / "docs" / "plots", help="folder")
    args = parser.parse_args()
    result = json.loads(args.result.read_text())
    content = json.loads(details_path(args.result).read_text())
    draw(result, content, args.out)


def draw(result: dict[str, Any], content: dict[str, Any], folder: Path) -> None:
    """Write the page and its plots into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tiers = [tier.name for tier in protocol.TIERS]
    figures: dict[str, Callable[[], Figure]] = {
        "delays_by_shape": lambda: delays(content["crises"], "shape", protocol.CRISES),
        "delays_by_tier": lambda: delays(content["crises"], "tier", tiers),
        "recall": lambda: curves(content["curves"]),
        "timelines": lambda: timelines(content["timelines"]),
    }
    with mpl.rc_context(PLOT_STYLE):
        for name, make in figures.items():
            make().savefig(folder / f"{name}.svg", metadata={"Date": None})
    (folder / "README.md").write_text(page(result, content))


if __name__ == "__main__":
    main()
