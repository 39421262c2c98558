"""A host clock that jumps by a day, in the middle of everything that asks for the time."""

import shutil
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serving.clock import TestClock
from serving.notify.channels.base import Unavailable
from serving.notify.channels.memory import MemoryChannel
from serving.notify.routing.routes import Route
from serving.notify.workers.escalator import Escalator
from serving.storage.database import Database
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import World, transition
from tests.serving.notify.test_escalation import CHAIN
from tests.serving.notify.test_plan import HANOI
from tests.serving.reports.test_digesting import Press
from tests.serving.test_clock import DAY, MINUTE, SECOND, HostClocks
from tests.serving.test_pipeline import STORM, PipelineWorld, process_all, reasons, stormy

JUMPS = pytest.mark.parametrize("jump", [DAY, -DAY], ids=["ahead", "back"])


@pytest.fixture
async def new_database(empty: Path, tmp_path: Path) -> AsyncIterator[Callable[[], Database]]:
    made: list[Database] = []

    def make() -> Database:
        path = tmp_path / f"{len(made)}.db"
        made.append(Database(f"sqlite:///{shutil.copy(empty, path)}"))
        return made[-1]

    yield make
    for database in made:
        await database.close()


@pytest.fixture
def world(new_database: Callable[[], Database]) -> World:
    return World(new_database(), TestClock(NOW))


def after(item: dict[str, Any]) -> timedelta:
    """How long after the beginning of the storm a comment was written."""
    return datetime.fromisoformat(item["created_at"]) - STORM


async def incident(
    database: Database, host: HostClocks, jumps: dict[int, timedelta]
) -> dict[str, list[tuple[Any, ...]]]:
    """A storm, two minutes at a time, and the silence after it, with jumps at some of the minutes.

    Returns:
        All that was derived.
    """
    world = PipelineWorld(database, host.clock())
    items = stormy(timedelta(minutes=40))
    pipeline = world.pipeline()
    for minute in range(0, 180, 2):
        await world.receive([item for item in items if after(item) <= minute * MINUTE])
        items = [item for item in items if after(item) > minute * MINUTE]
        await process_all(pipeline)
        host.set_wall(jumps.get(minute, timedelta()))
        host.advance(2 * MINUTE)
    found = await reasons(world)
    assert found[0] == "opened"
    assert found[-1] == "resolved"
    return await world.derived()


async def test_a_jump_in_an_incident_changes_nothing(
    new_database: Callable[[], Database],
) -> None:
    expected = await incident(new_database(), HostClocks(wall=STORM), {})
    for jump in (DAY, -DAY):
        # In the storm, and in the silence after it; in between the clock is set right.
        jumps = {20: jump, 38: -jump, 50: jump}
        assert await incident(new_database(), HostClocks(wall=STORM), jumps) == expected


@JUMPS
async def test_what_waits_for_its_next_attempt_waits_no_longer(
    world: World, jump: timedelta
) -> None:
    host = HostClocks(wall=NOW)
    world.clock = host.clock()
    channel = MemoryChannel()
    channel.failures = [Unavailable("down")]
    dispatcher = world.dispatcher({"crm": channel}, chance=lambda: 1.0)
    await world.commit(transition())
    assert await dispatcher.step("crm") == 0
    host.set_wall(jump)
    assert 0 < await dispatcher.step("crm") <= 2
    assert channel.sent == []
    host.advance(2 * SECOND)
    assert await dispatcher.step("crm") == 0
    assert len(channel.sent) == 1
    await world.commit(transition("escalated", at=NOW + 2 * SECOND))
    assert await dispatcher.step("crm") == 0
    assert len(channel.sent) == 2


@JUMPS
async def test_what_waits_for_a_team_waits_until_it_begins(world: World, jump: timedelta) -> None:
    host = HostClocks(wall=NOW)
    world.clock, world.routes = host.clock(), (Route(teams=(HANOI,)),)
    desk = MemoryChannel()
    dispatcher = world.dispatcher({"hanoi-desk": desk})
    await world.commit(transition())
    host.set_wall(jump)
    host.advance(timedelta(hours=13) - SECOND)
    assert await dispatcher.step("hanoi-desk") > 0
    host.advance(SECOND)
    assert await dispatcher.step("hanoi-desk") == 0
    assert len(desk.sent) == 1


@JUMPS
async def test_an_escalation_is_due_when_it_was(world: World, jump: timedelta) -> None:
    host = HostClocks(wall=NOW)
    world.clock, world.routes = host.clock(), (Route(("crm",), steps=CHAIN),)
    worker = Escalator(world.database, world.outbox, world.metrics, world.clock)
    await world.commit(transition())
    host.advance(2 * MINUTE)
    host.set_wall(jump)
    assert await worker.step() == 0
    host.advance(13 * MINUTE - SECOND)
    assert await worker.step() == 0
    host.advance(SECOND)
    assert await worker.step() == 1


@JUMPS
async def test_a_digest_is_due_when_it_was(
    new_database: Callable[[], Database], jump: timedelta
) -> None:
    press = Press(new_database())
    host = HostClocks(wall=press.clock.now())
    press.clock = host.clock()
    worker = await press.worker()
    host.advance(timedelta(minutes=20))
    host.set_wall(jump)
    assert await worker.step() == 0
    host.advance(timedelta(minutes=40) - SECOND)
    assert await worker.step() == 0
    host.advance(SECOND)
    assert await worker.step() == 2
