"""What could not be judged is stored: a restart does not forget it, and it stops nobody."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog

from monitoring.engine import Engine
from monitoring.policy import Policy
from serving.clock import TestClock
from serving.pipeline.rerunner import Rerunner
from serving.storage.database import Database
from serving.storage.fault_record import SetAsideKind
from serving.storage.fault_store import FaultStore
from serving.storage.kol_mover import KolMover
from serving.storage.policy_store import PolicyStore
from serving.storage.step_store import StepStore
from tests.serving.conftest import NewUrl
from tests.serving.pipeline_world import PipelineWorld
from tests.serving.test_pipeline_faults import (
    END,
    Breaking,
    Choosy,
    errors,
    finished,
    stream,
    until,
)


@pytest.fixture
async def world(new_url: NewUrl, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PipelineWorld]:
    for name in ("step_loop._FIRST_BACKOFF", "step_loop._LAST_BACKOFF", "step_loop._TICK"):
        monkeypatch.setattr(f"serving.pipeline.{name}", 0.002)
    monkeypatch.setattr("serving.pipeline.step_loop._LAST_ISOLATING", 0.002)
    monkeypatch.setattr("serving.pipeline.rerunner._FIRST_PAUSE", 0.02)
    monkeypatch.setattr("serving.pipeline.rerunner._LAST_PAUSE", 0.02)
    database = Database(new_url())
    with structlog.testing.capture_logs():
        yield PipelineWorld(database, TestClock(END))
    await database.close()


def broken_reruns(patch: pytest.MonkeyPatch) -> list[bool]:
    """Have re-runs fail as long as the list is not empty."""
    rerun, broken = Rerunner._rerun, [True]

    async def failing(self: Rerunner, pending: Any) -> AsyncIterator[None]:
        if broken:
            raise RuntimeError("no")
        async for _ in rerun(self, pending):
            yield

    patch.setattr(Rerunner, "_rerun", failing)
    return broken


async def test_a_held_kol_is_held_after_a_restart_until_it_was_judged(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = stream("lena")[:120]
    await world.receive(items)
    fault = Breaking(monkeypatch, RuntimeError("secret words"), lambda _: True)
    broken = broken_reruns(monkeypatch)
    pipeline = world.pipeline()
    await pipeline.start()
    await finished(pipeline, items)
    await pipeline.stop()
    restarted = world.pipeline()
    await restarted.start()
    assert restarted.faults.held == {"lena"}
    (held,) = await FaultStore(world.database).held()
    assert (held.kol_id, held.since, held.error) == ("lena", world.clock.now(), "RuntimeError")
    fault.times = 0
    broken.clear()
    await until(restarted, lambda: not restarted.faults.held)
    await restarted.stop()
    assert await FaultStore(world.database).held() == []


async def test_a_kol_whose_silence_cannot_be_judged_is_judged_again_too(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = stream("lena")[:120]
    world.clock = TestClock(datetime.fromisoformat(items[-1]["created_at"]) + timedelta(minutes=1))
    await world.receive(items)
    real, broken = Engine.silence, [True]

    def silence(engine: Engine, *given: Any) -> Any:
        if broken:
            raise MemoryError
        return real(engine, *given)

    monkeypatch.setattr(Engine, "silence", silence)
    pipeline = world.pipeline()
    await pipeline.start()
    await finished(pipeline, items)
    world.clock.advance(timedelta(hours=3))
    pipeline.wake()
    await until(pipeline, lambda: errors(pipeline) >= 3)
    broken.clear()
    await until(pipeline, lambda: pipeline.progress.mark > 0)
    assert pipeline.faults.held == set()
    await pipeline.stop()


async def test_what_was_set_aside_is_known_after_a_restart_and_until_a_rebuild(
    world: PipelineWorld,
) -> None:
    items = stream("lena")[:40]
    items[20] = {**items[20], "text": "poison"}
    await world.receive(items)
    world.scorer = Choosy()
    pipeline = world.pipeline()
    await pipeline.start()
    await finished(pipeline, items)
    await pipeline.stop()
    restarted = world.pipeline()
    await restarted.start()
    await restarted.stop()
    assert restarted.faults.set_aside == 1
    (found,) = await FaultStore(world.database).set_aside(5)
    assert (found.kind, found.place, found.kol_id) == (SetAsideKind.COMMENT, 21, "lena")
    await KolMover(world.database, world.outbox or Ignoring()).rename(
        "lena", "lena-2", "mai", world.clock.now()
    )
    (found,) = await FaultStore(world.database).set_aside(5)
    assert found.kol_id == "lena-2"
    await StepStore(world.database).clear_derived()
    assert await FaultStore(world.database).count_set_aside() == 0


class Ignoring:
    """An outbox that writes nothing."""

    async def record(self, *_: Any, **__: Any) -> list[Any]:
        return []

    def committed(self, _: Any) -> None:
        """Nothing to tell."""


def refusing(patch: pytest.MonkeyPatch) -> list[bool]:
    """Have the engine refuse every policy of Lena's as long as the list is not empty."""
    real, broken = Engine.set_policy, [True]

    def set_policy(engine: Engine, kol_id: str, policy: Policy) -> None:
        if broken and kol_id == "lena":
            raise RuntimeError("no")
        real(engine, kol_id, policy)

    patch.setattr(Engine, "set_policy", set_policy)
    return broken


async def test_a_policy_that_cannot_be_applied_stops_nobody(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = refusing(monkeypatch)
    items = stream("lena", "mina")[:60]
    await world.receive(items[:30])
    policies = PolicyStore(world.database)
    for kol_id in ("lena", "mina"):
        await policies.record(kol_id, {"sensitivity": 5.0}, "mai", world.clock.now())
    await world.receive(items[30:])
    pipeline = world.pipeline()
    await pipeline.start()
    await finished(pipeline, items)
    assert pipeline.faults.held == set()
    assert pipeline.progress.policy_change == 2
    broken.clear()
    await pipeline.stop()
    (found,) = await FaultStore(world.database).set_aside(5)
    assert (found.kind, found.kol_id) == (SetAsideKind.POLICY_CHANGE, "lena")
    restarted = world.pipeline()
    await restarted.start()
    await restarted.stop()
    for live in (pipeline.live, restarted.live):  # both judge by the same
        assert live.engine.policy("lena").sensitivity == Policy().sensitivity
        assert live.engine.policy("mina").sensitivity == 5.0
    assert await policies.of_kol("lena") == []


async def test_a_policy_that_can_be_applied_no_more_does_not_keep_the_service_from_starting(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = stream("lena", "mina")[:40]
    await world.receive(items[:20])
    await PolicyStore(world.database).record("lena", {"sensitivity": 5.0}, "mai", world.clock.now())
    await world.receive(items[20:])
    pipeline = world.pipeline()
    await pipeline.start()
    await finished(pipeline, items)
    await pipeline.stop()
    assert pipeline.live.engine.policy("lena").sensitivity == 5.0
    refusing(monkeypatch)
    restarted = world.pipeline()
    await restarted.start()
    assert restarted.alive
    await restarted.stop()
    (found,) = await FaultStore(world.database).set_aside(5)
    assert (found.kind, found.kol_id) == (SetAsideKind.POLICY_CHANGE, "lena")
