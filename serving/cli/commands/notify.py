"""groundswell notify: test channels, and look at what the service sent."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_URL, AsJson, Limit, Url

if TYPE_CHECKING:
    from groundswell_client.models.deliveries import DeliveryInfo

app = typer.Typer(no_args_is_help=True)


@app.callback()
def notify() -> None:
    """Test a channel; list deliveries, and send one again."""


@app.command()
def test(
    channel: Annotated[
        str,
        typer.Argument(
            metavar="CHANNEL", help="Name of a channel of the channels file.", show_default=False
        ),
    ],
) -> None:
    """Send a test alert to a channel of the file that GROUNDSWELL_CHANNELS names.

    The message looks like a real one and says that it is a test. No service is needed, and nothing
    is stored.
    """
    from serving.cli import terminal
    from serving.clock import SystemClock
    from serving.notify.channels.base import Rejected, Unavailable
    from serving.notify.channels.registry import ChannelContext
    from serving.notify.config import notification_config as notification_config
    from serving.notify.example import ExampleAttachments, example
    from serving.outgoing.transport import outgoing_client
    from serving.settings import environment

    settings = terminal.settings()
    if settings.channels is None:
        raise typer.BadParameter(
            "GROUNDSWELL_CHANNELS is not set; set it to the path of your channels file"
        )
    found = notification_config.load(settings.channels, environment())
    if channel not in found.channels:
        raise typer.BadParameter(
            f"there is no channel {channel!r} in {settings.channels}; its channels: "
            f"{', '.join(found.channels)}"
        )
    clock = SystemClock()

    async def send() -> None:
        chosen = found.channels[channel]
        async with outgoing_client(
            chosen.rules, seconds=settings.notify_timeout, proxy=settings.outgoing_proxy
        ) as http:
            built = chosen.build(ChannelContext(http, chosen.rules, clock, ExampleAttachments()))
            try:
                async with asyncio.timeout(settings.notify_timeout):
                    await built.send([example(clock.now(), settings.public_url)])
            except TimeoutError:
                raise Unavailable(f"no answer within {settings.notify_timeout:g} s") from None

    try:
        asyncio.run(send())
    except (Unavailable, Rejected) as error:
        error.add_note(f"channel {channel!r} of {settings.channels}")
        raise
    terminal.say(f"{channel} accepted the test message.")


@app.command("list")
def list_deliveries(
    dead: Annotated[
        bool, typer.Option("--dead", help="Only deliveries that failed for good.")
    ] = False,
    channel: Annotated[str | None, typer.Option("--channel", help="Only this channel.")] = None,
    limit: Limit = 100,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List what the service sent or is about to send, the latest first."""
    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.cli.output.delivery_table import delivery_table

    async def fetch() -> "list[DeliveryInfo]":
        async with connect(url) as client:
            state = "dead" if dead else None
            return await client.deliveries.list(channel=channel, state=state, limit=limit).all()

    found = asyncio.run(fetch())
    if as_json:
        terminal.print_json([one.raw for one in found])
        return
    terminal.out.print(delivery_table(found))
    if dead and found:
        terminal.say("Send one again with: groundswell notify resend DELIVERY")


@app.command()
def resend(
    delivery_id: Annotated[
        int,
        typer.Argument(
            metavar="DELIVERY",
            min=1,
            help="The id that 'groundswell notify list' lists.",
            show_default=False,
        ),
    ],
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Send a delivery again, whether it failed or not."""
    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.cli.output.delivery_table import delivery_table

    async def post() -> "DeliveryInfo":
        async with connect(url) as client:
            return await client.deliveries.resend(delivery_id)

    sent = asyncio.run(post())
    if as_json:
        terminal.print_json([sent.raw])
    else:
        terminal.out.print(delivery_table([sent]))
