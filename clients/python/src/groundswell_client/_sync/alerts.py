"""Alerts and what people do to them."""

from datetime import datetime

from groundswell_client._sync.connection import Connection
from groundswell_client._sync.listing import Listing
from groundswell_client.models.alerts import ActionResult, AlertDetailInfo, AlertInfo
from groundswell_client.values import Query, given, iso, part


class Alerts:
    """`client.alerts`.

    Actions bear the name of the key; `actor` names on whose behalf it acts.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        kol_id: str | None = None,
        state: str | None = None,
        severity: str | None = None,
        since: datetime | None = None,
        assignee: str | None = None,
        acknowledged: bool | None = None,
        muted: bool | None = None,
        limit: int | None = None,
    ) -> Listing[AlertInfo]:
        """Alerts, last opened first; `limit` of them at most, None for all.

        Args:
            kol_id: only of this KOL.
            state: only "open", "resolved" or "revised" ones.
            severity: only "info", "warning" or "critical" ones.
            since: only those that opened then or later.
            assignee: only those assigned to this person.
            acknowledged: only those that somebody has acknowledged, or that nobody has.
            muted: only those that send no notifications now, or that do.
            limit: how many at most.
        """
        query: Query = {
            "kol_id": kol_id,
            "state": state,
            "severity": severity,
            "since": iso(since),
            "assignee": assignee,
            "acknowledged": acknowledged,
            "muted": muted,
        }
        return Listing(self._connection, "/alerts", AlertInfo, query, limit=limit)

    def get(self, alert_id: str, *, points: int | None = None) -> AlertDetailInfo:
        """One alert with its history, and at most so many points of its trace."""
        path = f"/alerts/{part(alert_id)}"
        return self._connection.get(path, AlertDetailInfo, {"points": points})

    def chart(self, alert_id: str, *, language: str | None = None) -> bytes:
        """The picture of an alert, as PNG; `language` is "en" or "vi"."""
        path = f"/alerts/{part(alert_id)}/chart.png"
        body, _ = self._connection.fetch(path, {"language": language})
        return body

    def take_action(
        self,
        alert_id: str,
        action: str,
        *,
        actor: str | None = None,
        text: str | None = None,
        assignee: str | None = None,
        until: datetime | None = None,
    ) -> ActionResult:
        """Do something to an alert: "acknowledge", "assign", "snooze", …; docs/triage.md lists
        the actions. The methods below do the common ones.
        """
        body = {"action": action, "actor": actor, "text": text, "assignee": assignee}
        wanted = given({**body, "until": iso(until)})
        path = f"/alerts/{part(alert_id)}/actions"
        return self._connection.send("POST", path, ActionResult, wanted)

    def acknowledge(
        self, alert_id: str, *, actor: str | None = None, text: str | None = None
    ) -> ActionResult:
        """Say that somebody takes care of it. This stops its escalation."""
        return self.take_action(alert_id, "acknowledge", actor=actor, text=text)

    def assign(
        self, alert_id: str, assignee: str, *, actor: str | None = None, text: str | None = None
    ) -> ActionResult:
        """Assign it to a person."""
        return self.take_action(alert_id, "assign", actor=actor, text=text, assignee=assignee)

    def note(self, alert_id: str, text: str, *, actor: str | None = None) -> ActionResult:
        """Add a note."""
        return self.take_action(alert_id, "note", actor=actor, text=text)

    def snooze(
        self, alert_id: str, until: datetime, *, actor: str | None = None, text: str | None = None
    ) -> ActionResult:
        """Mute its notifications until then, unless it gets worse."""
        return self.take_action(alert_id, "snooze", actor=actor, text=text, until=until)

    def resolve(
        self, alert_id: str, *, actor: str | None = None, text: str | None = None
    ) -> ActionResult:
        """Close it: it sends no more notifications, unless it gets worse."""
        return self.take_action(alert_id, "resolve", actor=actor, text=text)

    def mark_false_alarm(
        self, alert_id: str, *, actor: str | None = None, text: str | None = None
    ) -> ActionResult:
        """Mark it as a false alarm and close it."""
        return self.take_action(alert_id, "false_alarm", actor=actor, text=text)
