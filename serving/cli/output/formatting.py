"""How times, lengths, severities and long texts are written in a terminal."""

from datetime import UTC, datetime

from rich import box
from rich.table import Table
from rich.text import Text

COLOURS = {"info": "cyan", "warning": "yellow", "critical": "bold red"}
TO_THE_MINUTE = "%Y-%m-%d %H:%M"
WITHDRAWN = "withdrawn"  # what people read for the state "revised"
_LONGEST = 160


def instant(time: datetime | None, form: str = "%d %b %H:%M") -> str:
    """A time in UTC; a dash for None."""
    return "-" if time is None else time.astimezone(UTC).strftime(form)


def severity(name: str) -> Text:
    """A severity in its colour."""
    return Text(name, style=COLOURS.get(name, ""))


def found_late(at: datetime) -> str:
    """That something was found late, and when; on one line."""
    return f"found late, {instant(at, TO_THE_MINUTE)} UTC, when more comments arrived"


def spaced(kind: str) -> str:
    """A kind of alert as words."""
    return kind.replace("_", " ")


def length(minutes: float) -> str:
    """A length of time in words."""
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"


def shorten(text: str, longest: int = _LONGEST) -> str:
    """Text on one line, cut at `longest` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"


def plain_table(*headings: str) -> Table:
    """An empty table with these headings, whose long cells are folded."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
