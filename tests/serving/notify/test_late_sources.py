"""Which platforms weaken an alert: in the message, as it is sent."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from serving.notify.channels.base import Rejected
from serving.notify.channels.memory import MemoryChannel
from serving.storage.database import Database
from serving.storage.delay_store import DelayStore
from serving.storage.instants import to_micros
from serving.storage.tables import alerts, source_delays
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import World, transition
from tests.serving.notify.test_dispatcher import drain

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def learn(database: Database, platform: str, most: float | None, **change: object) -> None:
    """A platform of Lena's that arrives up to so many minutes late."""
    row = {
        "kol_id": "lena",
        "platform": platform,
        "comments": 500,
        "hour": 1,
        "counts": {},
        "weights": {},
        "p10": None if most is None else 60.0,
        "p90": None if most is None else most * 60,
        "last_received_at": to_micros(NOW),
    }
    async with database.write() as connection:
        await connection.execute(insert(source_delays).values(**row | change))


async def late(world: World, alert_id: str = "a1") -> list[str]:
    found = await DelayStore(world.database).late_sources(alert_id, world.clock.now())
    return [source.platform for source in found]


async def test_only_platforms_that_are_late_and_still_send(world: World) -> None:
    await world.commit(transition())
    assert await late(world) == []
    await learn(world.database, "fast", 10)
    await learn(world.database, "unknown", None)
    await learn(world.database, "gone", 60, last_received_at=to_micros(NOW - 7 * DAY - MINUTE))
    await learn(world.database, "elsewhere", 60, kol_id="mina")
    await learn(world.database, "everybody", 60, kol_id="")
    assert await late(world) == []
    await learn(world.database, "instagram", 10.1)
    await learn(world.database, "tiktok", 62)
    await learn(
        world.database, "weekly", 5 * 24 * 60, last_received_at=to_micros(NOW - 7 * DAY + MINUTE)
    )
    assert await late(world) == ["weekly", "tiktok", "instagram"]
    assert await late(world, "a2") == []
    (_, tiktok, _) = await DelayStore(world.database).late_sources("a1", NOW)
    assert (tiktok.least, tiktok.most) == (MINUTE, 62 * MINUTE)
    assert (tiktok.since, tiktok.now) == (NOW - 62 * MINUTE, NOW)


async def test_it_is_left_out_once_everything_should_have_come(world: World) -> None:
    await learn(world.database, "instagram", 60)
    await world.commit(transition(), transition("resolved", at=NOW))
    world.clock.advance(59 * MINUTE)
    assert await late(world) == ["instagram"]
    world.clock.advance(MINUTE)
    assert await late(world) == []
    await world.commit(transition("reopened", at=NOW + HOUR))
    assert await late(world) == ["instagram"]
    async with world.database.write() as connection:
        await connection.execute(update(alerts).values(state="revised"))
    assert await late(world) == []


@pytest.mark.parametrize("failures", [[], [Rejected("no")]], ids=["together", "one by one"])
async def test_a_message_carries_it_as_of_its_sending(
    world: World, failures: list[Exception]
) -> None:
    channel = MemoryChannel(most=5)
    channel.failures = failures
    dispatcher = world.dispatcher({"crm": channel})
    await world.commit(transition(), transition(alert_id="b2", kol_id="mina"))
    await learn(world.database, "instagram", 60)
    world.clock.advance(5 * MINUTE)
    await drain(world, dispatcher)
    sent = {one.alert_id: one for message in channel.sent for one in message}
    (source,) = sent["a1"].late_sources
    assert (source.platform, source.since) == ("instagram", NOW - 55 * MINUTE)
    assert sent["b2"].late_sources == ()
