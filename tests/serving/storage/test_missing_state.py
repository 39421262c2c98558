"""A pipeline refuses to go on with half of its state, and names the remedy, which works."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Table, delete, update

from serving.clock import TestClock
from serving.errors import StoreError
from serving.storage.database import Database
from serving.storage.step_store import StepStore
from serving.storage.tables import checkpoints, engine_snapshots, engine_states, progress
from tests.serving.conftest import NewUrl
from tests.serving.pipeline_world import PipelineWorld, process_all
from tests.serving.streams import storm

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
async def world(new_url: NewUrl) -> AsyncIterator[PipelineWorld]:
    database = Database(new_url())
    world = PipelineWorld(database, TestClock(START + timedelta(days=2)))
    await world.receive(storm("lena", START))
    await process_all(world.pipeline())
    yield world
    await database.close()


async def go_on(world: PipelineWorld) -> None:
    """Process the rest with a new pipeline, as after a restart."""
    pipeline = world.pipeline()
    await pipeline.start()
    await pipeline.stop()
    await process_all(pipeline)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (progress, "the row that says how far the comments have been processed is missing"),
        (engine_states, "the state of KOL 'lena' is missing"),
        (engine_snapshots, "the state of KOL 'lena' is missing"),
    ],
)
async def test_what_is_missing_is_named_with_its_remedy(
    world: PipelineWorld, table: Table, said: str
) -> None:
    expected = await world.derived()
    async with world.database.write() as connection:
        await connection.execute(delete(table))
    with pytest.raises(StoreError, match=f"{said}; 'groundswell db rebuild'"):
        await world.pipeline().start()
    await StepStore(world.database).clear_derived()
    await go_on(world)
    found = await world.derived()
    assert [row[0] for row in found["alerts"]] == [row[0] for row in expected["alerts"]]
    assert found["minute_scores"] == expected["minute_scores"]


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"GSWK\x01old", b"GSWK" + b"\xff" * 100])
async def test_a_garbage_snapshot_is_named_with_its_remedy(
    world: PipelineWorld, garbage: bytes
) -> None:
    async with world.database.write() as connection:
        await connection.execute(update(engine_snapshots).values(snapshot=garbage))
    with pytest.raises(StoreError, match=r"KOL 'lena' cannot be read: .*'groundswell db rebuild'"):
        await world.pipeline().start()


async def test_a_garbage_checkpoint_costs_time_and_nothing_else(world: PipelineWorld) -> None:
    late = {
        "platform": "instagram",
        "comment_id": "late",
        "kol_id": "lena",
        "text": "love it, after all",
        "created_at": (START + timedelta(hours=29)).isoformat(),
    }
    await world.receive([late])
    await go_on(world)
    expected = await world.derived()
    async with world.database.write() as connection:
        await connection.execute(update(checkpoints).values(snapshot=b"garbage"))
    await world.receive([late | {"text": "love it, after all, or not"}])
    await world.receive([late])
    await go_on(world)
    assert (await world.derived())["alerts"] == expected["alerts"]


async def test_an_empty_database_and_one_with_comments_to_process_are_complete(
    new_url: NewUrl,
) -> None:
    world = PipelineWorld(Database(new_url()), TestClock(START + timedelta(days=2)))
    await StepStore(world.database).check()
    await world.receive(storm("lena", START)[:5])
    await StepStore(world.database).check()
    await world.database.close()
