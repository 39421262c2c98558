"""groundswell ack, assign, note, snooze, resolve, false-alarm: work on an alert."""

import asyncio
from typing import Annotated, Any

import typer

from serving.cli.options import DEFAULT_URL, Actor, AlertId, AsJson, Note, Undo, Url


def ack(
    alert_id: AlertId,
    note: Note = None,
    undo: Undo = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Acknowledge an alert of a running service: you have seen it and look after it."""
    verb = "unacknowledge" if undo else "acknowledge"
    _action(alert_id, {"action": verb, "text": note}, actor, url, as_json=as_json)


def assign(
    alert_id: AlertId,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="To whom.", show_default=False)
    ] = None,
    note: Note = None,
    undo: Undo = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Assign an alert of a running service to somebody."""
    if undo == (name is not None):
        raise typer.BadParameter("give either the NAME to assign it to, or --undo")
    body = {"action": "unassign" if undo else "assign", "assignee": name, "text": note}
    _action(alert_id, body, actor, url, as_json=as_json)


def note(
    alert_id: AlertId,
    text: Annotated[str, typer.Argument(metavar="TEXT", show_default=False)],
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Write a note on an alert of a running service."""
    _action(alert_id, {"action": "note", "text": text}, actor, url, as_json=as_json)


def snooze(
    alert_id: AlertId,
    until: Annotated[
        str | None,
        typer.Argument(
            metavar="UNTIL", help="A length like 30m, 2h, 1d12h; or a time.", show_default=False
        ),
    ] = None,
    note: Note = None,
    undo: Undo = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Tell nobody of an alert of a running service until a time, unless it gets worse."""
    from serving.cli.instants import parse_moment
    from serving.clock import SystemClock

    if undo == (until is not None):
        raise typer.BadParameter("give either UNTIL, or --undo")
    body = {"action": "unsnooze" if undo else "snooze", "text": note}
    if until is not None:
        body["until"] = parse_moment("UNTIL", until, SystemClock().now())
    _action(alert_id, body, actor, url, as_json=as_json)


def resolve(
    alert_id: AlertId,
    note: Note = None,
    undo: Undo = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Close an alert of a running service by hand: nobody is told more, unless it gets worse."""
    body = {"action": "reopen" if undo else "resolve", "text": note}
    _action(alert_id, body, actor, url, as_json=as_json)


def false_alarm(
    alert_id: AlertId,
    note: Note = None,
    undo: Undo = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Call an alert of a running service a false alarm, and close it."""
    body = {"action": "not_false_alarm" if undo else "false_alarm", "text": note}
    _action(alert_id, body, actor, url, as_json=as_json)


def name_of(actor: str | None) -> str:
    """Who acts: as told, or as logged in.

    Raises:
        typer.BadParameter: neither is known.
    """
    from serving.settings import login_name

    name = actor or login_name()
    if name is None:
        raise typer.BadParameter("this machine does not know your name; give it with --as")
    return name


def _action(
    alert_id: str, body: dict[str, str | None], actor: str | None, url: str, *, as_json: bool
) -> None:
    from urllib.parse import quote

    from serving.cli import terminal
    from serving.cli.output import render
    from serving.client.client import connect

    async def post() -> dict[str, Any]:
        async with connect(url) as client:
            path = f"/alerts/{quote(alert_id, safe='')}/actions"
            return await client.post(path, body | {"actor": name_of(actor)})

    acted = asyncio.run(post())
    if as_json:
        terminal.print_json(acted)
        return
    if acted["action"] is None:
        terminal.say("nothing changed: it stood so already")
    terminal.out.print(f"{alert_id}: {render.people(acted) or 'nobody has it'}", markup=False)
