"""The loop: the same log gives the same alerts, however it was cut into steps or interrupted."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from serving.clock import TestClock
from serving.errors import StoreError
from serving.pipeline.pipeline import Pipeline
from serving.storage.database import Database
from serving.storage.step_store import StepStore
from serving.storage.tables import (
    alerts,
    engine_snapshots,
)
from tests.serving.conftest import NewUrl
from tests.serving.pipeline_world import PipelineWorld, process_all
from tests.serving.streams import storm

START = datetime(2026, 3, 1, tzinfo=UTC)
STORM = START + timedelta(hours=20)


@pytest.fixture
async def world(new_url: NewUrl) -> AsyncIterator[PipelineWorld]:
    database = Database(new_url())
    yield PipelineWorld(database, TestClock(STORM + timedelta(days=2)))
    await database.close()


def stormy(until: timedelta) -> list[dict[str, Any]]:
    return [
        item
        for item in storm("lena", START)
        if datetime.fromisoformat(item["created_at"]) < STORM + until
    ]


async def reasons(world: PipelineWorld) -> list[str]:
    return [row[5] for row in (await world.derived())["alert_events"]]


async def test_a_storm_becomes_one_alert_with_drivers(world: PipelineWorld) -> None:
    await world.receive(storm("lena", START) + storm("mina", START, storm_after=timedelta(days=9)))
    await process_all(world.pipeline())
    async with world.database.read() as connection:
        (alert,) = (await connection.execute(select(alerts))).all()
    assert (alert.kol_id, alert.state) == ("lena", "resolved")
    opened = datetime.fromtimestamp(alert.opened_at / 1e6, UTC)
    assert timedelta() < opened - STORM < timedelta(minutes=30)
    drivers = alert.evidence["drivers"]
    assert drivers["posts"][0]["post_id"] == "post-1"
    assert drivers["representative"]
    assert {"hate", "scam", "refund", "liar", "worst", "awful", "terrible"} & {
        word for term in drivers["terms"] for word in term["text"].split()
    }


@pytest.mark.parametrize("batch_size", [9, 100])
async def test_how_the_log_is_cut_into_steps_changes_nothing(
    world: PipelineWorld, new_url: NewUrl, batch_size: int
) -> None:
    items = stormy(timedelta(minutes=20))
    await world.receive(items)
    await process_all(world.pipeline())
    expected = await world.derived()
    assert expected["alerts"]

    other = PipelineWorld(Database(new_url()), world.clock)
    await other.receive(items)
    await process_all(other.pipeline(batch_size))
    assert await other.derived() == expected
    await other.database.close()


async def test_a_new_process_continues_where_the_old_one_was(
    world: PipelineWorld, new_url: NewUrl
) -> None:
    items = stormy(timedelta(hours=3))
    await world.receive(items)
    await process_all(world.pipeline())
    expected = await world.derived()

    other = PipelineWorld(Database(new_url()), world.clock)
    await other.receive(items)
    while (await StepStore(other.database).progress()).seq < len(items):
        pipeline = other.pipeline(batch_size=97)  # as after a kill: nothing but the file is left
        await pipeline.start()
        await pipeline.written.wait(10)
        await pipeline.stop()
    assert await other.derived() == expected
    await other.database.close()


async def test_a_state_of_another_version_says_what_to_do(world: PipelineWorld) -> None:
    await world.receive(stormy(timedelta(hours=-19)))
    await process_all(world.pipeline())
    async with world.database.write() as connection:
        await connection.execute(update(engine_snapshots).values(snapshot=b"GSWK\x01old"))
    with pytest.raises(StoreError, match=r"'lena'.* version 1,.*groundswell db rebuild"):
        await world.pipeline().start()


async def test_silence_ends_an_alert_and_deriving_again_gives_the_same(
    world: PipelineWorld,
) -> None:
    items = stormy(timedelta(minutes=30))
    world.clock = TestClock(STORM + timedelta(minutes=30))
    await world.receive(items)
    pipeline = world.pipeline()
    await process_all(pipeline)
    assert (await reasons(world))[-1] != "resolved"
    while "resolved" not in await reasons(world):
        world.clock.advance(timedelta(minutes=10))
        assert world.clock.now() < STORM + timedelta(days=3)
        await process_all(pipeline)
    before = await world.derived()

    await StepStore(world.database).clear_derived()
    assert not (await world.derived())["alerts"]
    assert not (await world.derived())["minute_scores"]
    world.clock.advance(timedelta(days=300))
    await process_all(world.pipeline())
    after = await world.derived()
    assert after["alerts"] == before["alerts"]
    assert after["minute_scores"] == before["minute_scores"]
    assert [row[1:] for row in after["alert_events"]] == [row[1:] for row in before["alert_events"]]


async def test_without_an_alert_silence_only_closes_the_last_minute(world: PipelineWorld) -> None:
    world.clock = TestClock(START + timedelta(hours=1))
    await world.receive(
        [item for item in storm("lena", START) if item["created_at"] < "2026-03-01T01:00"]
    )
    pipeline = world.pipeline()
    await process_all(pipeline)
    world.clock.advance(timedelta(minutes=20))
    assert await pipeline.step()
    world.clock.advance(timedelta(hours=5))
    assert not await pipeline.step()


async def falls_silent(world: PipelineWorld, days: int = 9) -> datetime:
    """Nine days of a KOL arrive; the instant after its last comment."""
    end = START + timedelta(days=days, hours=12)
    items = storm("lena", START, days=days + 0.5, storm_after=timedelta(days=99))
    world.clock = TestClock(end)
    await world.receive(items)
    return end


async def test_a_live_stream_that_breaks_off_is_reported_and_rebuilt_the_same(
    world: PipelineWorld,
) -> None:
    end = await falls_silent(world)
    pipeline = world.pipeline()
    await process_all(pipeline)
    for _ in range(30):
        world.clock.advance(timedelta(minutes=10))
        await process_all(pipeline)
    async with world.database.read() as connection:
        (alert,) = (await connection.execute(select(alerts))).all()
    assert (alert.kind, alert.severity, alert.state) == ("data_gap", "info", "open")
    assert end + timedelta(minutes=15) < datetime.fromtimestamp(alert.opened_at / 1e6, UTC)
    assert alert.evidence["drivers"] is None
    assert await reasons(world) == ["opened"]

    again = {"comment_id": "again", "created_at": world.clock.now().isoformat()}
    await world.receive([storm("lena", START)[0] | again])
    world.clock.advance(timedelta(minutes=10))
    await process_all(pipeline)
    assert await reasons(world) == ["opened", "resolved"]

    before = await world.derived()
    await StepStore(world.database).clear_derived()
    world.clock.advance(timedelta(days=300))
    await process_all(world.pipeline())
    after = await world.derived()
    assert after["alerts"] == before["alerts"]
    assert [row[1:] for row in after["alert_events"]] == [row[1:] for row in before["alert_events"]]


async def test_a_pause_of_ours_is_no_gap_of_theirs(world: PipelineWorld) -> None:
    await falls_silent(world)
    await process_all(world.pipeline())
    world.clock.advance(timedelta(hours=10))
    pipeline = world.pipeline()
    await pipeline._restore()
    await process_all(pipeline)
    assert await reasons(world) == []
    world.clock.advance(timedelta(minutes=16))
    await process_all(pipeline)
    assert await reasons(world) == ["opened"]


async def test_a_pause_of_ours_ends_no_alert(world: PipelineWorld) -> None:
    world.clock = TestClock(STORM + timedelta(minutes=30))
    await world.receive(stormy(timedelta(minutes=30)))
    await process_all(world.pipeline())
    assert (await reasons(world))[-1] != "resolved"
    world.clock.advance(timedelta(hours=10))
    pipeline = world.pipeline()
    await pipeline._restore()
    for _ in range(14):
        await process_all(pipeline)
        world.clock.advance(timedelta(minutes=1))
    assert (await reasons(world))[-1] != "resolved"
    world.clock.advance(timedelta(minutes=1))
    await process_all(pipeline)
    assert (await reasons(world))[-1] == "resolved"


async def test_a_failing_model_is_visible_and_nothing_is_lost(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.pipeline.step_loop._FIRST_BACKOFF", 0.02)
    items = stormy(timedelta(minutes=20))
    await world.receive(items)
    world.scorer.failures = 2
    pipeline = world.pipeline()
    await pipeline.start()
    for _ in range(500):
        if not pipeline.alive:
            break
        await asyncio.sleep(0.002)
    assert not pipeline.alive
    for _ in range(1000):
        if pipeline.progress.seq == len(items):
            break
        await asyncio.sleep(0.01)
    assert pipeline.alive
    assert len((await world.derived())["scores"]) == len(items)
    await pipeline.stop()
    assert not pipeline.alive


class Failures:
    """Makes the next calls of a method of the step store fail, and counts its calls."""

    def __init__(self, patch: pytest.MonkeyPatch, name: str, failures: int = 0) -> None:
        self.failures, self.calls = failures, 0
        real = getattr(StepStore, name)

        async def call(*arguments: Any) -> Any:
            self.calls += 1
            if self.failures:
                self.failures -= 1
                raise StoreError("no")
            return await real(*arguments)

        patch.setattr(StepStore, name, call)


async def run_to_the_end(pipeline: Pipeline, items: list[dict[str, Any]]) -> None:
    """Let a pipeline that was started process everything, and stop it."""
    async with asyncio.timeout(20):
        while pipeline.progress.seq < len(items) or not pipeline.alive:
            await asyncio.sleep(0.01)
    await pipeline.stop()


async def test_a_model_error_leaves_the_engine_as_it_is(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.pipeline.step_loop._FIRST_BACKOFF", 0.01)
    items = stormy(timedelta(hours=-19))
    await world.receive(items)
    restores = Failures(monkeypatch, "states")
    world.scorer.failures = 3
    pipeline = world.pipeline()
    await pipeline.start()
    await run_to_the_end(pipeline, items)
    assert world.scorer.failures == 0
    assert restores.calls == 1  # at the start


async def test_a_store_error_restores_the_engine_before_anything_else(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the restore fails at first, or the model fails after it."""
    monkeypatch.setattr("serving.pipeline.step_loop._FIRST_BACKOFF", 0.01)
    items = stormy(timedelta(minutes=20))
    await world.receive(items)
    await process_all(world.pipeline(batch_size=100))
    expected = await world.derived()
    await StepStore(world.database).clear_derived()
    pipeline = world.pipeline(batch_size=100)
    for _ in range(3):
        await pipeline.step()
    await pipeline.stop()
    commits = Failures(monkeypatch, "commit", 2)
    pipeline = world.pipeline(batch_size=100)
    restores = Failures(monkeypatch, "states")
    await pipeline.start()
    restores.failures = 2
    await run_to_the_end(pipeline, items)
    assert commits.failures == restores.failures == 0
    found = await world.derived()
    for name in ("scores", "minutes", "minute_scores", "alerts"):
        assert found[name] == expected[name], name
    assert [row[1:] for row in found["alert_events"]] == [
        row[1:] for row in expected["alert_events"]
    ]
