"""What waits for a team's hours: in the outbox, in the dispatcher, and in the morning's message."""

from datetime import timedelta

import pytest

from serving.notify.channels.base import Unavailable
from serving.notify.channels.memory import MemoryChannel
from serving.notify.routing.routes import Route
from serving.notify.workers.unmute_notifier import UnmuteNotifier
from serving.storage.silence_store import SilenceStore
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import World, transition
from tests.serving.notify.test_dispatcher import drain
from tests.serving.notify.test_plan import HANOI, NEW_YORK
from tests.serving.triage.test_muting import silence

MORNING = NOW + timedelta(hours=13)  # 08:00 in Hanoi, where it is 19:00 now
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def hanoi(world: World) -> None:
    world.routes = (Route(teams=(HANOI,)),)


def sent_on(channel: MemoryChannel) -> list[list[tuple[str, str]]]:
    return [[(one.alert_id, one.reason) for one in message] for message in channel.sent]


async def waits(world: World) -> list[tuple[str, str, int | None]]:
    return [(row.channel, row.state, row.not_before) for row in await world.rows()]


async def test_ten_transitions_of_a_night_are_one_message_in_the_morning(world: World) -> None:
    desk = MemoryChannel(most=20, interval=timedelta(seconds=2))
    dispatcher = world.dispatcher({"hanoi-desk": desk})
    for number in range(5):
        at = NOW + number * HOUR
        await world.commit(transition(alert_id=f"a{number}", at=at))
        await world.commit(transition("resolved", alert_id=f"a{number}", at=at + HOUR / 2))
        assert await dispatcher.step("hanoi-desk") > 0
        world.clock.advance(HOUR)
    assert await waits(world) == [("hanoi-desk", "waiting", MORNING)] * 10
    assert await world.store.oldest_waiting(world.clock.now()) == {}  # nothing is late
    world.clock.advance(MORNING - world.clock.now() - timedelta(microseconds=1))
    assert await dispatcher.step("hanoi-desk") > 0
    assert desk.sent == []
    world.clock.advance(timedelta(microseconds=1))
    assert await world.store.oldest_waiting(world.clock.now()) == {"hanoi-desk": MORNING}
    assert await drain(world, dispatcher, "hanoi-desk") == 1
    assert sent_on(desk) == [
        [(f"a{number}", reason) for number in range(5) for reason in ("opened", "resolved")]
    ]
    assert await world.states() == ["delivered"] * 10


async def test_a_channel_for_single_messages_keeps_its_rate_in_the_morning(world: World) -> None:
    desk = MemoryChannel(interval=timedelta(seconds=2))
    await world.commit(*(transition(alert_id=f"a{number}") for number in range(5)))
    world.clock.advance(MORNING - NOW)
    await drain(world, world.dispatcher({"hanoi-desk": desk}), "hanoi-desk")
    assert len(desk.sent) == 5
    assert world.clock.now() - MORNING >= timedelta(seconds=8)


async def test_what_is_sent_by_night_does_not_take_along_what_waits(world: World) -> None:
    world.routes = (Route(("hanoi-desk",), kols=frozenset({"mina"})), *world.routes)
    desk = MemoryChannel(most=20)
    desk.failures = [Unavailable("down")]
    await world.commit(transition(), transition(alert_id="m1", kol_id="mina"))
    await world.commit(transition("resolved"))
    dispatcher = world.dispatcher({"hanoi-desk": desk})
    for _ in range(5):
        await dispatcher.step("hanoi-desk")
        world.clock.advance(timedelta(seconds=2))
    assert sent_on(desk) == [[("m1", "opened")]]
    world.clock.advance(MORNING - world.clock.now())
    await drain(world, dispatcher, "hanoi-desk")
    assert sent_on(desk)[1:] == [[("a1", "opened"), ("a1", "resolved")]]


async def test_what_gets_critical_takes_along_what_waits_of_its_alert(
    world: World,
) -> None:
    world.routes = (Route(teams=(NEW_YORK,)),)
    desk = MemoryChannel()
    await world.commit(transition(), transition(alert_id="b2"))
    await world.commit(transition("escalated", severity="critical"))
    dispatcher = world.dispatcher({"ny-desk": desk})
    for _ in range(4):
        await dispatcher.step("ny-desk")
    assert sent_on(desk) == [[("a1", "opened")], [("a1", "escalated")]]
    assert await world.states() == ["delivered", "waiting", "delivered"]


async def test_those_on_call_are_notified_and_the_desk_in_the_morning(world: World) -> None:
    desk, phone = MemoryChannel(most=20), MemoryChannel()
    dispatcher = world.dispatcher({"hanoi-desk": desk, "hanoi-phone": phone})
    await world.commit(transition())
    await world.commit(transition("escalated", severity="critical"))
    await world.commit(transition("resolved", severity="critical", at=NOW + HOUR))
    for _ in range(4):
        await dispatcher.step("hanoi-phone")
        await dispatcher.step("hanoi-desk")
    assert sent_on(phone) == [[("a1", "escalated")], [("a1", "resolved")]]
    assert desk.sent == []
    world.clock.advance(MORNING - NOW)
    await drain(world, dispatcher, "hanoi-desk")
    assert sent_on(desk) == [[("a1", "opened"), ("a1", "escalated"), ("a1", "resolved")]]


async def test_who_was_called_by_night_is_notified_of_the_end_by_day(world: World) -> None:
    await world.commit(transition(severity="critical"))
    world.clock.advance(MORNING - NOW)
    await world.commit(transition("resolved", severity="critical", at=MORNING))
    assert [(row.channel, row.alert.reason, row.page) for row in await world.rows()] == [
        ("hanoi-phone", "opened", True),
        ("hanoi-desk", "opened", True),
        ("hanoi-desk", "resolved", False),
        ("hanoi-phone", "resolved", False),
    ]


async def test_what_is_no_longer_muted_waits_for_the_hours_too(world: World) -> None:
    await SilenceStore(world.database).add(silence(0, max_severity="warning"))
    await world.commit(transition())
    world.clock.advance(2 * HOUR)
    assert await UnmuteNotifier(world.database, world.outbox, world.metrics).step() == 1
    skipped, still_open = await world.rows()
    assert (skipped.not_before, still_open.not_before) == (None, MORNING)
    assert skipped.page is still_open.page is True  # it is their first notification of it


async def test_what_waits_can_be_sent_now_and_survives_a_restart(world: World) -> None:
    await world.commit(transition(), transition(alert_id="b2"))
    first, _ = await world.rows()
    await world.store.resend(first.delivery_id, NOW)
    desk = MemoryChannel(most=20)
    dispatcher = world.dispatcher({"hanoi-desk": desk})
    await dispatcher.step("hanoi-desk")
    assert sent_on(desk) == [[("a1", "opened")]]
    world.clock.advance(3 * (MORNING - NOW))
    again = world.dispatcher({"hanoi-desk": desk})
    await drain(world, again, "hanoi-desk")
    assert sent_on(desk)[1:] == [[("b2", "opened")]]
