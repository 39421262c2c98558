"""groundswell alerts: what was raised, why, and what is being raised now."""

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.options import DEFAULT_URL, AsJson, Url

if TYPE_CHECKING:
    from serving.client.client import ServiceClient


def alerts(
    alert_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="One alert with its evidence.")
    ] = None,
    kol_id: Annotated[str | None, typer.Option("--kol-id", help="Only this KOL's.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="Only 'open' or 'resolved'.")] = None,
    severity: Annotated[
        str | None, typer.Option("--severity", help="Only 'info', 'warning' or 'critical'.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Opened since; ISO 8601, UTC unless it says otherwise."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
    assignee: Annotated[
        str | None, typer.Option("--assignee", help="Only what is assigned to this person.")
    ] = None,
    acknowledged: Annotated[
        bool | None,
        typer.Option("--acknowledged/--unacknowledged", help="Only those that are, or are not."),
    ] = None,
    muted: Annotated[
        bool | None,
        typer.Option("--muted/--unmuted", help="Only those of which nobody, or somebody, is told."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Show alerts as they arise, until Ctrl-C.")
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List the alerts of a running service, show one, or follow them as they arise."""
    from serving.cli.instants import parse_instant_of
    from serving.client.client import connect

    narrowed = alert_id or state or severity or since or assignee
    if follow and (narrowed or acknowledged is not None or muted is not None):
        raise typer.BadParameter("--follow goes with --kol-id, --url and --json only")
    opened_since = parse_instant_of("--since", since) if since else None

    async def run() -> None:
        async with connect(url) as client:
            if follow:
                await _follow(client, kol_id, as_json=as_json)
            elif alert_id is not None:
                await _show(client, alert_id, as_json=as_json)
            else:
                query = {
                    "kol_id": kol_id,
                    "state": state,
                    "severity": severity,
                    "since": opened_since,
                    "assignee": assignee,
                    "acknowledged": acknowledged,
                    "muted": muted,
                }
                await _list(client, query, limit, as_json=as_json)

    asyncio.run(run())


async def _list(
    client: "ServiceClient", query: dict[str, str | bool | None], limit: int, *, as_json: bool
) -> None:
    from serving.cli import terminal
    from serving.cli.output import render

    found: list[dict[str, Any]] = []
    async for alert in client.pages("/alerts", **query, limit=min(limit, 1000)):
        found.append(alert)
        if len(found) == limit:
            break
    if as_json:
        terminal.print_json(found)
    else:
        terminal.out.print(render.alert_table(found))


async def _show(client: "ServiceClient", alert_id: str, *, as_json: bool) -> None:
    from serving.cli import terminal
    from serving.cli.output import render

    alert = await client.get(f"/alerts/{alert_id}")
    if as_json:
        terminal.print_json(alert)
        return
    terminal.out.print(render.alert_panel(alert))
    for event in alert["events"]:
        at = render.instant(event["at"], "%Y-%m-%d %H:%M UTC")
        terminal.out.print(f"{at}  {event['reason']:<9}  {event['severity']}", markup=False)
    for action in alert["actions"]:
        at = render.instant(action["at"], "%Y-%m-%d %H:%M UTC")
        terminal.out.print(f"{at}  {_told(action)}", markup=False)
    if said := render.people(alert):
        terminal.out.print(f"now: {said}", markup=False)


def _told(action: dict[str, Any]) -> str:
    """An act on one line: who, what, and what was said."""
    from serving.cli.output import render

    parts = [action["actor"], action["action"].replace("_", " ")]
    if action["assignee"]:
        parts.append(f"to {action['assignee']}")
    if action["until"]:
        parts.append(f"until {render.instant(action['until'], '%Y-%m-%d %H:%M UTC')}")
    return " ".join(parts) + (f": {' '.join(action['text'].split())}" if action["text"] else "")


async def _follow(client: "ServiceClient", kol_id: str | None, *, as_json: bool) -> None:
    from serving.cli import terminal
    from serving.cli.output import render

    async for event in client.events(kol_id):
        if event.name == "open":
            terminal.say(f"listening to {client.url}, Ctrl-C ends")
        if event.name != "alert":
            continue
        if as_json:
            sys.stdout.write(json.dumps(event.data, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        else:
            terminal.out.print(render.alert_panel(event.data))
    terminal.complain("the service closed the stream")
    raise typer.Exit(terminal.ExitCode.UNREACHABLE)
