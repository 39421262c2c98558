"""The demo: the real service, two days of comments sent to it over HTTP, and its alerts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from groundswell_client import AsyncClient
from groundswell_client.models.alerts import AlertEventInfo, AlertInfo
from groundswell_client.models.kols import KolProfile
from serving.cli import hosting
from serving.cli.demo.cast import KOLS, SCENARIO, DemoKol
from serving.cli.demo.scenario import SPAN, generate
from serving.cli.demo.screen import DemoScreen
from serving.settings import Settings

_BATCH = 250
_LAST_EVENTS = 5.0  # seconds for the stream to send the last events
_TIERS = ((10_000, "nano"), (100_000, "micro"), (500_000, "mid"), (1_000_000, "macro"))


@dataclass(slots=True)
class DemoResult:
    """What the demo saw.

    Attributes:
        accepted: comments that the service accepted.
        events: alert events, as the stream sent them.
        alerts: as the API lists them at the end, first opened first.
        changed: set whenever the stream sends something.
    """

    accepted: int = 0
    events: list[AlertEventInfo] = field(default_factory=list)
    alerts: list[AlertInfo] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


async def play(settings: Settings, end: datetime, screen: DemoScreen, *, keep: bool) -> DemoResult:
    """Run the service and the story; with `keep` keep the service running until Ctrl-C.

    Args:
        settings: of the service; its database must be empty.
        end: when the two days end, aware.
        screen: what to show it on.
        keep: whether the service keeps running after the story.

    Raises:
        KeyboardInterrupt: Ctrl-C before the story was over.
        ServiceUnreachable: the service broke off.
        CannotListen: neither the port nor a free one can be listened on.
    """
    try:
        listener = hosting.listen(settings.host, settings.port)
    except hosting.CannotListen:
        listener = hosting.listen(settings.host, 0)
        port = listener.getsockname()[1]
        screen.say(f"Port {settings.port} is taken; using port {port}.")
    url = hosting.url_of(listener)
    with listener:
        async with hosting.started(settings) as app:
            server = hosting.server(app)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            story = asyncio.create_task(_run(url, end, screen))
            await asyncio.wait({serving, story}, return_when=asyncio.FIRST_COMPLETED)
            if server.should_exit:  # Ctrl-C, and the story was not over
                story.cancel()
                await asyncio.gather(serving, story, return_exceptions=True)
                raise KeyboardInterrupt
            if keep and story.exception() is None:
                screen.serving_on(url, story.result().alerts)
            else:
                server.should_exit = True
            await serving
    return story.result()


async def _run(url: str, end: datetime, screen: DemoScreen) -> DemoResult:
    items = generate(end)
    start = end - SPAN
    screen.opening(len(items), start, end)
    result = DemoResult()
    async with AsyncClient(url, retries=0) as client:
        await _register(client)
        async with _stream(client, screen, result):
            with screen.progress(len(items)):
                for first in range(0, len(items), _BATCH):
                    receipt = await client.comments.send(items[first : first + _BATCH])
                    result.accepted += receipt.accepted
                await client.wait_until_processed(lambda _last, done: screen.processed(done))
            alerts = await client.alerts.list().all()
            result.alerts = sorted(alerts, key=lambda alert: alert.opened_at)
            await _catch_up(client, result)
        moods = [await client.kols.mood(kol.kol_id, since=start, until=end) for kol in KOLS]
    screen.closing(moods, result.alerts, start + SCENARIO.storm_after)
    return result


async def _register(client: AsyncClient) -> None:
    for kol in KOLS:
        profile = KolProfile(
            name=kol.name,
            handles=dict.fromkeys(kol.platforms, kol.kol_id),
            followers=kol.followers,
            tier=_tier(kol),
            relation="partner",
        )
        await client.kols.put(kol.kol_id, profile)


@asynccontextmanager
async def _stream(
    client: AsyncClient, screen: DemoScreen, result: DemoResult
) -> AsyncIterator[None]:
    """Show what the stream sends, for as long as the context lasts."""
    listening = asyncio.create_task(_listen(client, screen, result))
    listening.add_done_callback(lambda _: result.changed.set())
    try:
        await result.changed.wait()
        yield
        if listening.done():
            listening.result()  # raises what broke the stream
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _listen(client: AsyncClient, screen: DemoScreen, result: DemoResult) -> None:
    async for message in client.stream():
        if message.name == "alert":
            event = message.alert()
            result.events.append(event)
            screen.alert(event)
        result.changed.set()


async def _catch_up(client: AsyncClient, result: DemoResult) -> None:
    """Wait until the stream has sent every event that the API lists."""
    written = 0
    for alert in result.alerts:
        written += len((await client.alerts.get(alert.alert_id)).events)
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_EVENTS):
            while len(result.events) < written:
                result.changed.clear()
                await result.changed.wait()


def _tier(kol: DemoKol) -> str:
    return next((tier for followers, tier in _TIERS if kol.followers < followers), "mega")
