"""One bad message never ends a lane, nor keeps what comes after it back for long."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from serving.notify.channels.base import Rejected, Unavailable
from serving.notify.channels.memory import MemoryChannel
from serving.notify.dispatcher import Dispatcher
from serving.notify.notification import Notification
from serving.notify.render import slack
from serving.notify.render.content import RenderedMessage
from tests.serving.notify.conftest import World, build_channel, transition
from tests.serving.notify.outside import outside
from tests.serving.notify.test_dispatcher import drain

ERROR = "unexpected ValueError; the service's log has the details"


class Choking(MemoryChannel):
    """Fails in an unexpected way on every message about one KOL."""

    async def send(self, notifications: Sequence[Notification]) -> None:
        if any(one.kol_id == "bad" for one in notifications):
            raise ValueError("https://hooks.example.com/s3cr3t")
        await super().send(notifications)

    @property
    def ids(self) -> list[list[str]]:
        return [[one.alert_id for one in message] for message in self.sent]


async def test_an_unexpected_exception_is_a_failed_attempt(world: World) -> None:
    channel = Choking()
    dispatcher = world.dispatcher({"crm": channel}, attempts=3, chance=lambda: 1.0)
    await world.commit(transition(kol_id="bad"), transition(alert_id="b2"))
    pauses = []
    while "waiting" in await world.states():
        assert await dispatcher.step("crm") == 0
        if (due := await world.store.next_due("crm")) is not None and due > world.clock.now():
            pauses.append((due - world.clock.now()).total_seconds())
            world.clock.advance(due - world.clock.now())
    assert channel.ids == [["b2"]]
    assert pauses == [2, 4]
    bad, good = await world.rows()
    assert (bad.state, bad.attempts, bad.error) == ("dead", 3, ERROR)
    assert (good.state, good.attempts) == ("delivered", 1)
    assert (world.counted("crm", "dead"), world.counted("crm", "postponed")) == (1, 2)


async def test_the_others_of_a_group_are_delivered_at_once(world: World) -> None:
    channel = Choking(most=20)
    dispatcher = world.dispatcher({"crm": channel}, attempts=2)
    await world.commit(
        transition(alert_id="a1"),
        transition(alert_id="b2", kol_id="bad"),
        transition("escalated", alert_id="b2"),
        transition(alert_id="c3"),
    )
    assert await dispatcher.step("crm") == 0
    assert channel.ids == [["a1"], ["c3"]]
    assert await world.states() == ["delivered", "waiting", "waiting", "delivered"]
    await drain(world, dispatcher)
    assert channel.ids == [["a1"], ["c3"], ["b2"]]  # the escalation, once its opening is given up
    assert await world.states() == ["delivered", "dead", "delivered", "delivered"]


async def test_what_comes_later_does_not_wait_for_bad_messages(world: World) -> None:
    channel = Choking(most=2)
    dispatcher = world.dispatcher({"crm": channel}, attempts=9, chance=lambda: 1.0)
    await world.commit(*(transition(alert_id=f"x{n}", kol_id="bad") for n in range(4)))
    for _ in range(2):
        assert await dispatcher.step("crm") == 0
    assert [row.attempts for row in await world.rows()] == [1] * 4
    await world.commit(transition(alert_id="b2"))
    assert await dispatcher.step("crm") == 0
    assert channel.ids == [["b2"]]
    assert await dispatcher.step("crm") > 0


async def test_what_follows_a_bad_message_of_its_alert_does_not_overtake_it(world: World) -> None:
    channel = Choking(most=20)
    dispatcher = world.dispatcher({"crm": channel}, attempts=9, chance=lambda: 1.0)
    await world.commit(transition(kol_id="bad"))
    assert await dispatcher.step("crm") == 0
    await world.commit(transition("escalated"), transition(alert_id="b2"))
    assert await dispatcher.step("crm") == 0
    assert channel.ids == [["b2"]]
    assert await dispatcher.step("crm") > 0


async def test_a_burst_that_has_been_due_for_a_while_is_one_message(world: World) -> None:
    channel = MemoryChannel(most=20)
    await world.commit(transition(), transition("escalated"), transition(alert_id="b2"))
    world.clock.advance(timedelta(seconds=1))
    await world.dispatcher({"crm": channel}).step("crm")
    assert [len(message) for message in channel.sent] == [3]


async def test_one_by_one_ends_when_the_channel_is_unavailable(world: World) -> None:
    channel = MemoryChannel(most=20)
    channel.failures = [Rejected("no"), Unavailable("down")]
    await world.commit(*(transition(alert_id=name) for name in ("a1", "b2", "c3")))
    await world.dispatcher({"crm": channel}).step("crm")
    assert channel.sent == []
    assert [row.attempts for row in await world.rows()] == [1, 0, 0]


@pytest.mark.parametrize("error", [ValueError("no"), RuntimeError("no"), MemoryError()])
async def test_a_message_that_cannot_be_rendered_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    rendered = slack.render

    def render(message: RenderedMessage) -> dict[str, Any]:
        if "bad" in str(message):
            raise error
        return rendered(message)

    monkeypatch.setattr(slack, "render", render)
    with outside() as servers:
        channel = build_channel("slack", f"http://127.0.0.1:{servers.port}/room")
        await world.commit(
            transition(kol_id="bad"), transition(alert_id="b2"), transition(alert_id="c3")
        )
        dispatcher = world.dispatcher({"crm": channel}, attempts=2, timeout=5)
        await drain(world, dispatcher)
        assert len(servers.arrivals) == 2
    assert await world.states() == ["dead", "delivered", "delivered"]


async def test_a_lane_continues_after_an_unexpected_exception(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.notify.dispatcher._POLL", 0.01)
    channel = Choking()
    dispatcher = world.dispatcher({"crm": channel})
    find, broken = world.store.due, [RuntimeError("a fault of the service itself")] * 2

    async def due(*args: Any, **more: Any) -> Any:
        if broken:
            raise broken.pop()
        return await find(*args, **more)

    monkeypatch.setattr(world.store, "due", due)
    await world.commit(transition(kol_id="bad"), transition(alert_id="b2"))
    await dispatcher.start()
    await _until_sent(channel)
    assert dispatcher.alive
    assert channel.ids == [["b2"]]
    assert _errors(world, "dispatcher") == 2
    await dispatcher.stop()


async def test_a_lane_that_ended_is_not_alive(world: World) -> None:
    dispatcher = world.dispatcher({"crm": MemoryChannel(), "desk": MemoryChannel()})
    await dispatcher.start()
    assert dispatcher.alive
    await _end(dispatcher, "desk")
    assert not dispatcher.alive
    await dispatcher.stop()


async def _end(dispatcher: Dispatcher, channel: str) -> None:
    task = dispatcher._lanes[channel].task
    assert task is not None
    task.cancel()
    await asyncio.wait([task])


async def _until_sent(channel: MemoryChannel) -> None:
    async with asyncio.timeout(10):
        while not channel.sent:
            await asyncio.sleep(0.01)


def _errors(world: World, worker: str) -> float | None:
    labels = {"worker": worker}
    return world.metrics.registry.get_sample_value("groundswell_worker_errors_total", labels)
