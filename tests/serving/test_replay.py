"""After a kill at any point, the engine is what it was: its snapshots, and the log after them."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from monitoring.engine import Engine, KolStatus
from serving.clock import TestClock
from serving.errors import StoreError
from serving.pipeline.eraser import Eraser
from serving.pipeline.pipeline import Pipeline
from serving.pipeline.snapshots import SnapshotLimits
from serving.storage.database import Database
from serving.storage.database_check import check_database
from serving.storage.erasure_record import ErasureKind
from serving.storage.erasure_store import ErasureStore
from serving.storage.kol_mover import KolMover
from serving.storage.policy_store import PolicyStore
from serving.storage.tables import comments, engine_snapshots, engine_states
from tests.serving.conftest import NewUrl
from tests.serving.final_state import final
from tests.serving.pipeline_world import PipelineWorld, process_all
from tests.serving.streams import storm

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NEVER = SnapshotLimits(10**6, timedelta(days=365))
AT_ONCE = SnapshotLimits(1, timedelta())
Items = list[dict[str, Any]]
States = dict[str, tuple[bytes, KolStatus]]


def states(pipeline: Pipeline) -> States:
    """All that the engine knows."""
    engine = pipeline.live.engine
    return {kol_id: (engine.snapshot(kol_id), engine.status(kol_id)) for kol_id in engine.kols()}


def stream(*kol_ids: str) -> Items:
    """Two hours of calm and one of storm of some KOLs, mixed; a last comment long after it."""
    found = []
    for kol_id in kol_ids:
        items = storm(kol_id, START, days=0.15, storm_after=timedelta(hours=2))
        end = START + timedelta(hours=40)
        found += [*items, items[-1] | {"comment_id": "last", "created_at": end.isoformat()}]
    return sorted(found, key=lambda item: (item["created_at"], item["kol_id"]))


@dataclass(frozen=True, slots=True)
class Play:
    """What happens to a service.

    Attributes:
        seed: of all that is drawn.
        snapshots: when they are written.
        batch_size: comments a step.
        kills: how often the process is killed after a step, in [0, 1].
        people: whether people set policies and have authors erased meanwhile.
    """

    seed: int
    snapshots: SnapshotLimits
    batch_size: int
    kills: float
    people: bool


plays = st.builds(
    Play,
    seed=st.integers(0, 2**31),
    snapshots=st.builds(
        SnapshotLimits,
        st.sampled_from([2, 7, 40, 10**6]),
        st.sampled_from([timedelta(), timedelta(days=1)]),
    ),
    batch_size=st.sampled_from([10, 40]),
    kills=st.sampled_from([0.2, 0.5]),
    people=st.booleans(),
)


class Player:
    """Plays it on a database of its own."""

    def __init__(self, world: PipelineWorld, play: Play) -> None:
        self.world, self.play = world, play
        self.rng, self.fate = random.Random(play.seed), random.Random(play.seed + 1)
        self.pipeline = world.pipeline(play.batch_size)
        self.kills = 0

    async def run(self, items: Items) -> None:
        pending, kept = list(items), Items()
        while pending:
            count = self.rng.randrange(1, 60)
            chunk, pending = pending[:count], pending[count:]
            prompt = [item for item in chunk if self.rng.random() < 0.95]
            late = [item for item in kept if self.rng.random() < 0.3]
            kept = [item for item in kept if item not in late]
            kept += [item for item in chunk if item not in prompt]
            reached = datetime.fromisoformat(chunk[-1]["created_at"])
            await self.wait_until(reached)
            await self.send([*prompt, *late])
            edited = [item | {"text": f"hate it {self.rng.random()}"} for item in prompt[-3:]]
            removed = [prompt[0] | {"deleted": True}] if prompt and self.rng.random() < 0.3 else []
            if self.rng.random() < 0.5:  # before or after they were processed
                await self.settle(self.rng.randrange(4))
            await self.send([*edited, *removed])
            if self.play.people and self.rng.random() < 0.15:
                await self.settle()
                await self.intervene(chunk[0])
            await self.settle(self.rng.choice([0, 2, 1000]))
            await self.wait_until(reached + self.rng.choice([0, 3, 20]) * MINUTE)
        await self.send(kept)
        await self.settle()

    async def send(self, items: Items) -> None:
        await self.world.receive(items)
        self.pipeline.wake()

    async def wait_until(self, instant: datetime) -> None:
        clock = self.world.clock
        clock.advance(max(instant - clock.now(), timedelta()))

    async def intervene(self, item: dict[str, Any]) -> None:
        now = self.world.clock.now()
        if self.rng.random() < 0.5:
            sensitivity = self.rng.choice([1e-9, 0.5, 30.0])
            await PolicyStore(self.world.database).record(
                item["kol_id"], {"sensitivity": sensitivity}, "an", now
            )
            return
        store = ErasureStore(self.world.database)
        erasure = await store.begin(ErasureKind.AUTHOR, [item["author_id"]], "an", now)
        await Eraser(store, self.pipeline, self.world.clock).carry_out(erasure)

    async def settle(self, steps: int = 10_000) -> None:
        while steps and await self.pipeline.step():
            steps -= 1
            # A re-run that is killed begins again.
            chance = 0.05 if self.pipeline._rerunner._running else self.play.kills
            if self.fate.random() < chance:
                await self.kill()

    async def kill(self) -> None:
        """Nothing but the database is left; the next process knows what the last one knew."""
        before = states(self.pipeline)
        self.pipeline = self.world.pipeline(self.play.batch_size)
        await self.pipeline._go_back()
        assert states(self.pipeline) == before
        self.kills += 1


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
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
