"""Alerts as a table, and what people did to them in a few words."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from groundswell_client.models.alerts import ActionInfo, ActionResult, AlertInfo
from serving.cli.output.formatting import TO_THE_MINUTE, WITHDRAWN, instant, severity, spaced

_LONGEST_KOL = 14  # characters of a KOL's id that stay on one line


def alert_table(alerts: Sequence[AlertInfo]) -> Table | Text:
    """Alerts, one a row; times are UTC event time."""
    if not alerts:
        return Text("no alerts")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1), collapse_padding=True)
    table.add_column("opened (UTC)", no_wrap=True)
    widest = max(len(alert.kol_id) for alert in alerts)
    table.add_column("KOL", min_width=min(widest, _LONGEST_KOL))
    table.add_column("severity", no_wrap=True)
    table.add_column("kind", width=9)
    withdrawn = any(alert.state == "revised" for alert in alerts)
    table.add_column("ended", width=len(WITHDRAWN) + 1 if withdrawn else 7)
    table.add_column("id", no_wrap=True, min_width=16)  # to be copied: whole, on one line
    for alert in alerts:
        touched = people(alert)
        found = "" if alert.found_at is None else f"\nfound {instant(alert.found_at)}"
        table.add_row(
            Text.assemble(instant(alert.opened_at, TO_THE_MINUTE), (found, "dim")),
            Text.assemble(alert.kol_id, (f"\n{touched}" if touched else "", "dim")),
            severity(alert.severity),
            spaced(alert.kind),
            _ended(alert),
            Text(alert.alert_id),
        )
    return table


def _ended(alert: AlertInfo) -> Text:
    if alert.state == "revised":
        return Text(WITHDRAWN, style="dim")
    if alert.state == "resolved":
        return Text(instant(alert.resolved_at))
    return Text("still open", style="red")


def people(alert: AlertInfo | ActionResult) -> str:
    """What people did to an alert and why it is muted; empty where nobody has touched it."""
    triage = alert.triage
    parts = []
    if triage.acknowledged_by:
        parts.append(f"acknowledged by {triage.acknowledged_by}")
    if triage.assignee:
        parts.append(f"assigned to {triage.assignee}")
    if triage.false_alarm_by and not triage.closed_by:
        parts.append(f"a false alarm, said {triage.false_alarm_by}")
    if alert.muted:
        parts.append(alert.muted)
    return "; ".join(parts)


def action_line(action: ActionInfo) -> str:
    """An action on one line: who, what, and the note."""
    parts = [action.actor, spaced(action.action)]
    if action.assignee:
        parts.append(f"to {action.assignee}")
    if action.until:
        parts.append(f"until {instant(action.until, TO_THE_MINUTE)} UTC")
    return " ".join(parts) + (f": {' '.join(action.text.split())}" if action.text else "")
