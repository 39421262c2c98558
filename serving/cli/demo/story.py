"""The demo: the real service, our two days sent to it over HTTP, its alerts as they arise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from serving.cli import hosting
from serving.cli.demo.scenario import KOLS, SCENARIO, SPAN, Kol, generate
from serving.cli.demo.screen import Screen
from serving.client.client import ServiceClient, connect
from serving.settings import Settings

_BATCH = 250
_LAST_EVENTS = 5.0  # seconds for the stream to hand out what was written last
_TIERS = ((10_000, "nano"), (100_000, "micro"), (500_000, "mid"), (1_000_000, "macro"))


@dataclass(slots=True)
class Outcome:
    """What the demo saw.

    Attributes:
        accepted: comments that the service took.
        events: alert events, as the stream told them.
        alerts: as the API lists them at the end, first opened first.
        heard: set whenever the stream tells something.
    """

    accepted: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)


async def play(settings: Settings, end: datetime, screen: Screen, *, keep: bool) -> Outcome:
    """Run the service and the story; with `keep` serve on until Ctrl-C.

    Args:
        settings: of the service; its database must be empty.
        end: when the two days end, aware.
        screen: what to show it on.
        keep: whether to go on serving after the story.

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
        screen.say(f"port {settings.port} is taken, using {port}")
    url = hosting.url_of(listener)
    with listener:
        async with hosting.started(settings) as app:
            server = hosting.server(app)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            story = asyncio.create_task(_tell(url, end, screen))
            await asyncio.wait({serving, story}, return_when=asyncio.FIRST_COMPLETED)
            if server.should_exit:  # Ctrl-C, and the story was not over
                story.cancel()
                await asyncio.gather(serving, story, return_exceptions=True)
                raise KeyboardInterrupt
            if story.exception() is None:
                screen.addresses(url)
            if keep and story.exception() is None:
                screen.say("The service goes on; Ctrl-C ends it.")
            else:
                server.should_exit = True
            await serving
    return story.result()


async def _tell(url: str, end: datetime, screen: Screen) -> Outcome:
    items = generate(end)
    screen.opening(url, len(items), end - SPAN, end)
    outcome = Outcome()
    async with connect(url) as client:
        await _register(client)
        async with _stream(client, screen, outcome):
            with screen.progress(len(items)):
                for first in range(0, len(items), _BATCH):
                    answer = await client.submit(items[first : first + _BATCH])
                    outcome.accepted += answer["accepted"]
                await client.worked_off(lambda _last, done: screen.worked_off(done))
            outcome.alerts = [alert async for alert in client.pages("/alerts")]
            outcome.alerts.sort(key=lambda alert: str(alert["opened_at"]))
            await _catch_up(client, outcome)
        start = end - SPAN
        moods = {
            kol.kol_id: await client.get(
                f"/kols/{kol.kol_id}/mood",
                **{"from": start.isoformat(), "to": end.isoformat()},
            )
            for kol in KOLS
        }
    screen.closing(moods, outcome.alerts, start + SCENARIO.storm_after)
    return outcome


async def _register(client: ServiceClient) -> None:
    for kol in KOLS:
        await client.put_kol(
            kol.kol_id,
            {
                "name": kol.name,
                "handles": dict.fromkeys(kol.platforms, kol.kol_id),
                "followers": kol.followers,
                "tier": _tier(kol),
                "relation": "partner",
            },
        )


@asynccontextmanager
async def _stream(client: ServiceClient, screen: Screen, outcome: Outcome) -> AsyncIterator[None]:
    """Show what the stream tells, for as long as the context lasts."""
    listening = asyncio.create_task(_listen(client, screen, outcome))
    listening.add_done_callback(lambda _: outcome.heard.set())
    try:
        await outcome.heard.wait()
        yield
        if listening.done():
            listening.result()  # raises what broke the stream
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _listen(client: ServiceClient, screen: Screen, outcome: Outcome) -> None:
    async for event in client.events():
        if event.name == "alert":
            outcome.events.append(event.data)
            screen.alert(event.data)
        outcome.heard.set()


async def _catch_up(client: ServiceClient, outcome: Outcome) -> None:
    """Wait until the stream has told every event that the API lists."""
    written = 0
    for alert in outcome.alerts:
        written += len((await client.get(f"/alerts/{alert['alert_id']}"))["events"])
    with suppress(TimeoutError):
        async with asyncio.timeout(_LAST_EVENTS):
            while len(outcome.events) < written:
                outcome.heard.clear()
                await outcome.heard.wait()


def _tier(kol: Kol) -> str:
    return next((tier for followers, tier in _TIERS if kol.followers < followers), "mega")
