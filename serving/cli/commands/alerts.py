"""groundswell alerts: list alerts, show one, or follow them as they are raised."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import (
    DEFAULT_URL,
    AlertState,
    AsJson,
    KolFilter,
    Limit,
    SeverityFilter,
    Url,
)

if TYPE_CHECKING:
    from groundswell_client import AsyncClient

_RECONNECTIONS = 10  # while alerts are followed: about a minute, in which a service starts again


def alerts(
    alert_id: Annotated[
        str | None,
        typer.Argument(
            metavar="ALERT", help="Show this alert with its evidence.", show_default=False
        ),
    ] = None,
    kol_id: KolFilter = None,
    state: Annotated[AlertState | None, typer.Option("--state", help="Only this state.")] = None,
    severity: SeverityFilter = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            help="Only alerts opened at or after this time, like 2026-03-01T12:30; UTC unless it "
            "has a zone.",
        ),
    ] = None,
    limit: Limit = 100,
    assignee: Annotated[
        str | None, typer.Option("--assignee", help="Only alerts assigned to this person.")
    ] = None,
    acknowledged: Annotated[
        bool | None,
        typer.Option(
            "--acknowledged/--unacknowledged",
            help="Only alerts that somebody, or nobody, has acknowledged.",
        ),
    ] = None,
    muted: Annotated[
        bool | None,
        typer.Option(
            "--muted/--unmuted", help="Only alerts whose notifications are, or are not, muted."
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Show alerts as they are raised, until Ctrl-C.")
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List alerts, the latest first; show one with its evidence; or follow new ones."""
    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.cli.instants import parse_time
    from serving.cli.output.alert_table import alert_table

    filters = (state, severity, since, assignee, acknowledged, muted)
    filtered = any(value is not None for value in filters)
    if follow and (alert_id or filtered):
        raise typer.BadParameter("--follow can be combined with --kol-id, --url and --json only")
    if alert_id and (filtered or kol_id):
        raise typer.BadParameter("give either an ALERT or filters, not both")
    opened_since = parse_time("--since", since) if since else None

    async def run() -> None:
        async with connect(url, retries=_RECONNECTIONS if follow else 0) as client:
            if follow:
                await _follow(client, kol_id, as_json=as_json)
                return
            if alert_id is not None:
                await _show(client, alert_id, as_json=as_json)
                return
            found = await client.alerts.list(
                kol_id=kol_id,
                state=state,
                severity=severity,
                since=opened_since,
                assignee=assignee,
                acknowledged=acknowledged,
                muted=muted,
                limit=limit,
            ).all()
            if as_json:
                terminal.print_json([one.raw for one in found])
            else:
                terminal.out.print(alert_table(found))

    asyncio.run(run())


async def _show(client: "AsyncClient", alert_id: str, *, as_json: bool) -> None:
    from serving.cli import terminal
    from serving.cli.output.alert_card import alert_card
    from serving.cli.output.alert_table import action_line, people
    from serving.cli.output.formatting import TO_THE_MINUTE, found_late, instant

    alert = await client.alerts.get(alert_id)
    if as_json:
        terminal.print_json(alert.raw)
        return
    terminal.out.print(alert_card(alert))
    for event in alert.events:
        at = instant(event.at, TO_THE_MINUTE)
        late = "" if event.found_at is None else f"  ({found_late(event.found_at)})"
        line = f"{at} UTC  {event.reason:<9}  {event.severity}{late}"
        terminal.out.print(line, markup=False)
    for action in alert.actions:
        at = instant(action.at, TO_THE_MINUTE)
        terminal.out.print(f"{at} UTC  {action_line(action)}", markup=False)
    if now := people(alert):
        terminal.out.print(f"now: {now}", markup=False)


async def _follow(client: "AsyncClient", kol_id: str | None, *, as_json: bool) -> None:
    from serving.cli import terminal
    from serving.cli.output.alert_card import alert_card

    connected = False
    async for event in client.stream(kol_id=kol_id):
        if event.name == "open":
            following = f"Following the alerts of {client.url}. Press Ctrl-C to stop."
            terminal.say("Connected again." if connected else following)
            connected = True
        if event.name != "alert":
            continue
        if as_json:
            sys.stdout.write(terminal.json_line(event.body) + "\n")
            sys.stdout.flush()
        else:
            terminal.out.print(alert_card(event.alert()))
