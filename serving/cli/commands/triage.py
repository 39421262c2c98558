"""groundswell ack, assign, note, snooze, resolve, false-alarm: what people do to an alert."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_URL, Actor, AlertId, AsJson, Note, Undo, Url

if TYPE_CHECKING:
    from groundswell_client.models.alerts import ActionResult


def ack(
    alert_id: AlertId,
    note: Note = None,
    undo: Undo = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Acknowledge an alert: you have seen it and take care of it. This stops its escalation."""
    action = "unacknowledge" if undo else "acknowledge"
    _take_action(alert_id, action, actor, url, text=note, as_json=as_json)


def assign(
    alert_id: AlertId,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="The person; leave it out with --undo.", show_default=False
        ),
    ] = None,
    note: Note = None,
    undo: Undo = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Assign an alert to a person."""
    if undo == (name is not None):
        raise typer.BadParameter("give the NAME to assign the alert to, or --undo; not both")
    action = "unassign" if undo else "assign"
    _take_action(alert_id, action, actor, url, text=note, assignee=name, as_json=as_json)


def note(
    alert_id: AlertId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The note.", show_default=False)],
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Add a note to an alert."""
    _take_action(alert_id, "note", actor, url, text=text, as_json=as_json)


def snooze(
    alert_id: AlertId,
    until: Annotated[
        str | None,
        typer.Argument(
            metavar="UNTIL",
            help="A length like 30m, 2h or 1d12h, or a time like 2026-03-01T12:30; leave it out "
            "with --undo.",
            show_default=False,
        ),
    ] = None,
    note: Note = None,
    undo: Undo = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Mute the notifications of an alert for a while, unless it gets worse."""
    from serving.cli.instants import parse_time_or_length
    from serving.clock import SystemClock

    if undo == (until is not None):
        raise typer.BadParameter("give UNTIL, for example 2h, or --undo; not both")
    end = None
    if until is not None:
        end = parse_time_or_length("UNTIL", until, SystemClock().now())
    action = "unsnooze" if undo else "snooze"
    _take_action(alert_id, action, actor, url, text=note, until=end, as_json=as_json)


def resolve(
    alert_id: AlertId,
    note: Note = None,
    undo: Undo = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Close an alert: it sends no more notifications, unless it gets worse."""
    action = "reopen" if undo else "resolve"
    _take_action(alert_id, action, actor, url, text=note, as_json=as_json)


def false_alarm(
    alert_id: AlertId,
    note: Note = None,
    undo: Undo = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Mark an alert as a false alarm and close it. 'feedback' counts it."""
    action = "not_false_alarm" if undo else "false_alarm"
    _take_action(alert_id, action, actor, url, text=note, as_json=as_json)


def name_of(actor: str | None) -> str:
    """The person who acts: as given, or as logged in.

    Raises:
        typer.BadParameter: neither is known.
    """
    from serving.settings import login_name

    name = actor or login_name()
    if name is None:
        raise typer.BadParameter("your login name is not known; give your name with --as")
    return name


def _take_action(
    alert_id: str,
    action: str,
    actor: str | None,
    url: str,
    *,
    as_json: bool,
    text: str | None = None,
    assignee: str | None = None,
    until: datetime | None = None,
) -> None:
    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.cli.output.alert_table import people

    name = name_of(actor)

    async def post() -> "ActionResult":
        async with connect(url) as client:
            return await client.alerts.take_action(
                alert_id, action, actor=name, text=text, assignee=assignee, until=until
            )

    result = asyncio.run(post())
    if as_json:
        terminal.print_json(result.raw)
        return
    if result.action is None:
        terminal.say("Nothing changed: that had been done before.")
    state = people(result) or "neither acknowledged nor assigned"
    terminal.out.print(f"{alert_id}: {state}", markup=False)
