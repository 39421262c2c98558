"""groundswell feedback: how often alerts were right."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from serving.cli.options import DEFAULT_URL, AsJson, Url


def feedback(
    kol_id: Annotated[str | None, typer.Option("--kol-id", help="Only this KOL's.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only alerts of this kind.")] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Opened since; ISO 8601, 12 weeks ago if unset."),
    ] = None,
    weekly: Annotated[bool, typer.Option("--weekly", help="Week by week.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show how often the alerts of a running service were right, by what people made of them."""
    from serving.cli import terminal
    from serving.cli.instants import parse_instant_of
    from serving.client.client import connect

    query = {"kol_id": kol_id, "kind": kind}
    if since is not None:
        query["from"] = parse_instant_of("--since", since)

    async def fetch() -> dict[str, Any]:
        async with connect(url) as client:
            return await client.get("/feedback", **query)

    found = asyncio.run(fetch())
    if as_json:
        terminal.print_json(found)
    else:
        _show(found, weekly=weekly)


def _show(found: Mapping[str, Any], *, weekly: bool) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from serving.cli import terminal

    rows = found["weeks" if weekly else "totals"]
    if not rows:
        terminal.out.print("no alerts")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in (["week of"] if weekly else []) + ["KOL", "kind"]:
        table.add_column(heading, overflow="fold")
    for heading in ("raised", "confirmed", "false", "unjudged", "precision", "95% interval"):
        table.add_column(heading, justify="right")
    for row in rows:
        known = row["precision"] is not None
        cells = [
            *([row["week"]] if weekly else []),
            row["kol_id"],
            row["kind"].replace("_", " "),
            *(f"{row[key]:,}" for key in ("raised", "confirmed", "false_alarms", "unjudged")),
            f"{row['precision']:.0%}" if known else "-",
            f"{row['precision_low']:.0%} to {row['precision_high']:.0%}" if known else "-",
        ]
        table.add_row(*(Text(cell) for cell in cells))
    terminal.out.print(table)
