"""At least once, in order, with growing pauses, bounded; no channel waits for another."""

import asyncio
from datetime import timedelta

import pytest

from serving.errors import NotFound
from serving.notify.channels.base import Rejected, Unavailable
from serving.notify.channels.memory import MemoryChannel
from serving.notify.dispatcher import Dispatcher
from serving.notify.routing.routes import Route
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import World, transition


class Hanging(MemoryChannel):
    async def send(self, notifications: object) -> None:
        await asyncio.sleep(30)


async def drain(world: World, dispatcher: Dispatcher, name: str = "crm", *, most: int = 50) -> int:
    """Send all that waits for a channel, skipping its pauses; returns how many messages."""
    tries = 0
    for _ in range(most):
        pause = await dispatcher.step(name)
        if pause == 0:
            tries += 1
        elif await world.store.next_due(name) is None:
            return tries
        else:
            world.clock.advance(timedelta(seconds=pause))
    raise AssertionError("not drained")


async def test_what_waits_is_delivered_once_and_unchanged(world: World) -> None:
    channel = MemoryChannel()
    dispatcher = world.dispatcher({"crm": channel})
    await world.commit(transition())
    assert await drain(world, dispatcher) == 1
    ((sent,),) = channel.sent
    assert (sent.alert_id, sent.reason, sent.at, sent.opened_at) == ("a1", "opened", NOW, NOW)
    assert sent.evidence.summary == "It turned."
    assert sent.link == "https://pr.example.com/alerts/a1"
    (row,) = await world.rows()
    assert (row.state, row.attempts, row.key) == ("delivered", 1, sent.key)
    assert world.counted("crm", "delivered") == 1


async def test_pauses_double_up_to_five_minutes_and_the_last_attempt_is_final(
    world: World,
) -> None:
    channel = MemoryChannel()
    channel.failures = [Unavailable("down")] * 12
    dispatcher = world.dispatcher({"crm": channel}, attempts=12, chance=lambda: 1.0)
    await world.commit(transition())
    pauses = []
    while (await world.states()) == ["waiting"]:
        assert await dispatcher.step("crm") == 0
        (row,) = await world.rows()
        due = await world.store.next_due("crm")
        if due is not None:
            pauses.append((due - world.clock.now()).total_seconds())
            world.clock.advance(due - world.clock.now())
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    (row,) = await world.rows()
    assert (row.state, row.attempts, row.error) == ("dead", 12, "down")
    assert world.counted("crm", "dead") == 1
    assert world.counted("crm", "postponed") == 11


async def test_jitter_is_full(world: World) -> None:
    channel = MemoryChannel()
    channel.failures = [Unavailable("down")]
    dispatcher = world.dispatcher({"crm": channel}, chance=lambda: 0.0)
    await world.commit(transition())
    await dispatcher.step("crm")
    assert await world.store.next_due("crm") == NOW


async def test_what_is_rejected_is_dead_at_once(world: World) -> None:
    channel = MemoryChannel()
    channel.failures = [Rejected("answered 400")]
    await world.commit(transition(), transition("resolved"))
    assert await drain(world, world.dispatcher({"crm": channel})) == 2
    assert await world.states() == ["dead", "delivered"]


async def test_a_later_transition_waits_for_an_earlier_one_and_other_alerts_do_not(
    world: World,
) -> None:
    channel = MemoryChannel()
    channel.failures = [Unavailable("down")]
    await world.commit(transition(), transition("escalated"), transition(alert_id="b2"))
    await drain(world, world.dispatcher({"crm": channel}))
    assert [(sent.alert_id, sent.reason) for (sent,) in channel.sent] == [
        ("b2", "opened"),
        ("a1", "opened"),
        ("a1", "escalated"),
    ]


async def test_a_channel_that_asks_for_a_pause_gets_it(world: World) -> None:
    channel = MemoryChannel()
    channel.failures = [Unavailable("busy", retry_after=timedelta(seconds=90))]
    dispatcher = world.dispatcher({"crm": channel})
    await world.commit(transition(), transition(alert_id="b2"))
    assert await dispatcher.step("crm") == 0
    assert await dispatcher.step("crm") == 5.0
    world.clock.advance(timedelta(seconds=89))
    assert await dispatcher.step("crm") > 0
    assert channel.sent == []
    world.clock.advance(timedelta(seconds=1))
    assert await drain(world, dispatcher) == 2


@pytest.mark.parametrize(("most", "next_is_tried"), [(1, True), (2, False), (20, False)])
async def test_a_failure_holds_the_lane_if_what_is_new_would_join_the_message(
    world: World, most: int, next_is_tried: bool
) -> None:
    channel = MemoryChannel(most=most)
    channel.failures = [Unavailable("down")]
    dispatcher = world.dispatcher({"crm": channel}, chance=lambda: 1.0)
    await world.commit(transition())
    assert await dispatcher.step("crm") == 0
    await world.commit(transition(alert_id="b2"))
    assert (await dispatcher.step("crm") == 0) == next_is_tried
    assert len(channel.sent) == next_is_tried


async def test_no_more_messages_than_the_rate_allows(world: World) -> None:
    channel = MemoryChannel(interval=timedelta(seconds=2))
    await world.commit(*(transition(alert_id=f"a{n}") for n in range(10)))
    await drain(world, world.dispatcher({"crm": channel}))
    assert len(channel.sent) == 10
    assert world.clock.now() - NOW >= timedelta(seconds=18)


async def test_after_downtime_a_burst_is_one_message_and_what_was_tried_another(
    world: World,
) -> None:
    channel = MemoryChannel(most=20)
    channel.failures = [Unavailable("down")] * 2
    dispatcher = world.dispatcher({"crm": channel})
    await world.commit(transition(), transition("escalated"))
    assert await dispatcher.step("crm") == 0
    await world.commit(transition(alert_id="b2"), transition("resolved"))
    assert await dispatcher.step("crm") > 0  # what is new does not hammer a channel that is down
    assert await drain(world, dispatcher) == 3
    assert [[(n.alert_id, n.reason) for n in sent] for sent in channel.sent] == [
        [("a1", "opened"), ("a1", "escalated")],
        [("b2", "opened"), ("a1", "resolved")],
    ]
    assert set(await world.states()) == {"delivered"}


async def test_what_is_sent_again_does_not_overtake_nor_join_what_was_tried(world: World) -> None:
    channel = MemoryChannel(most=20)
    dispatcher = world.dispatcher({"crm": channel})
    await world.commit(transition(alert_id="b2"))
    assert await drain(world, dispatcher) == 1
    channel.failures = [Unavailable("down")]
    await world.commit(transition())
    assert await dispatcher.step("crm") == 0
    (again, _) = await world.rows()
    await world.store.resend(again.delivery_id, world.clock.now())
    await world.commit(transition("resolved"))
    assert await drain(world, dispatcher) == 3
    assert [[(n.alert_id, n.reason) for n in sent] for sent in channel.sent[1:]] == [
        [("b2", "opened")],
        [("a1", "opened")],
        [("a1", "resolved")],
    ]


async def test_one_bad_notification_does_not_take_its_group_along(world: World) -> None:
    channel = MemoryChannel(most=20)
    channel.failures = [Rejected("answered 400"), Rejected("answered 400")]
    await world.commit(transition(), transition(alert_id="b2"), transition(alert_id="c3"))
    await drain(world, world.dispatcher({"crm": channel}))
    assert await world.states() == ["dead", "delivered", "delivered"]


async def test_a_channel_that_hangs_is_cut_off(world: World) -> None:
    await world.commit(transition())
    await world.dispatcher({"crm": Hanging()}, timeout=0.02).step("crm")
    (row,) = await world.rows()
    assert (row.state, row.error) == ("waiting", "no answer within 0.02 s")


async def test_no_channel_waits_for_another(world: World) -> None:
    world.routes = (Route(("slow", "crm")),)
    channel = MemoryChannel()
    dispatcher = world.dispatcher({"slow": Hanging(), "crm": channel}, timeout=20)
    await dispatcher.start()
    assert dispatcher.alive
    await world.commit(transition())
    dispatcher.wake("slow")
    dispatcher.wake("crm")
    async with asyncio.timeout(10):
        while not channel.sent:
            await asyncio.sleep(0.01)
    await dispatcher.stop()
    assert not dispatcher.alive


async def test_a_new_process_sends_what_the_old_one_did_not_close(world: World) -> None:
    await world.commit(transition())
    hanging = world.dispatcher({"crm": Hanging()}, timeout=20)
    await hanging.start()
    await asyncio.sleep(0.05)
    await hanging.stop()  # in the middle of its attempt
    channel = MemoryChannel()
    await drain(world, world.dispatcher({"crm": channel}))
    assert len(channel.sent) == 1


async def test_what_waits_for_a_channel_that_is_gone_is_given_up_and_can_be_sent_again(
    world: World,
) -> None:
    await world.commit(transition())
    nobody = world.dispatcher({})
    await nobody.start()
    assert nobody.alive
    (row,) = await world.rows()
    assert (row.state, row.error) == ("dead", "the channel is not configured")
    await world.store.resend(row.delivery_id, world.clock.now())
    channel = MemoryChannel()
    await drain(world, world.dispatcher({"crm": channel}))
    assert channel.sent[0][0].key == row.key
    with pytest.raises(NotFound):
        await world.store.resend(99, world.clock.now())
