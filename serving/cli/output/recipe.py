"""What each detector asks, and the numbers that its value is computed from."""

import math
from datetime import datetime

from rich.table import Table
from rich.text import Text

from groundswell_client.models.evidence import DetectorScoreInfo
from serving.cli.output.formatting import instant, length

QUESTIONS = {
    "share_shift": "Is the share of negative comments above normal since some minute, by more than "
    "chance and the differences between posts explain?",
    "hour_scan": "Over the last 2, 4, 8, 16 or 24 full hours, were comments more often negative "
    "than normal, and were there more negative ones than normal?",
    "praise_shift": "Are the share of praise and the volume above normal since some minute?",
    "copies_shift": "Do more comments than normal nearly repeat another one since some minute, "
    "while negative comments are no more than normal?",
    "volume_surge": "Is the number of comments over a day rarer than what the KOL normally gets, "
    "whatever their mood?",
    "silence": "How many comments were expected in the time without any, and is that twice as many "
    "as in the longest recent silence?",
}
_SHIFT = (
    ("n", "n", "comments in the {span} to {end}"),
    ("k", "k", "sum of P({mood}) over them"),
    ("x", "x", "part of n above the normal volume"),
    ("p", "p", "normal share"),
    ("p₁", "p1", "raised share"),
    ("φ", "phi", "n and k are divided by it"),
    ("κ", "kappa", "concentration, lower as x grows"),
    ("Λ", "", "log BB(k | n, p₁, κ) - log BB(k | n, p, κ), in nats"),
)
_COPIES = (
    _SHIFT[0],
    ("k", "k", "of these, comments that nearly repeat another"),
    ("p", "p", "normal share"),
    ("p₁", "p1", "raised share"),
    ("κ", "kappa", "concentration"),
    _SHIFT[-1],
)
_SCAN = (
    ("n", "n", "comments in the {span} to {end}"),
    ("k", "k", "sum of P(negative) over them"),
    ("x", "x", "part of n above the normal volume"),
    ("p", "p", "normal share of k"),
    ("φ", "phi", "n and k are divided by it"),
    ("κ", "kappa", "concentration, lower as x grows and as hours vary"),
    ("share", "share_nats", "log BB(k | n, k/n, κ) - log BB(k | n, p, κ)"),
    ("m", "positive", "sum of P(positive) over them"),
    ("b", "b", "normal share of m in n - k"),
    ("φ", "phi_b", "m and n - k are divided by it"),
    ("silence", "silence_nats", "as share, of m in n - k against b, if lower; at most 3"),
    ("E", "expected", "normal number of comments in these hours"),
    ("s²", "s2", "variance of log(k / pE) in quiet times, with chance"),
    ("count", "count_nats", "log((k + 1) / (pE + 1))² / 2s², at most 4"),
    ("Λ", "", "share + silence + count, in nats"),
)
_SURGE = (
    ("r", "ratio", "log of the comments of a day over their normal number"),
    ("q", "quantile", "r that is exceeded in a share t of the time"),
    ("e", "excess", "mean of r - q where r is above q"),
    ("t", "tail", "that share"),
    ("Λ", "", "(r - q) / e - log t, in nats"),
)
RECIPES = {
    "share_shift": _SHIFT,
    "praise_shift": _SHIFT,
    "copies_shift": _COPIES,
    "hour_scan": _SCAN,
    "volume_surge": _SURGE,
}
_FORM = "%d %b %H:%M"


def answer(score: DetectorScoreInfo) -> Text:
    """What a detector asks, and what it answered."""
    reached = "reached" if score.ratio >= 1 else "not reached"
    text = Text(score.name, style="bold")
    value = f"  {score.value:.2f} nats, threshold {score.threshold:.2f}: {reached}"
    text.append(value, style="not bold")
    if score.value > 0:
        text.append(f", over the last {length(score.scale_minutes)}", style="not bold")
    return text.append(f"\n{QUESTIONS.get(score.name, '')}", style="not bold")


def inputs(score: DetectorScoreInfo, at: datetime) -> Table | None:
    """The numbers behind a value by their symbols in docs/detection.md; None where the value did
    not reach its threshold, or where they were not stored.

    Args:
        score: of a detector.
        at: event time of the alert event.
    """
    recipe = RECIPES.get(score.name)
    if recipe is None or score.ratio < 1 or not score.inputs:
        return None
    end = at.replace(minute=0) if score.name == "hour_scan" else at  # it looks at full hours
    words = {
        "span": length(score.scale_minutes),
        "end": instant(end, _FORM),
        "mood": "positive" if score.name == "praise_shift" else "negative",
    }
    values = {**score.inputs, "": score.value}
    table = Table.grid(padding=(0, 2))
    for side in ("left", "right", "left"):
        table.add_column(justify="right" if side == "right" else "left", no_wrap=True)
    for symbol, name, meaning in recipe:
        table.add_row(symbol, _figure(values[name]), meaning.format(**words))
    return table


def _figure(value: float) -> str:
    """Five significant digits at least; counts whole."""
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) >= 1:
        return f"{value:,.0f}"
    return f"{value:,.{max(2, 4 - math.floor(math.log10(abs(value))))}f}"
