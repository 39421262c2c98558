"""The audit log as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from groundswell_client.models.access import AuditEntryInfo
from serving.cli.output.formatting import TO_THE_MINUTE, instant, plain_table


def audit_table(entries: Sequence[AuditEntryInfo]) -> Table | Text:
    """Entries of the audit log, one a row."""
    if not entries:
        return Text("no entries")
    table = plain_table("at (UTC)", "who", "from", "action", "target", "outcome")
    for entry in entries:
        cells = [
            instant(entry.at, TO_THE_MINUTE),
            entry.principal_name or "-",
            entry.address or "-",
            entry.action,
            entry.target,
            entry.outcome if entry.status is None else f"{entry.outcome} ({entry.status})",
        ]
        table.add_row(*(Text(cell) for cell in cells))
    return table
