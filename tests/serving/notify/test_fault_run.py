"""Ten minutes by the clock in which nobody can be reached, and three alerts in them: the real
webhook and e-mail channels against servers that refuse, fail and answer too late.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import httpx
import pytest

from serving.notify.channels.base import Channel
from serving.notify.dispatcher import Dispatcher
from serving.notify.routing.routes import Route
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import World, build_channel, transition
from tests.serving.notify.outside import MAIL, Mode, Outside, once, outside

MINUTE = timedelta(minutes=1)
PHASES: list[tuple[timedelta, Mode]] = [
    (0 * MINUTE, "refusing"),
    (3 * MINUTE, "failing"),
    (6 * MINUTE, "slow"),
    (10 * MINUTE, "up"),
]
ALERTS = ("a1", "b2", "c3")
Action = Callable[[], Awaitable[None]]


@pytest.fixture
def servers() -> Iterator[Outside]:
    with outside() as servers:
        yield servers


def channels(world: World, servers: Outside, http: httpx.AsyncClient) -> dict[str, Channel]:
    url = f"http://127.0.0.1:{servers.port}/hook"
    return {
        "crm": build_channel(
            "webhook",
            url,
            http=http,
            clock=world.clock,
            secret="0123456789abcdef",
            secret_env="CRM_SECRET",
            per_minute=60,
        ),
        "desk": build_channel(
            "email",
            f"smtp://127.0.0.1:{servers.mail_port}",
            clock=world.clock,
            to=["pr@example.com"],
            per_minute=60,
            **{"from": "alerts@pr.example.com"},
        ),
    }


async def run(
    world: World, dispatcher: Dispatcher, actions: list[tuple[timedelta, Action]]
) -> None:
    """Let the clock jump from what is to be done to what is due, until nothing is left."""
    actions = sorted(actions, key=lambda action: action[0])
    while True:
        while actions and NOW + actions[0][0] <= world.clock.now():
            await actions.pop(0)[1]()
        pause = min([await dispatcher.step(name) for name in dispatcher.channels])
        if pause == 0:
            continue
        if not actions and "waiting" not in await world.states():
            return
        until = world.clock.now() + timedelta(seconds=pause)
        if actions:
            until = min(until, NOW + actions[0][0])
        world.clock.advance(until - world.clock.now())


async def test_every_transition_is_delivered_once(world: World, servers: Outside) -> None:
    world.routes = (Route(("crm", "desk")),)

    def turn(mode: Mode) -> Action:
        return lambda: asyncio.to_thread(servers.turn, mode)

    def commit(reason: str, alert_id: str, after: timedelta) -> Action:
        return lambda: world.commit(transition(reason, alert_id=alert_id, at=NOW + after))

    actions = [(after, turn(mode)) for after, mode in PHASES]
    for number, alert_id in enumerate(ALERTS):
        opened = (1 + 2.5 * number) * MINUTE
        actions.append((opened, commit("opened", alert_id, opened)))
        resolved = opened + 1.5 * MINUTE
        actions.append((resolved, commit("resolved", alert_id, resolved)))
    async with httpx.AsyncClient(timeout=5) as http:
        dispatcher = world.dispatcher(channels(world, servers, http), attempts=50, timeout=0.4)
        await run(world, dispatcher, actions)

    wanted = {(alert, reason) for alert in ALERTS for reason in ("opened", "resolved")}
    rows = await world.rows()
    assert Counter(row.state for row in rows) == {"delivered": 12}
    assert any(row.attempts > 5 for row in rows)
    for way in ("/hook", MAIL):
        attempts = [arrival for arrival in servers.arrivals if arrival.way == way]
        kept = [arrival for arrival in attempts if arrival.kept]
        assert len(attempts) > len(kept)  # the others were answered 500 or 451
        assert len(kept) > len(once(kept))  # some were taken, and answered too late
        told = [one for arrival in once(kept) for one in arrival.told]
        assert Counter(told) == dict.fromkeys(wanted, 1)
        for alert_id in ALERTS:
            assert told.index((alert_id, "opened")) < told.index((alert_id, "resolved"))
    mails = [arrival for arrival in servers.arrivals if arrival.way == MAIL and arrival.kept]
    assert len(once(mails)) == 2  # what was tried first, and then all the rest at once
    for arrival in servers.arrivals:  # what has one key is one message
        same = [other for other in servers.arrivals if other.key == arrival.key]
        assert {other.body for other in same} == {arrival.body}


@pytest.mark.parametrize("name", ["crm", "desk"])
async def test_a_server_that_takes_a_message_and_never_answers_is_cut_off(
    world: World, servers: Outside, name: str
) -> None:
    world.routes = (Route((name,)),)
    await world.commit(transition())
    servers.turn("slow")
    async with httpx.AsyncClient(timeout=60) as http:
        dispatcher = world.dispatcher({name: channels(world, servers, http)[name]}, timeout=1)
        async with asyncio.timeout(15):
            await dispatcher.step(name)
    (row,) = await world.rows()
    assert (row.state, row.error) == ("waiting", "no answer within 1 s")
    assert [arrival.kept for arrival in servers.arrivals] == [True]


async def test_what_cannot_be_written_is_dead_and_visible_and_blocks_nothing(
    world: World, servers: Outside
) -> None:
    """The message of a flood needs what its detector judged, and one has none."""
    world.routes = (Route(("crm", "desk")),)
    kinds = dict.fromkeys(ALERTS, "backlash") | {"b2": "comment_flood"}
    await world.commit(*(transition(alert_id=one, kind=kind) for one, kind in kinds.items()))
    async with httpx.AsyncClient(timeout=5) as http:
        await run(world, world.dispatcher(channels(world, servers, http), timeout=5), [])
    for row in await world.rows():
        if row.alert.alert_id == "b2":
            assert (row.state, row.attempts) == ("dead", 1)
            assert "cannot be written from its evidence: ValueError(" in row.error
        else:
            assert row.state == "delivered"
    assert world.counted("crm", "dead") == world.counted("desk", "dead") == 1
    told = {one for arrival in servers.arrivals for one in arrival.told}
    assert told == {("a1", "opened"), ("c3", "opened")}
