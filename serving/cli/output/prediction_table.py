"""Texts and what the model says of them, as a table."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from model.types import Prediction
from serving.cli.output.formatting import shorten

_COLOURS = {"negative": "red", "neutral": "white", "positive": "green"}


def prediction_table(scored: Sequence[tuple[str, Prediction]]) -> Table:
    """Texts with their predictions, one a row."""
    offensive = any(prediction.offensive is not None for _, prediction in scored)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("text", overflow="fold")
    table.add_column("label")
    for heading in ("negative", "neutral", "positive", *(["offensive"] if offensive else [])):
        table.add_column(heading, justify="right")
    for text, prediction in scored:
        label = prediction.label.value
        shares = [prediction.negative, prediction.neutral, prediction.positive]
        cells = [f"{share:.2f}" for share in shares]
        if offensive:
            cells.append("-" if prediction.offensive is None else f"{prediction.offensive:.2f}")
        shown = "nothing to read" if prediction.empty else label
        table.add_row(Text(shorten(text)), Text(shown, style=_COLOURS[label]), *cells)
    return table
