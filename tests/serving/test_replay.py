"""After a kill at any point, the engine is what it was: its snapshots, and the log after them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from sqlalchemy import func, select

from monitoring.engine import Engine
from serving.clock import TestClock
from serving.errors import StoreError
from serving.pipeline.pipeline import Pipeline
from serving.pipeline.snapshots import SnapshotLimits
from serving.storage.database import Database
from serving.storage.database_check import check_database
from serving.storage.erasure_store import ErasureStore
from serving.storage.kol_mover import KolMover
from serving.storage.policy_store import PolicyStore
from serving.storage.tables import comments, engine_snapshots, engine_states
from tests.serving.conftest import NewUrl
from tests.serving.final_state import final
from tests.serving.killed_pipeline import (
    AT_ONCE,
    MINUTE,
    NEVER,
    START,
    Play,
    Player,
    plays,
    states,
    stream,
)
from tests.serving.pipeline_world import PipelineWorld, process_all
from tests.serving.thoroughness import examples


@settings(max_examples=examples(2, 25), deadline=None, suppress_health_check=list(HealthCheck))
@given(play=plays)
async def test_after_a_kill_at_any_point_the_engine_is_what_it_was(
    new_url: NewUrl, play: Play
) -> None:
    items, found = stream("lena", "mina"), []
    for kills, snapshots in ((play.kills, play.snapshots), (0.0, AT_ONCE)):
        database = Database(new_url())
        world = PipelineWorld(database, TestClock(START), snapshots=snapshots)
        player = Player(world, Play(play.seed, snapshots, play.batch_size, kills, play.people))
        with structlog.testing.capture_logs():
            await player.run(items)
        found.append(await final(database))
        assert await check_database(database) == []
        await database.close()
        assert player.kills > 0 or not kills
        if play.people:  # pseudonyms of erased authors are drawn
            return
    assert found[0] == found[1]


@pytest.fixture
async def world(new_url: NewUrl) -> Any:
    database = Database(new_url())
    yield PipelineWorld(database, TestClock(START + timedelta(hours=7)), snapshots=NEVER)
    await database.close()


async def processed(world: PipelineWorld, *, steps: int = 10_000) -> Pipeline:
    """A pipeline that has processed two KOLs and leaves much to be replayed."""
    await world.receive(stream("lena", "mina")[:-2])
    pipeline = world.pipeline(batch_size=40)
    while steps and await pipeline.step():
        steps -= 1
    return pipeline


async def replayed(world: PipelineWorld) -> int:
    """How many comments a start would replay at most."""
    state = engine_states.c
    count = (
        select(func.count())
        .select_from(comments.join(engine_states, state.kol_id == comments.c.kol_id))
        .where(comments.c.seq > state.replay_seq, comments.c.seq <= state.seq)
    )
    async with world.database.read() as connection:
        return await connection.scalar(count) or 0


async def test_most_comments_change_no_snapshot(world: PipelineWorld) -> None:
    pipeline = world.pipeline(batch_size=40)
    await world.receive(stream("lena")[:-1])
    written = []
    for _ in range(5):
        await pipeline.step()
        async with world.database.read() as connection:
            written.append(await connection.scalar(select(engine_snapshots.c.snapshot)))
    assert len(set(written)) == 1
    assert await replayed(world) == 4 * 40


async def test_what_may_be_replayed_is_bounded_by_number_and_by_age(world: PipelineWorld) -> None:
    world.snapshots = SnapshotLimits(100, timedelta(days=1))
    await world.receive(stream("lena")[:-1])
    pipeline, found = world.pipeline(batch_size=40), []
    for _ in range(6):
        await pipeline.step()
        found.append(await replayed(world))
    assert found == [0, 40, 80, 0, 40, 80]
    world.snapshots = SnapshotLimits(10**6, timedelta())
    pipeline = world.pipeline(batch_size=40)
    await pipeline._go_back()
    await process_all(pipeline)
    assert await replayed(world) == 0


def comment(kol_id: str, number: int, at: datetime) -> dict[str, Any]:
    return {
        "platform": "instagram",
        "comment_id": str(number),
        "kol_id": kol_id,
        "text": "so lovely",
        "created_at": at.isoformat(),
    }


async def restarted(world: PipelineWorld) -> Pipeline:
    """A pipeline that knows only the database."""
    pipeline = world.pipeline()
    await pipeline._go_back()
    return pipeline


async def test_no_comment_is_replayed_that_is_in_the_snapshot(world: PipelineWorld) -> None:
    """Of the second KOL what begins to be replayed follows its own comment at once."""
    world.clock = TestClock(START + MINUTE)
    pipeline = world.pipeline(batch_size=1)
    for number, kol_id in enumerate(["lena", "lena", "mina", "mina"]):
        await world.receive([comment(kol_id, number, START + timedelta(seconds=number))])
        await pipeline.step()
    assert await replayed(world) == 2
    assert states(await restarted(world)) == states(pipeline)


async def test_idle_marks_are_replayed_at_their_places(world: PipelineWorld) -> None:
    """The mark closes the minute of a comment that comes after it."""
    world.clock = TestClock(START + timedelta(seconds=30))
    pipeline = world.pipeline()
    for number, seconds in enumerate([10, 20, 50]):
        await world.receive([comment("lena", number, START + timedelta(seconds=seconds))])
        await process_all(pipeline)
        world.clock.advance(5 * MINUTE * (number == 1))
        await process_all(pipeline)
    assert await replayed(world) == 0  # the comment that is late has the KOL judged again
    for number, seconds in enumerate([610, 620, 650], 3):
        world.clock.advance(max(START + timedelta(seconds=630) - world.clock.now(), timedelta()))
        await world.receive([comment("lena", number, START + timedelta(seconds=seconds))])
        await pipeline.step()
        world.clock.advance(5 * MINUTE * (number == 4))
        if number == 4:
            await process_all(pipeline)
    assert await replayed(world) == 3
    assert pipeline.live.engine.status("lena").late > 1
    assert states(await restarted(world)) == states(pipeline)


async def test_what_is_replayed_is_judged_by_the_policy_of_its_time(world: PipelineWorld) -> None:
    pipeline = await processed(world)
    assert pipeline.live.engine.alerts()
    for kol_id in ("lena", "mina"):
        await PolicyStore(world.database).record(
            kol_id, {"sensitivity": 1e-30}, "an", world.clock.now()
        )
    await process_all(pipeline)
    assert states(await restarted(world)) == states(pipeline)


async def test_a_clean_stop_leaves_nothing_to_be_replayed(world: PipelineWorld) -> None:
    pipeline = await processed(world)
    before = states(pipeline)
    assert await replayed(world) > 0
    other = world.pipeline()
    await other.start()
    await other.stop()
    assert await replayed(world) == 0
    assert states(other) == before


async def test_an_edit_that_nobody_has_taken_over_is_replayed_as_it_was_counted(
    world: PipelineWorld,
) -> None:
    pipeline = await processed(world)
    before = states(pipeline)
    items = [item for item in stream("lena", "mina")[:-2] if "hate" not in item["text"]]
    await world.receive([item | {"text": "they sell this scam to everybody"} for item in items])
    other = world.pipeline()
    await other._go_back()
    assert states(other) == before


@pytest.mark.parametrize("move", ["rename", "merge", "unmerge"])
async def test_moved_comments_are_not_taken_for_the_target_s_own(
    world: PipelineWorld, new_url: NewUrl, move: str
) -> None:
    found = []
    for kills in (False, True):
        world = PipelineWorld(Database(new_url()), world.clock, snapshots=NEVER)
        pipeline = await processed(world, steps=4)
        mover = KolMover(world.database, UNUSED_OUTBOX)
        async with pipeline.paused():
            if move == "rename":
                await mover.rename("mina", "minou", "an", world.clock.now())
            else:
                await mover.merge("mina", "lena", "an", world.clock.now())
        if move == "unmerge":
            await pipeline._go_back()
            await pipeline.step()
            async with pipeline.paused():
                await mover.unmerge("mina")
        await pipeline._go_back()
        assert await replayed(world) == 0
        for step in range(10_000):
            if not await pipeline.step():
                break
            if kills and step in (0, 1, 2, 5, 11):
                pipeline = world.pipeline(batch_size=40)
                await pipeline._go_back()
        found.append(await final(world.database))
        await world.database.close()
    assert found[0] == found[1]


class _UnusedOutbox:
    """An outbox that notifies nobody."""

    committed: Callable[[Any], None] = staticmethod(lambda _written: None)

    async def record(self, *_: Any, **__: Any) -> list[Any]:
        return []


UNUSED_OUTBOX = _UnusedOutbox()


async def test_comments_expire_only_when_they_are_not_replayed_any_more(
    world: PipelineWorld,
) -> None:
    pipeline = await processed(world, steps=4)
    before = states(pipeline)
    reached, later = pipeline.saved_up_to, world.clock.now() + timedelta(days=1)
    assert 0 < reached < pipeline.progress.seq
    store = ErasureStore(world.database)
    assert await store.expire(later, later, up_to=reached) == reached
    other = world.pipeline()
    await other._go_back()
    assert states(other) == before


async def test_a_kol_whose_log_cannot_be_replayed_is_held_and_judged_again(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = await processed(world)
    expected = await final(world.database)
    observe, failures = Engine.observe, []

    def fail(self: Engine, scored: Any, received_at: Any = None) -> Any:
        if scored.comment.kol_id == "lena" and not failures:
            failures.append(scored)
            raise MemoryError
        return observe(self, scored, received_at)

    monkeypatch.setattr(Engine, "observe", fail)
    other = world.pipeline(batch_size=40)
    with structlog.testing.capture_logs():
        await other._go_back()
    assert failures
    assert other.faults.held == {"lena"}
    assert states(other)["mina"] == states(pipeline)["mina"]
    await process_all(other)
    assert other.faults.held == set()
    assert await final(world.database) == expected
    assert states(other)["lena"][0] == states(pipeline)["lena"][0]


async def test_a_step_that_cannot_be_written_leaves_nothing_of_its_snapshots(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = await processed(world, steps=4)
    before = states(pipeline)
    async with world.database.read() as connection:
        stored = (await connection.execute(select(engine_snapshots))).all()

    async def full(*_: Any) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("serving.storage.step_store.save_snapshots", full)
        with pytest.raises(StoreError):
            await pipeline.paused().__aenter__()
    async with world.database.read() as connection:
        assert (await connection.execute(select(engine_snapshots))).all() == stored
    await pipeline._go_back()
    assert states(pipeline) == before
