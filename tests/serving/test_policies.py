"""What people set for a KOL: in force from its place in the log, and again when rebuilt."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from monitoring.policy import Policy
from serving.cli import main as cli
from serving.clock import TestClock
from serving.errors import NotFound, StoreError
from serving.pipeline.pipeline import Pipeline
from serving.storage.database import Database
from serving.storage.policy_store import PolicyStore, effective
from serving.storage.step_store import StepStore
from serving.storage.tables import idle_marks
from tests.serving.conftest import NOW, NewUrl
from tests.serving.final_state import final
from tests.serving.test_pipeline import STORM, PipelineWorld, process_all, reasons, stormy

INSENSITIVE: dict[str, float | None] = {"sensitivity": 1e-30}
BACK: dict[str, float | None] = {"sensitivity": None}


@pytest.fixture
async def world(new_url: NewUrl) -> AsyncIterator[PipelineWorld]:
    database = Database(new_url())
    yield PipelineWorld(database, TestClock(STORM + timedelta(days=2)))
    await database.close()


async def change(world: PipelineWorld, overrides: dict[str, float | None]) -> None:
    await PolicyStore(world.database).record("lena", overrides, "an", world.clock.now())


async def test_late_comments_are_judged_by_the_policy_of_their_minute(
    world: PipelineWorld, new_url: NewUrl
) -> None:
    """Whatever came in before the change and whatever after it."""
    items = stormy(timedelta(hours=3))
    calm = len(stormy(timedelta(minutes=-60)))
    found = []
    for late in ([], list(range(100, calm - 1, 7))):
        other = PipelineWorld(Database(new_url()), world.clock)
        await other.receive([item for at, item in enumerate(items[:calm]) if at not in late])
        pipeline = other.pipeline()
        await process_all(pipeline)
        await change(other, {"sensitivity": 1e-9})
        await other.receive(items[calm:])
        await process_all(pipeline)
        await other.receive([items[at] for at in late])
        pipeline.wake()
        await process_all(pipeline)
        found.append(await final(other.database))
        await other.database.close()
    prompt, delayed = found
    assert prompt["alerts"]
    assert delayed == prompt


async def rebuilt(world: PipelineWorld, pipeline: Pipeline) -> dict[str, list[tuple[Any, ...]]]:
    """What comes of it when all is forgotten; without ids that count up."""
    await StepStore(world.database).clear_derived()
    await process_all(pipeline)
    return plain(await world.derived())


def plain(derived: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    return derived | {"alert_events": [row[1:] for row in derived["alert_events"]]}


async def test_a_change_holds_from_its_place_in_the_log(world: PipelineWorld) -> None:
    items = stormy(timedelta(minutes=20))
    calm = len(stormy(timedelta()))
    await world.receive(items[:calm])
    await change(world, INSENSITIVE)
    await world.receive(items[calm:])
    await process_all(world.pipeline())
    derived = await world.derived()
    assert derived["alerts"] == []
    before, after = (derived["minute_scores"][place][-1] for place in (0, -1))
    assert after["share_shift"][2] > before["share_shift"][2] + 50
    assert await rebuilt(world, world.pipeline(batch_size=41)) == plain(derived)


async def test_comments_that_wait_are_judged_as_before(world: PipelineWorld) -> None:
    """A change that comes while the pipeline is behind does not overtake what waits."""
    items = stormy(timedelta(minutes=20))
    await world.receive(items)
    await change(world, INSENSITIVE)
    await process_all(world.pipeline())
    assert (await world.derived())["alerts"]


async def test_a_change_beside_idle_marks_is_repeated_at_its_place(world: PipelineWorld) -> None:
    world.clock = TestClock(STORM + timedelta(minutes=20))
    await world.receive(stormy(timedelta(minutes=20)))
    pipeline = world.pipeline()
    await process_all(pipeline)
    for overrides in ({"critical_ratio": 2.0}, INSENSITIVE, BACK):
        world.clock.advance(timedelta(minutes=10))
        await process_all(pipeline)
        await change(world, overrides)
        world.clock.advance(timedelta(minutes=10))
        await process_all(pipeline)
    while "resolved" not in await reasons(world):
        world.clock.advance(timedelta(minutes=10))
        assert world.clock.now() < STORM + timedelta(days=3)
        await process_all(pipeline)
    changes = await PolicyStore(world.database).of_kol("lena")
    async with world.database.read() as connection:
        marks = list((await connection.execute(select(idle_marks.c.id))).scalars())
    places = [one.after_mark for one in changes]
    assert [mark is not None and 0 < mark < marks[-1] for mark in places] == [True] * 3
    assert len(set(places)) == 3
    before = plain(await world.derived())
    world.clock.advance(timedelta(days=100))
    assert await rebuilt(world, world.pipeline()) == before
    assert await PolicyStore(world.database).of_kol("lena") == changes


async def test_a_new_process_keeps_the_policy_of_the_old_one(
    world: PipelineWorld, new_url: NewUrl
) -> None:
    items = stormy(timedelta(minutes=20))
    outcomes = []
    for interrupted in (False, True):
        other = PipelineWorld(Database(new_url()), world.clock)
        pipeline = other.pipeline(batch_size=50)
        for part in (items[:200], items[200:300], items[300:]):
            await other.receive(part)
            await process_all(pipeline)
            await change(other, {"sensitivity": 0.1, "minimum_negative": float(len(part))})
            if interrupted:
                pipeline = other.pipeline(batch_size=50)
                await pipeline._restore()
        outcomes.append(plain(await other.derived()))
        await other.database.close()
    assert outcomes[0] == outcomes[1]


async def test_a_step_that_fails_applies_no_policy(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.receive(stormy(timedelta(hours=-19)))
    pipeline = world.pipeline()
    await process_all(pipeline)
    await change(world, {"sensitivity": 0.1})

    async def refuse(*_: object, **__: object) -> None:
        raise StoreError("no")

    with monkeypatch.context() as patch:
        patch.setattr(StepStore, "commit", refuse)
        with pytest.raises(StoreError):
            await pipeline.step()
    await pipeline._restore()
    assert pipeline.live.engine.policy("lena") == Policy()
    await process_all(pipeline)
    assert pipeline.live.engine.policy("lena") == Policy(sensitivity=0.1)
    assert pipeline.progress.policy_change == 1


async def test_later_changes_win_and_null_takes_back(world: PipelineWorld) -> None:
    await world.receive(stormy(timedelta(hours=-19)))
    for overrides in ({"sensitivity": 0.5, "critical_share": 0.3}, {"sensitivity": 2.0}, BACK):
        await change(world, overrides)
    changes = await PolicyStore(world.database).of_kol("lena")
    assert effective(Policy(), changes[:2]) == Policy(sensitivity=2.0, critical_share=0.3)
    assert effective(Policy(), changes) == Policy(critical_share=0.3)
    with pytest.raises(NotFound, match="no KOL 'nobody'"):
        await PolicyStore(world.database).record("nobody", INSENSITIVE, "an", NOW)


def test_over_http(
    client: TestClient, item: Callable[..., dict[str, Any]], processed: Callable[[], None]
) -> None:
    client.post("/v1/comments", json=item())
    processed()
    standard = client.get("/v1/kols/lena").json()["policy"]
    assert (standard["overridden"], standard["in_force"]) == ({}, True)
    body = {"sensitivity": 0.5, "critical_negative": 20, "actor": "An"}
    answer = client.put("/v1/kols/lena/policy", json=body)
    assert answer.status_code == 200
    set_by = {"actor": "An", "at": NOW.isoformat().replace("+00:00", "Z")}
    shown = client.get("/v1/kols/lena").json()["policy"]
    assert shown["effective"] == standard["effective"] | {
        "sensitivity": 0.5,
        "critical_negative": 20.0,
    }
    assert shown["overridden"] == {
        "sensitivity": {"value": 0.5} | set_by,
        "critical_negative": {"value": 20.0} | set_by,
    }
    client.put("/v1/kols/lena/policy", json={"sensitivity": None, "actor": "Binh"})
    history = client.get("/v1/kols/lena/policy").json()
    assert list(history["overridden"]) == ["critical_negative"]
    assert [(one["actor"], one["overrides"]) for one in history["changes"]] == [
        ("Binh", {"sensitivity": None}),
        ("An", {"sensitivity": 0.5, "critical_negative": 20.0}),
    ]
    assert client.put("/v1/kols/nobody/policy", json=body).status_code == 404


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({"sensitivity": 0, "actor": "An"}, "sensitivity", "greater than 0"),
        ({"sensitivity": "low", "actor": "An"}, "sensitivity", "valid number"),
        ({"critical_share": 1.2, "actor": "An"}, "critical_share", "less than or equal to 1"),
        ({"hold": 3, "actor": "An"}, "hold", "not permitted"),
        ({"actor": "An"}, "body", "give at least one of sensitivity"),
    ],
)
def test_a_bad_policy_names_its_field_and_the_fix(
    client: TestClient, body: dict[str, Any], field: str, says: str
) -> None:
    client.put("/v1/kols/lena", json={})
    answer = client.put("/v1/kols/lena/policy", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert says in answer.json()["detail"]
    assert client.get("/v1/kols/lena").json()["policy"]["overridden"] == {}


def test_the_command_line_asks_for_something_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["kols", "set", "lena"]) == 2
    assert "give at least one setting" in capsys.readouterr().err
