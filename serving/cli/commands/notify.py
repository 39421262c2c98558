"""groundswell notify: try channels, and look after what left the service."""

import asyncio
from typing import Annotated, Any

import typer

from serving.cli.options import DEFAULT_URL, AsJson, Url

app = typer.Typer(no_args_is_help=True, help="Try channels; see and repeat what was sent.")


@app.callback()
def notify() -> None:
    """Try channels; see and repeat what was sent."""


@app.command()
def test(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", show_default=False)],
) -> None:
    """Send an invented alert on a channel of the file that GROUNDSWELL_CHANNELS names.

    It looks as a real one will, and says that it is a test. No service is needed, and nothing is
    recorded.
    """
    import httpx

    from serving.cli import terminal
    from serving.clock import SystemClock
    from serving.notify.channels.base import Unavailable
    from serving.notify.channels.registry import ChannelContext
    from serving.notify.config import notification_config as notification_config
    from serving.notify.example import ExampleAttachments, example
    from serving.settings import environment

    settings = terminal.settings()
    if settings.channels is None:
        raise typer.BadParameter("GROUNDSWELL_CHANNELS is not set; it names the channels file")
    found = notification_config.load(settings.channels, environment())
    if channel not in found.channels:
        raise typer.BadParameter(
            f"there is no channel {channel!r}; there are: {', '.join(found.channels)}"
        )
    clock = SystemClock()

    async def send() -> None:
        async with httpx.AsyncClient(timeout=settings.notify_timeout) as http:
            built = found.channels[channel].build(ChannelContext(http, clock, ExampleAttachments()))
            try:
                async with asyncio.timeout(settings.notify_timeout):
                    await built.send([example(clock.now(), settings.public_url)])
            except TimeoutError:
                raise Unavailable(f"no answer within {settings.notify_timeout:g} s") from None

    asyncio.run(send())
    terminal.say(f"{channel} took the test message")


@app.command("list")
def list_deliveries(
    dead: Annotated[bool, typer.Option("--dead", help="Only what was given up.")] = False,
    channel: Annotated[str | None, typer.Option("--channel", help="Only this channel's.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List the deliveries of a running service, last recorded first."""
    from serving.cli import terminal
    from serving.client.client import connect

    async def fetch() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        query = {"channel": channel, "state": "dead" if dead else None}
        async with connect(url) as client:
            async for delivery in client.pages("/deliveries", **query, limit=min(limit, 1000)):
                found.append(delivery)
                if len(found) == limit:
                    break
        return found

    _show(asyncio.run(fetch()), as_json=as_json)
    if dead and not as_json:
        terminal.say("send one again with: groundswell notify resend ID")


@app.command()
def resend(
    delivery_id: Annotated[int, typer.Argument(metavar="ID", min=1, show_default=False)],
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Send a delivery of a running service again, whatever became of it."""
    from serving.client.client import connect

    async def post() -> dict[str, Any]:
        async with connect(url) as client:
            return await client.post(f"/deliveries/{delivery_id}/resend")

    _show([asyncio.run(post())], as_json=as_json)


def _show(deliveries: list[dict[str, Any]], *, as_json: bool) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from serving.cli import terminal
    from serving.cli.output import render

    if as_json:
        terminal.print_json(deliveries)
        return
    if not deliveries:
        terminal.out.print("no deliveries")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("id", "recorded (UTC)", "channel", "KOL", "what", "state", "tries", "error"):
        table.add_column(heading, overflow="fold")
    for delivery in deliveries:
        cells = [
            str(delivery["delivery_id"]),
            render.instant(delivery["recorded_at"], "%Y-%m-%d %H:%M"),
            delivery["channel"],
            delivery["kol_id"] or "",
            _what(delivery),
            _state(delivery),
            str(delivery["attempts"]),
            delivery["error"] or "",
        ]
        table.add_row(*(Text(cell) for cell in cells))
    terminal.out.print(table)


def _what(delivery: dict[str, Any]) -> str:
    if delivery["digest"] is not None:
        return f"digest {delivery['digest']} of the {delivery['every']}"
    return f"{delivery['kind'].replace('_', ' ')} {delivery['reason']}, {delivery['severity']}"


def _state(delivery: dict[str, Any]) -> str:
    from serving.cli.output import render

    if delivery["state"] != "waiting" or delivery["not_before"] is None:
        return str(delivery["state"])
    return f"waiting, not before {render.instant(delivery['not_before'], '%Y-%m-%d %H:%M')}"
