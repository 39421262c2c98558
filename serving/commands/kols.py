"""groundswell kols: how every KOL's stream stands."""

import asyncio

from serving.commands.options import DEFAULT_URL, AsJson, Url


def kols(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the KOLs of a running service: pace, negative share, mood, backlash score, alert.

    A backlash score of 1 raises an alert.
    """
    from serving.commands import render, terminal
    from serving.ingest.client import connect

    async def fetch() -> list[dict[str, object]]:
        async with connect(url) as client:
            return [kol async for kol in client.pages("/kols", limit=1000)]

    found = asyncio.run(fetch())
    if as_json:
        terminal.print_json(found)
    else:
        terminal.out.print(render.kol_table(found))
