"""How late the comments of each KOL and platform arrive: learnt with the steps, then shown."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from model.classifier import SentimentClassifier
from monitoring.policy import Policy
from serving.app import create_app
from serving.clock import TestClock
from serving.errors import StoreError
from serving.pipeline.presence import Presences
from serving.settings import Settings
from serving.storage.database import Database
from serving.storage.delay_store import DelayStore
from serving.storage.pipeline_step import PipelineStep
from serving.storage.step_store import StepStore
from serving.storage.tables import source_delays
from tests.serving.conftest import NOW, NewUrl
from tests.serving.fake_silent_kols import FakeSilentKols
from tests.serving.streams import storm, wait_until_processed
from tests.serving.test_pipeline import Failures, PipelineWorld, process_all, reasons

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def written(at: datetime, platform: str, number: int, kol_id: str = "lena") -> dict[str, Any]:
    return {
        "platform": platform,
        "comment_id": f"{kol_id}-{platform}-{at.isoformat()}-{number}",
        "kol_id": kol_id,
        "text": "love it",
        "created_at": at.isoformat(),
    }


def hour_of_comments(now: datetime) -> list[dict[str, Any]]:
    """Lena's comments at a full hour: instagram was polled, youtube came at once."""
    polled = [written(now - minutes * MINUTE, "instagram", 0) for minutes in range(60)]
    live = [written(now - timedelta(seconds=seconds), "youtube", 0) for seconds in range(10)]
    return polled + live


@pytest.fixture
async def world(new_url: NewUrl) -> AsyncIterator[PipelineWorld]:
    database = Database(new_url())
    yield PipelineWorld(database, TestClock(NOW))
    await database.close()


async def hours(world: PipelineWorld, count: int) -> None:
    pipeline = world.pipeline()
    await pipeline._restore()
    for _ in range(count):
        await world.receive(hour_of_comments(world.clock.now()))
        await process_all(pipeline)
        world.clock.advance(HOUR)


async def rows(world: PipelineWorld) -> list[tuple[Any, ...]]:
    async with world.database.read() as connection:
        statement = select(source_delays).order_by(*source_delays.primary_key.columns)
        return [tuple(row) for row in await connection.execute(statement)]


async def test_a_polled_and_a_live_platform(world: PipelineWorld) -> None:
    store = DelayStore(world.database)
    await hours(world, 2)
    (instagram, _) = (await store.of_kols(["lena"]))["lena"]
    assert (instagram.comments, instagram.least, instagram.most) == (120, None, None)
    assert await store.of_platforms(9) == []
    await hours(world, 4)
    instagram, youtube = (await store.of_kols(["lena", "mina"]))["lena"]
    assert (instagram.platform, instagram.comments) == ("instagram", 360)
    assert 4 * MINUTE < instagram.least < 8 * MINUTE
    assert 50 * MINUTE < instagram.most < 60 * MINUTE
    assert instagram.last_received_at == world.clock.now() - HOUR
    assert (youtube.platform, youtube.comments) == ("youtube", 60)
    assert youtube.most < timedelta(seconds=10)
    assert (await store.of_kols(["mina"])) == {"mina": []}
    steps, now = StepStore(world.database), world.clock.now()
    assert await steps.slowest_delays(["lena", "mina"], now) == {"lena": instagram.most}
    assert await steps.slowest_delays(["lena"], now + 7 * DAY) == {}


async def test_the_platform_is_summed_over_its_kols(world: PipelineWorld) -> None:
    pipeline = world.pipeline()
    for _ in range(5):
        now = world.clock.now()
        await world.receive(
            [written(now - 30 * MINUTE, "tiktok", n, "lena") for n in range(3)]
            + [written(now - 2 * HOUR, "tiktok", n, "mina") for n in range(1)]
            + [written(now - HOUR, "x", n, "mina") for n in range(9)]
        )
        await process_all(pipeline)
        world.clock.advance(HOUR)
    store = DelayStore(world.database)
    x, tiktok = await store.of_platforms(9)
    assert (x.platform, x.comments, tiktok.platform, tiktok.comments) == ("x", 45, "tiktok", 20)
    assert 25 * MINUTE < tiktok.least < 35 * MINUTE
    assert 100 * MINUTE < tiktok.most < 140 * MINUTE
    assert [one.platform for one in await store.of_platforms(1)] == ["x"]


async def test_history_teaches_nothing_and_a_fast_clock_counts_as_at_once(
    world: PipelineWorld,
) -> None:
    pipeline = world.pipeline()
    for _ in range(4):
        now = world.clock.now()
        await world.receive(
            [written(now - 7 * DAY - timedelta(seconds=1), "instagram", n) for n in range(50)]
            + [written(now + timedelta(seconds=30), "instagram", 0)]
        )
        await process_all(pipeline)
        world.clock.advance(HOUR)
    (source,) = (await DelayStore(world.database).of_kols(["lena"]))["lena"]
    assert source.comments == 4
    assert source.most < timedelta(seconds=1)


async def test_a_rebuild_learns_the_same(world: PipelineWorld) -> None:
    await hours(world, 5)
    expected = await rows(world)
    assert len(expected) == 4
    await StepStore(world.database).clear_derived()
    assert await rows(world) == []
    await process_all(world.pipeline())
    assert await rows(world) == expected


async def test_a_row_is_written_once_a_minute_and_what_waits_is_not_lost(
    world: PipelineWorld,
) -> None:
    steps = StepStore(world.database)
    store, known = DelayStore(world.database), []
    for number in range(9):
        await world.receive([written(world.clock.now() - MINUTE, "instagram", number)])
        batch = await world.log.after((await steps.progress()).seq, 9)
        await steps.commit(PipelineStep(batch[-1].seq, "m", batch), await steps.progress())
        (source,) = (await store.of_kols(["lena"]))["lena"]
        known.append(source.comments)
        world.clock.advance(timedelta(seconds=20))
    assert known == [1, 1, 1, 4, 4, 4, 7, 7, 7]
    (_, of_lena) = await rows(world)
    assert sum(of_lena[4].values()) == 7


async def test_a_step_that_was_rolled_back_and_comes_again_counts_once(
    world: PipelineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = Failures(monkeypatch, "_record", 1)
    await world.receive(hour_of_comments(NOW))
    pipeline = world.pipeline()
    with pytest.raises(StoreError):
        await pipeline.step()
    assert await rows(world) == []
    await pipeline._restore()
    await process_all(pipeline)
    assert commits.failures == 0
    instagram, youtube = (await DelayStore(world.database).of_kols(["lena"]))["lena"]
    assert (instagram.comments, youtube.comments) == (60, 10)


async def test_an_alert_does_not_end_between_two_polls(world: PipelineWorld) -> None:
    """An hour of storm, of a KOL whose only platform is polled every two hours."""
    start, items = NOW, storm("lena", NOW)
    world.clock = TestClock(start)
    pipeline = world.pipeline()
    ended_at = None
    for minute in range(0, 24 * 60, 10):
        now = start + minute * MINUTE
        if minute % 120 == 60:
            due = [item for item in items if item["created_at"] <= now.isoformat()]
            items = items[len(due) :]
            await world.receive(due)
        await process_all(pipeline)
        if ended_at is None and "resolved" in await reasons(world):
            ended_at = now
        world.clock.advance(10 * MINUTE)
    assert (await reasons(world))[0] == "opened"
    # The poll at 21:00 brings the storm, the one at 23:00 that it is over.
    assert ended_at == start + 23 * HOUR


async def test_a_live_stream_beside_it_is_judged_as_fast_as_ever(world: PipelineWorld) -> None:
    """The last minute closes by the clock, however late the other platform is."""
    await hours(world, 5)
    pipeline = world.pipeline()
    await pipeline._restore()
    now = world.clock.now()
    await world.receive([written(now, "youtube", 1)])
    world.clock.advance(4 * MINUTE)
    await process_all(pipeline)
    assert (await world.derived())["minute_scores"][-1][1] // 60_000_000 * 60 == now.timestamp()


@pytest.mark.parametrize(
    ("delay", "reached"),
    [(timedelta(), 239), (HOUR, 180), (6 * HOUR, 3), (9 * HOUR, 3)],
)
def test_event_time_waits_for_the_slowest_platform(delay: timedelta, reached: int) -> None:
    silent = FakeSilentKols(opened=NOW, alerted=True)
    presences = Presences(Policy(), silent, idle_after=30 * SECOND, started=NOW - DAY)
    presences.remember("lena", created_at=NOW, received_at=NOW + MINUTE)
    later = NOW + 4 * HOUR
    assert presences.due(NOW + MINUTE, 9) == []
    assert presences.due(later, 9) == presences.without_delay(["lena"]) == ["lena"]
    presences.set_delay("lena", delay)
    assert presences.without_delay(["lena"]) == []
    mark = presences.idle_mark("lena", later)
    assert mark is not None
    assert mark.reached == NOW + reached * MINUTE
    far = NOW + 20 * HOUR
    mark = presences.idle_mark("lena", far)
    assert mark is not None
    assert mark.reached == min(far - MINUTE, far - min(delay, 6 * HOUR))
    silent.alerted = False
    mark = presences.idle_mark("lena", far)
    assert mark is not None
    assert mark.reached == NOW + 3 * MINUTE


def test_readers_see_it(settings: Settings, classifier: SentimentClassifier) -> None:
    clock = TestClock(NOW)
    with TestClient(create_app(settings, classifier=classifier, clock=clock)) as client:
        client.put("/v1/kols/mina", json={})
        for _ in range(4):
            client.post("/v1/comments", json=hour_of_comments(clock.now()))
            wait_until_processed(client)
            if clock.now() == NOW:
                sources = client.get("/v1/kols/lena").json()["sources"]
                assert [one["says"] for one in sources] == ["not known yet"] * 2
            clock.advance(HOUR)
        instagram, youtube = client.get("/v1/kols/lena").json()["sources"]
        assert (instagram["platform"], instagram["comments"]) == ("instagram", 240)
        assert 300 < instagram["delay_p10_seconds"] < 400
        assert 3000 < instagram["delay_p90_seconds"] < 3500
        assert instagram["says"] == "arrives 6 to 54 minutes late"
        assert youtube["says"] == "arrives within a minute"
        lena, mina = client.get("/v1/kols").json()["items"]
        assert lena["sources"] == [instagram, youtube]
        assert client.put("/v1/kols/lena", json={}).json()["sources"] == [instagram, youtube]
        assert mina["sources"] == []
        text = client.get("/metrics").text
        for platform, quantile, value in (
            ("instagram", "0.1", instagram["delay_p10_seconds"]),
            ("instagram", "0.9", instagram["delay_p90_seconds"]),
            ("youtube", "0.9", youtube["delay_p90_seconds"]),
        ):
            labels = f'{{platform="{platform}",quantile="{quantile}"}}'
            assert f"groundswell_source_delay_seconds{labels} {value}" in text
