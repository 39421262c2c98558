"""Silences as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from groundswell_client.models.silences import SilenceInfo
from serving.cli.output.formatting import TO_THE_MINUTE, instant, plain_table


def silence_table(silences: Sequence[SilenceInfo]) -> Table | Text:
    """Silences, one a row."""
    if not silences:
        return Text("no silences")
    table = plain_table("id", "state", "from (UTC)", "until (UTC)", "alerts", "by", "reason")
    for silence in silences:
        by = [silence.created_by]
        by += [f"ended by {silence.expired_by}"] if silence.expired_by else []
        cells = [
            str(silence.silence_id),
            silence.state,
            instant(silence.starts_at, TO_THE_MINUTE),
            instant(silence.expired_at or silence.ends_at, TO_THE_MINUTE),
            _matchers(silence),
            ", ".join(by),
            silence.reason,
        ]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _matchers(silence: SilenceInfo) -> str:
    named = (("KOL", silence.kols), ("kind", silence.kinds), ("post", silence.posts))
    parts = [f"{label} {', '.join(names)}" for label, names in named if names]
    if silence.max_severity:
        parts.append(f"up to {silence.max_severity}")
    return "; ".join(parts)
