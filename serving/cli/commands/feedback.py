"""groundswell feedback: how often alerts were right."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_URL, AsJson, KindFilter, KolFilter, Url

if TYPE_CHECKING:
    from groundswell_client.models.feedback import FeedbackInfo


def feedback(
    kol_id: KolFilter = None,
    kind: KindFilter = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            help="Only alerts opened at or after this time, like 2026-03-01T12:30 "
            "[default: 12 weeks ago].",
        ),
    ] = None,
    weekly: Annotated[bool, typer.Option("--weekly", help="Show each week on its own.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show how often alerts were right, judged by what people did to them."""
    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.cli.instants import parse_time
    from serving.cli.output.feedback_table import feedback_table

    opened_since = None if since is None else parse_time("--since", since)

    async def fetch() -> "FeedbackInfo":
        async with connect(url) as client:
            return await client.feedback(kol_id=kol_id, kind=kind, since=opened_since)

    found = asyncio.run(fetch())
    if as_json:
        terminal.print_json(found.raw)
    else:
        rows = found.weeks if weekly else found.totals
        terminal.out.print(feedback_table(rows, weekly=weekly))
