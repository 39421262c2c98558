"""groundswell audit: who changed what, and who was refused."""

import asyncio
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_URL, AsJson, Limit, Url

if TYPE_CHECKING:
    from groundswell_client.models.access import AuditEntryInfo

# A group without commands, because help shows the panels of groups after those of commands.
app = typer.Typer()


@app.callback(invoke_without_command=True)
def audit(
    since: Annotated[
        str | None, typer.Option("--since", help="Only entries from this time on.")
    ] = None,
    limit: Limit = 100,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print every entry as CSV, with all its columns.")
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List who changed what, and from where, and who was refused; newest first."""
    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.cli.instants import parse_time
    from serving.cli.output.audit_table import audit_table

    start = parse_time("--since", since) if since else None

    async def export() -> None:
        decoder = getincrementaldecoder("utf-8")()
        async with connect(url) as client:
            async for chunk in client.audit.export(since=start):
                terminal.print_csv(decoder.decode(chunk))

    if as_csv:
        if as_json:
            raise typer.BadParameter("give either --csv or --json")
        asyncio.run(export())
        return

    async def fetch() -> "list[AuditEntryInfo]":
        async with connect(url) as client:
            return await client.audit.list(since=start, limit=limit).all()

    found = asyncio.run(fetch())
    if as_json:
        terminal.print_json([one.raw for one in found])
    else:
        terminal.out.print(audit_table(found))
