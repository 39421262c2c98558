"""50,000 KOLs fall silent at once: no step costs more for it, and comments are next in turn."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.engine import Engine
from monitoring.events import Comment, ScoredComment
from monitoring.snapshot import decode, encode
from serving.clock import TestClock
from serving.storage.database import Database
from serving.storage.instants import to_micros
from serving.storage.pipeline_step import PipelineStep
from serving.storage.step_store import StepStore
from tests.serving.attacks.loop_watchdog import LIMIT
from tests.serving.conftest import NOW
from tests.serving.pipeline_world import PipelineWorld

KOLS, MOST = 50_000, 100  # and the most that a step may touch
UNLIKE = (
    2000  # KOLs with states of their own; all others share one, because reading them takes long
)
STATUS = (
    '{"kol_id": "?", "watermark": null, "score": 0.0, "negative_share": 0.1, "mood": 0.1,'
    ' "expected_negative_share": 0.1, "comments_per_hour": 1.0, "expected_comments_per_hour": 0.0,'
    ' "alert_id": null, "severity": null, "late": 0, "duplicates": 0, "learning": true}'
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PipelineWorld]:
    """A database in which each of many KOLs got a comment a minute ago."""
    path = tmp_path / "many.db"
    database = Database(f"sqlite:///{path}")
    await asyncio.to_thread(database.upgrade)
    engine, written = Engine(), NOW - timedelta(minutes=1)
    comment = Comment("instagram", "c", "x", "love it", written)
    engine.observe(ScoredComment(comment, 0.1, 0.1, 0.8, 0.0), NOW)
    state, at = decode("x", engine.snapshot("x")), to_micros(written)
    ids = [f"kol-{number}" for number in range(KOLS)]
    rows = sqlite3.connect(path)
    with rows:
        rows.executemany(
            "INSERT INTO engine_states (kol_id, status, last_created_at, last_received_at, step)"
            " VALUES (?, ?, ?, ?, 1)",
            ((kol_id, STATUS.replace("?", kol_id), at, at) for kol_id in ids),
        )
        rows.executemany(
            "INSERT INTO engine_snapshots (kol_id, snapshot) VALUES (?, ?)",
            ((kol_id, encode(kol_id, state)) for kol_id in ids),
        )
    rows.close()
    yield PipelineWorld(database, TestClock(NOW + timedelta(minutes=10)))
    await database.close()


def watch(patch: pytest.MonkeyPatch, steps: list[PipelineStep], longest: list[float]) -> None:
    """Keep what is committed, and the longest time that the loop was kept since the last entry."""
    commit, run = StepStore.commit, asyncio.Handle._run

    async def kept(store: StepStore, step: PipelineStep, *more: Any) -> Any:
        steps.append(step)
        return await commit(store, step, *more)

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        if longest:
            longest[-1] = max(longest[-1], time.thread_time() - began)

    patch.setattr(StepStore, "commit", kept)
    patch.setattr(asyncio.Handle, "_run", timed)


def item(kol_id: str, at: datetime) -> dict[str, Any]:
    return {
        "platform": "instagram",
        "comment_id": "new",
        "kol_id": kol_id,
        "text": "love it",
        "created_at": at.isoformat(),
    }


async def test_no_step_touches_all_of_50_000_kols(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = world.pipeline()
    steps, longest = list[PipelineStep](), list[float]()
    watch(monkeypatch, steps, longest)
    restore = Engine.restore

    def shared(engine: Engine, kol_id: str, data: bytes) -> None:
        if len(engine._monitors) < UNLIKE:
            restore(engine, kol_id, data)
            return
        one = next(iter(engine._monitors))
        engine._monitors[kol_id] = engine._monitors[one]
        engine._counters[kol_id] = engine._counters[one]

    monkeypatch.setattr(Engine, "restore", shared)
    await pipeline._restore()
    for _ in range(10):
        longest.append(0.0)
        assert await pipeline.step()
    taken = {mark.kol_id for step in steps for mark in step.new_marks}
    assert len(taken) == 10 * MOST  # each another one
    assert all(len(step.states) <= MOST >= len(step.saved) for step in steps)
    assert min(longest[-10:]) < LIMIT  # the machine may do something else meanwhile

    steps.clear()
    await world.receive([item("kol-49999", world.clock.now())])
    assert await pipeline.step()
    assert [logged.comment.kol_id for step in steps for logged in step.received] == ["kol-49999"]
    assert [state.kol_id for step in steps for state in step.states] == ["kol-49999"]
