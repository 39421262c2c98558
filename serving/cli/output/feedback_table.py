"""How often alerts were right, as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from groundswell_client.models.feedback import FeedbackRow
from serving.cli.output.formatting import plain_table, spaced


def feedback_table(rows: Sequence[FeedbackRow], *, weekly: bool) -> Table | Text:
    """Rows by KOL and kind, and by week if `weekly`."""
    if not rows:
        return Text("no alerts")
    table = plain_table(*(["week of"] if weekly else []), "KOL", "kind")
    for heading in ("raised", "confirmed", "false", "unjudged", "precision", "95% interval"):
        table.add_column(heading, justify="right")
    for row in rows:
        counts = (row.raised, row.confirmed, row.false_alarms, row.unjudged)
        cells = [
            *([str(row.week)] if weekly else []),
            row.kol_id,
            spaced(row.kind),
            *(f"{count:,}" for count in counts),
            _percent(row.precision),
            "-"
            if row.precision is None
            else f"{_percent(row.precision_low)} to {_percent(row.precision_high)}",
        ]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
