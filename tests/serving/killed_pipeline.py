"""A pipeline that is killed at random while comments come, are edited, removed and erased."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from monitoring.engine import KolStatus
from serving.pipeline.eraser import Eraser
from serving.pipeline.pipeline import Pipeline
from serving.pipeline.snapshots import SnapshotLimits
from serving.storage.erasure_record import ErasureKind
from serving.storage.erasure_store import ErasureStore
from serving.storage.policy_store import PolicyStore
from tests.serving.pipeline_world import PipelineWorld
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
