"""groundswell kols: how every KOL's stream stands, and what each is judged by."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from serving.cli.options import DEFAULT_URL, Actor, AsJson, Url

app = typer.Typer(help="List the KOLs of a running service; show or set what each is judged by.")

KolId = Annotated[str, typer.Argument(metavar="KOL", help="Its id.", show_default=False)]


@app.callback(invoke_without_command=True)
def kols(context: typer.Context, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the KOLs of a running service: pace, negative share, mood, backlash score, alert.

    A backlash score of 1 raises an alert.
    """
    from serving.cli import terminal
    from serving.cli.output import render
    from serving.client.client import connect

    if context.invoked_subcommand is not None:
        return

    async def fetch() -> list[dict[str, object]]:
        async with connect(url) as client:
            return [kol async for kol in client.pages("/kols", limit=1000)]

    found = asyncio.run(fetch())
    if as_json:
        terminal.print_json(found)
    else:
        terminal.out.print(render.kol_table(found))


@app.command()
def show(kol_id: KolId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show what a KOL of a running service is judged by, and who set what of it."""
    from serving.client.client import connect

    async def fetch() -> dict[str, Any]:
        async with connect(url) as client:
            return await client.get(f"/kols/{quote(kol_id, safe='')}/policy")

    _print(asyncio.run(fetch()), as_json=as_json)


@app.command("set")
def set_policy(
    kol_id: KolId,
    sensitivity: Annotated[
        float | None, typer.Option("--sensitivity", help="False pages a month to accept.")
    ] = None,
    minimum_negative: Annotated[
        float | None,
        typer.Option("--minimum-negative", help="Negative comments an incident must hold."),
    ] = None,
    critical_ratio: Annotated[
        float | None,
        typer.Option("--critical-ratio", help="Critical from so many times the usual negatives."),
    ] = None,
    critical_share: Annotated[
        float | None,
        typer.Option("--critical-share", help="Critical from this share of negatives, 0 to 1."),
    ] = None,
    critical_negative: Annotated[
        float | None,
        typer.Option("--critical-negative", help="Critical from this many negatives."),
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Take back every override that is not given here.")
    ] = False,
    actor: Actor = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Set what a KOL of a running service is judged by; what is not given stays."""
    from serving.cli.commands.triage import name_of
    from serving.client.client import connect

    overrides = {
        "sensitivity": sensitivity,
        "minimum_negative": minimum_negative,
        "critical_ratio": critical_ratio,
        "critical_share": critical_share,
        "critical_negative": critical_negative,
    }
    given = {name: value for name, value in overrides.items() if reset or value is not None}
    if not given:
        raise typer.BadParameter("give a value to set, or --reset")

    async def put() -> dict[str, Any]:
        async with connect(url) as client:
            return await client.set_policy(kol_id, given | {"actor": name_of(actor)})

    _print(asyncio.run(put()), as_json=as_json)


def _print(policy: Mapping[str, Any], *, as_json: bool) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from serving.cli import terminal
    from serving.cli.output import render

    if as_json:
        terminal.print_json(policy)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("judged by", "value", "set by", "at (UTC)"):
        table.add_column(heading)
    for name, value in policy["effective"].items():
        override = policy["overridden"].get(name, {"actor": "-", "at": None})
        at = render.instant(override["at"], "%Y-%m-%d %H:%M")
        table.add_row(name, f"{value:g}", Text(override["actor"]), at)
    terminal.out.print(table)
    if not policy["in_force"]:
        terminal.say("in force once the comments received before it are worked off")
