"""The pipeline goes on after whatever fails, and one comment or KOL never stops the others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from model.errors import ModelError
from model.types import Prediction
from monitoring.engine import Engine
from serving.clock import TestClock
from serving.pipeline.faults import KolFailure, StepFaults
from serving.pipeline.pipeline import Pipeline
from serving.pipeline.rerunner import Rerunner
from serving.storage.database import Database
from serving.storage.step_store import StepStore
from tests.serving.conftest import NewUrl
from tests.serving.pipeline_world import PipelineWorld, StubScorer, process_all
from tests.serving.streams import storm

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(hours=22)
MINUTE = timedelta(minutes=1)
COMPARED = ("scores", "minutes", "minute_scores", "alerts")


@pytest.fixture
async def world(new_url: NewUrl, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PipelineWorld]:
    monkeypatch.setattr("serving.pipeline.step_loop._FIRST_BACKOFF", 0.001)
    monkeypatch.setattr("serving.pipeline.step_loop._LAST_BACKOFF", 0.01)
    monkeypatch.setattr("serving.pipeline.step_loop._LAST_ISOLATING", 0.01)
    monkeypatch.setattr("serving.pipeline.step_loop._TICK", 0.01)
    monkeypatch.setattr("serving.pipeline.rerunner._FIRST_PAUSE", 0.02)
    monkeypatch.setattr("serving.pipeline.rerunner._LAST_PAUSE", 0.02)
    database = Database(new_url())
    with structlog.testing.capture_logs():  # tracebacks take long to print
        yield PipelineWorld(database, TestClock(END + timedelta(days=2)))
    await database.close()


def stream(*kol_ids: str) -> list[dict[str, Any]]:
    """The storms of some KOLs, mixed, in order of time."""
    items = [item for kol_id in kol_ids for item in storm(kol_id, START)]
    kept = [one for one in items if datetime.fromisoformat(one["created_at"]) < END]
    return sorted(kept, key=lambda one: str(one["created_at"]))


async def expected_of(world: PipelineWorld) -> dict[str, list[tuple[Any, ...]]]:
    """What an undisturbed pipeline derives; nothing of it is left."""
    await process_all(world.pipeline())
    found = await world.derived()
    await StepStore(world.database).clear_derived()
    return found


async def until(pipeline: Pipeline, is_reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_reached():
            await asyncio.sleep(0.01)


async def finished(pipeline: Pipeline, items: list[dict[str, Any]]) -> None:
    await until(pipeline, lambda: pipeline.progress.seq == len(items) and pipeline.alive)


def of(kol_id: str, found: dict[str, list[tuple[Any, ...]]], table: str) -> list[tuple[Any, ...]]:
    return [row for row in found[table] if kol_id in row]


def errors(pipeline: Pipeline) -> float:
    registry = pipeline._metrics.registry
    labels = {"worker": "pipeline"}
    return registry.get_sample_value("groundswell_worker_errors_total", labels) or 0


class Breaking:
    """Makes `Engine.observe` fail on some comments, as often as is said."""

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        error: Exception,
        where: Callable[[Any], bool],
        times: float = float("inf"),
    ) -> None:
        self.times = times
        real = Engine.observe

        def observe(engine: Engine, scored: Any, *more: Any) -> Any:
            found = real(engine, scored, *more)  # the engine is half a step further
            if self.times > 0 and where(scored.comment):
                self.times -= 1
                raise error
            return found

        patch.setattr(Engine, "observe", observe)


@pytest.mark.parametrize("error", [RuntimeError("no"), MemoryError()])
async def test_an_unexpected_exception_is_followed_by_a_step_from_the_last_commit(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    items = stream("lena")
    await world.receive(items)
    expected = await expected_of(world)
    middle = items[len(items) // 2]["comment_id"]
    Breaking(monkeypatch, error, lambda comment: comment.comment_id == middle, times=2)
    pipeline = world.pipeline()
    await pipeline.start()
    await finished(pipeline, items)
    await pipeline.stop()
    found = await world.derived()
    assert {name: found[name] for name in COMPARED} == {name: expected[name] for name in COMPARED}
    assert errors(pipeline) == 2
    assert pipeline.faults.held == set()


async def test_a_kol_that_fails_every_time_stops_nobody_and_is_judged_once_it_can_be(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = stream("lena", "mina")
    await world.receive(items)
    expected = await expected_of(world)
    fault = Breaking(monkeypatch, RuntimeError("no"), lambda comment: comment.kol_id == "mina")
    rerun, broken = Rerunner._rerun, [True]

    async def failing(self: Rerunner, pending: Any) -> AsyncIterator[None]:
        if broken and pending.changed.kol_id == "mina":
            raise RuntimeError("neither")
        async for _ in rerun(self, pending):
            yield

    monkeypatch.setattr(Rerunner, "_rerun", failing)
    pipeline = world.pipeline()
    with structlog.testing.capture_logs() as logs:
        await pipeline.start()
        await finished(pipeline, items)
    found = await world.derived()
    for table in ("minute_scores", "alerts"):
        assert of("lena", found, table) == of("lena", expected, table) != []
        assert of("mina", found, table) == []
    assert found["scores"] == expected["scores"]
    assert pipeline.faults.held == {"mina"}
    assert [line["kol"] for line in logs if line["event"] == "kol_held"] == ["mina"]
    fault.times = 0
    broken.clear()
    await until(pipeline, lambda: pipeline.faults.held == set())
    await pipeline.stop()
    found = await world.derived()
    for table in ("minute_scores", "minutes"):
        assert found[table] == expected[table], table
    assert len(found["alerts"]) == len(expected["alerts"])
    assert [row[0] for row in found["alerts"]] == [row[0] for row in expected["alerts"]]


async def test_a_rerun_that_fails_every_time_does_not_stop_others(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, later = stream("lena")[:-1], stream("mina")
    late = [{**first.pop(5), "comment_id": "late"}]
    await world.receive(first)
    rerun = Rerunner._rerun

    async def failing(self: Rerunner, pending: Any) -> AsyncIterator[None]:
        if pending.changed.kol_id == "lena":
            raise MemoryError
        async for _ in rerun(self, pending):
            yield

    monkeypatch.setattr(Rerunner, "_rerun", failing)
    pipeline = world.pipeline()
    await pipeline.start()
    await finished(pipeline, first)
    await world.receive(late)
    await world.receive(later)
    pipeline.wake()
    await finished(pipeline, first + late + later)
    await until(pipeline, lambda: errors(pipeline) > 2)
    assert pipeline.alive
    await pipeline.stop()
    assert of("mina", await world.derived(), "alerts")


async def test_a_silence_that_always_fails_is_tried_less_and_less_often(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.pipeline.rerunner._FIRST_PAUSE", 30.0)
    monkeypatch.setattr("serving.pipeline.rerunner._LAST_PAUSE", 3600.0)
    now, broken, silence = [1000.0], [True], Engine.silence
    monkeypatch.setattr("serving.pipeline.rerunner.monotonic", lambda: now[0])

    def failing(engine: Engine, kol_id: str, until: datetime) -> Any:
        if broken:
            raise RuntimeError("no")
        return silence(engine, kol_id, until)

    monkeypatch.setattr(Engine, "silence", failing)
    world.clock.advance(END + MINUTE - world.clock.now())
    await world.receive(stream("lena")[-40:])
    pipeline = world.pipeline()
    await process_all(pipeline)
    world.clock.advance(timedelta(minutes=10))

    async def held_again() -> float:
        """Go on until the silence has failed once more; how long it is held then."""
        while True:
            try:
                await pipeline._go_back()
                assert await pipeline.step()
            except KolFailure as error:
                await pipeline._failed(error)
                if pipeline.faults.held:
                    break
        pause = pipeline._rerunner._postponed["lena"] - now[0]
        while await pipeline.step():
            pass
        assert pipeline.faults.held == {"lena"}  # until then
        now[0] += pause
        return pause

    pauses = [await held_again() for _ in range(9)]
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    broken.clear()
    await process_all(pipeline)
    assert pipeline.faults.held == set()
    assert pipeline._rerunner._pauses == {}


class Choosy(StubScorer):
    """Fails on every batch with one text in it, or on everything."""

    down = False

    async def predict(self, texts: list[str]) -> list[Prediction]:
        if self.down or any("poison" in text for text in texts):
            raise ModelError("cannot")
        return await super().predict(texts)


async def test_a_comment_that_cannot_be_scored_is_set_aside(world: PipelineWorld) -> None:
    items = stream("lena")
    for place in (300, 301, 302):
        items[place] = {**items[place], "text": f"poison {place}"}
    await world.receive(items)
    world.scorer = Choosy()
    pipeline = world.pipeline()
    await pipeline.start()
    await finished(pipeline, items)
    await pipeline.stop()
    scored = {row[0] for row in (await world.derived())["scores"]}
    assert set(range(1, len(items) + 1)) - scored == {301, 302, 303}
    value = pipeline._metrics.registry.get_sample_value("groundswell_comments_set_aside_total")
    assert value == pipeline.faults.set_aside == 3
    assert pipeline.faults.limit > 1


async def test_a_model_that_is_down_sets_nothing_aside(world: PipelineWorld) -> None:
    items = stream("lena")[:40]
    await world.receive(items)
    world.scorer = scorer = Choosy()
    scorer.down = True
    pipeline = world.pipeline(batch_size=1)
    await pipeline.start()
    await asyncio.sleep(0.3)
    assert pipeline.progress.seq == 0
    assert not pipeline.alive
    scorer.down = False
    await finished(pipeline, items)
    await pipeline.stop()
    assert pipeline.faults.set_aside == 0
    assert len((await world.derived())["scores"]) == len(items)


async def test_a_comment_that_cannot_be_stored_is_set_aside(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = stream("lena")
    items[300] = {**items[300], "text": "poison"}
    await world.receive(items)
    commit = StepStore.commit

    async def failing(self: StepStore, step: Any, before: Any) -> Any:
        if any(scored.comment.text == "poison" for _, scored in step.scored):
            raise TypeError("no such value")
        return await commit(self, step, before)

    monkeypatch.setattr(StepStore, "commit", failing)
    pipeline = world.pipeline()
    await pipeline.start()
    await finished(pipeline, items)
    await pipeline.stop()
    assert pipeline.faults.set_aside == 1
    assert len((await world.derived())["scores"]) == len(items) - 1


@pytest.mark.parametrize("place", ["_restore", "_pass_over"])
async def test_the_loop_continues_if_setting_aside_fails_itself(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    items = stream("lena")[:40]
    items[20] = {**items[20], "text": "poison"}
    await world.receive(items)
    world.scorer = Choosy()
    pipeline = world.pipeline(batch_size=1)
    await pipeline.start()
    real, fails = getattr(pipeline, place), [RuntimeError("no"), MemoryError()]

    async def failing(*arguments: Any) -> Any:
        if fails:
            raise fails.pop()
        return await real(*arguments)

    monkeypatch.setattr(pipeline, place, failing)
    await finished(pipeline, items)
    await pipeline.stop()
    assert fails == []
    assert errors(pipeline) >= 2
    assert pipeline.faults.set_aside == 1


def test_failures_of_a_kol_are_forgiven_after_a_success() -> None:
    faults = StepFaults(8)
    failure = KolFailure("lena", RuntimeError())
    for _ in range(2):
        assert not faults.failed(failure)
    faults.succeeded()
    for _ in range(2):
        faults.failed(failure)
    assert faults.held == set()
    faults.failed(failure)
    assert faults.held == {"lena"}
    faults.judged_again("lena")
    faults.succeeded()
    faults.failed(failure)  # it fails as it did before
    assert faults.held == {"lena"}
