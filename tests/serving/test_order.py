"""Neither order nor delay nor batching changes what is finally derived from the same comments."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from monitoring.event_time import moment_of
from monitoring.kinds import Reason
from monitoring.near_duplicates import KEPT
from serving.clock import TestClock
from serving.storage.database import Database
from serving.storage.instants import from_micros
from serving.storage.step_store import LATE_HORIZON, StepStore
from serving.storage.tables import checkpoints, minute_scores
from tests.serving.conftest import NewUrl
from tests.serving.final_state import final
from tests.serving.pipeline_world import PipelineWorld, process_all
from tests.serving.streams import storm
from tests.serving.thoroughness import examples

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Items = list[dict[str, Any]]


@pytest.fixture
async def world(new_url: NewUrl) -> AsyncIterator[PipelineWorld]:
    database = Database(new_url())
    yield PipelineWorld(database, TestClock(START + timedelta(days=30)))
    await database.close()


async def processed(world: PipelineWorld, items: Items, batch_size: int = 256) -> dict[str, Any]:
    await world.receive(items)
    await process_all(world.pipeline(batch_size))
    return await final(world.database)


@pytest.fixture
def items() -> Items:
    return storm("lena", START, days=3, storm_after=timedelta(hours=40))


async def test_newest_first_gives_what_oldest_first_gives(
    world: PipelineWorld, new_url: NewUrl, items: Items
) -> None:
    expected = await processed(world, items)
    assert "critical" in [row[2] for row in expected["alerts"]]
    other = PipelineWorld(Database(new_url()), world.clock)
    assert await processed(other, items[::-1], 100) == expected
    await other.database.close()


async def test_the_newest_comment_may_come_after_silence_closed_its_minute(
    world: PipelineWorld,
) -> None:
    world.clock = TestClock(START)
    pipeline = world.pipeline()
    first, second = (
        item | {"created_at": (START + timedelta(seconds=seconds)).isoformat()}
        for item, seconds in zip(storm("lena", START)[:2], (10, 50), strict=True)
    )
    world.clock.advance(timedelta(seconds=15))
    await world.receive([first])
    await process_all(pipeline)
    world.clock.advance(5 * MINUTE)
    await process_all(pipeline)
    await world.receive([second])
    await process_all(pipeline)
    async with world.database.read() as connection:
        counted = (await connection.execute(select(minute_scores.c.comments))).scalars().all()
    assert counted == [2]


async def test_what_happens_at_the_end_of_an_hour_is_kept_if_its_next_comment_is_late(
    world: PipelineWorld, new_url: NewUrl, items: Items
) -> None:
    expected = await processed(world, items)
    (end,) = (from_micros(row[4]) for row in expected["events"] if row[3] == Reason.RESOLVED)
    assert end.minute == 0
    before = [item for item in items if created(item) < end]
    late, *after = items[len(before) :]
    ahead = next(item for item in after if created(item) > created(late) + 20 * MINUTE)
    other = PipelineWorld(Database(new_url()), world.clock)
    pipeline = other.pipeline()
    for part in (before, [ahead], [late], [item for item in after if item is not ahead]):
        await other.receive(part)
        await process_all(pipeline)
    assert await final(other.database) == expected
    await other.database.close()


def created(item: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(item["created_at"])


@dataclass(frozen=True, slots=True)
class ArrivalPlan:
    """How the comments of a stream come in.

    Attributes:
        seed: of all that is drawn.
        delay: most minutes that a comment comes after it was written; None shuffles all.
        late_share: share of the comments that are delayed.
        batch_size: comments a step.
        chunk: most comments that are received at once.
        restarts: how often the process is started anew.
    """

    seed: int
    delay: int | None
    late_share: float
    batch_size: int
    chunk: int
    restarts: int


arrivals = st.builds(
    ArrivalPlan,
    seed=st.integers(0, 2**31),
    delay=st.sampled_from([5, 60, 24 * 60, 7 * 24 * 60, None]),
    late_share=st.sampled_from([0.01, 0.3, 1.0]),
    batch_size=st.sampled_from([7, 64, 256]),
    chunk=st.sampled_from([20, 150, 600]),
    restarts=st.integers(0, 2),
)


def arriving(items: Items, arrival: ArrivalPlan) -> list[tuple[datetime, dict[str, Any]]]:
    """The items in order of arrival, each with its instant; the last is prompt."""
    rng = random.Random(arrival.seed)
    *early, last = items
    end = datetime.fromisoformat(last["created_at"])
    found = []
    for item in early:
        written = datetime.fromisoformat(item["created_at"])
        if arrival.delay is None:
            found.append((written + (end - written) * rng.random(), item))
        else:
            late = rng.random() < arrival.late_share
            found.append((written + late * rng.random() * arrival.delay * MINUTE, item))
    if arrival.delay is None:
        instants = sorted(at for at, _ in found)
        rng.shuffle(found)
        found = [(max(end, at), item) for at, (_, item) in zip(instants, found, strict=True)]
    found.sort(key=lambda pair: pair[0])
    return [*found, (max(end, found[-1][0]), last)]


async def arrived(world: PipelineWorld, items: Items, arrival: ArrivalPlan) -> dict[str, Any]:
    """The final state after the items came in that way, with the clock going along."""
    coming = arriving(items, arrival)
    rng = random.Random(arrival.seed + 1)
    world.clock = TestClock(START)
    pipeline = world.pipeline(arrival.batch_size)
    restarts = sorted(rng.randrange(len(coming)) for _ in range(arrival.restarts))
    while coming:
        count = rng.randrange(1, arrival.chunk)
        chunk, coming = coming[:count], coming[count:]
        world.clock.advance(max(chunk[-1][0] - world.clock.now(), timedelta()))
        await world.receive([item for _, item in chunk])
        pipeline.wake()
        for _ in range(rng.randrange(12)):
            await pipeline.step()
        if restarts and len(items) - len(coming) > restarts[0]:
            restarts.pop(0)
            pipeline = world.pipeline(arrival.batch_size)
            await pipeline._restore()
    await process_all(pipeline)
    return await final(world.database)


@pytest.fixture(scope="module")
def stories() -> dict[str, Items]:
    """Streams that end long after all others, so that whatever was open is over."""
    waves = two_waves()
    pause = [
        item
        for item in storm("mina", START, days=3, storm_after=timedelta(hours=30))
        if not START + 40 * HOUR < datetime.fromisoformat(item["created_at"]) < START + 60 * HOUR
    ]
    return {"waves": [*waves, after(waves[-1])], "pause": [*pause, after(pause[-1])]}


def after(item: dict[str, Any]) -> dict[str, Any]:
    """One more comment, 30 hours later."""
    at = datetime.fromisoformat(item["created_at"]) + 30 * HOUR
    return item | {"comment_id": "last", "created_at": at.isoformat()}


@pytest.mark.parametrize("name", ["waves", "pause"])
@settings(max_examples=examples(2, 25), deadline=None, suppress_health_check=list(HealthCheck))
@given(arrival=arrivals)
async def test_whatever_way_comments_come_the_same_is_derived(
    new_url: NewUrl, stories: dict[str, Items], name: str, arrival: ArrivalPlan
) -> None:
    database = Database(new_url())
    world = PipelineWorld(database, TestClock(START))
    found = await arrived(world, stories[name], arrival)
    expected = await in_order(new_url, name, stories[name])
    for part in expected:
        assert found[part] == expected[part], part
    await StepStore(database).clear_derived()
    await process_all(world.pipeline())
    assert await final(database) == expected
    await database.close()


IN_ORDER: dict[str, dict[str, Any]] = {}


async def in_order(new_url: NewUrl, name: str, items: Items) -> dict[str, Any]:
    """The final state after every comment came when it was written."""
    if name not in IN_ORDER:
        world = PipelineWorld(Database(new_url()), TestClock(START))
        IN_ORDER[name] = await arrived(world, items, ArrivalPlan(0, 0, 0.0, 256, 600, 0))
        await world.database.close()
    return IN_ORDER[name]


async def test_checkpoints_are_kept_for_the_horizon_and_no_longer(world: PipelineWorld) -> None:
    await world.receive(storm("lena", START, days=12, storm_after=timedelta(days=40)))
    await process_all(world.pipeline())
    async with world.database.read() as connection:
        found = list(
            (
                await connection.execute(
                    select(checkpoints.c.minute).order_by(checkpoints.c.minute)
                )
            ).scalars()
        )
    newest = moment_of(found[-1])
    kept = LATE_HORIZON + 6 * HOUR
    assert newest > START + timedelta(days=11)
    assert moment_of(found[0]) <= newest - kept < moment_of(found[1])
    assert len(found) == kept // (6 * HOUR) + 1


def two_waves() -> Items:
    """A storm, and a second one ten hours after it."""
    first = storm("lena", START, days=3, storm_after=timedelta(hours=40))
    second = storm("lena", START, days=3, storm_after=timedelta(hours=51))
    wave = [item | {"comment_id": f"second-{item['comment_id']}"} for item in second]
    return [
        *(item for item in first if item["created_at"] < "2026-03-03T03"),
        *(item for item in wave if item["created_at"] >= "2026-03-03T03"),
    ]


async def test_a_second_wave_that_comes_late_belongs_to_its_alert(
    world: PipelineWorld, new_url: NewUrl
) -> None:
    items = two_waves()
    expected = await processed(world, items)
    reasons = [event[3] for event in expected["events"] if event[1] != "data_gap"]
    assert reasons[0] == "opened"
    assert {"aftershock", "reopened"} & set(reasons)
    late = [item for item in items if "2026-03-03T03" < item["created_at"] < "2026-03-03T05"]
    other = PipelineWorld(Database(new_url()), world.clock)
    await other.receive([item for item in items if item not in late])
    pipeline = other.pipeline()
    await process_all(pipeline)
    await other.receive(late)
    pipeline.wake()
    await process_all(pipeline)
    assert await final(other.database) == expected
    await other.database.close()


def edited(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"text": "worst liar, hate this scam, refund", "edited_at": item["created_at"]}


@pytest.mark.parametrize("after_steps", [0, 1000])
async def test_an_edit_counts_wherever_it_comes(
    world: PipelineWorld, new_url: NewUrl, items: Items, after_steps: int
) -> None:
    """As the only text, sent before the first is processed, or after all has been."""
    some = set(range(100, len(items), 3))
    final_items = [edited(item) if at in some else item for at, item in enumerate(items)]
    expected = await processed(world, final_items)
    other = PipelineWorld(Database(new_url()), world.clock)
    await other.receive(items)
    pipeline = other.pipeline()
    for _ in range(after_steps):
        if not await pipeline.step():
            break
    await other.receive([edited(items[at]) for at in sorted(some)])
    pipeline.wake()
    await process_all(pipeline)
    assert await final(other.database) == expected
    await other.database.close()


async def test_a_removed_comment_leaves_the_moods_and_not_the_alerts(
    world: PipelineWorld, items: Items
) -> None:
    before = await processed(world, items)
    gone = [item | {"deleted": True} for item in items if item["created_at"] > "2026-03-02T16"]
    unseen = items[0] | {"comment_id": "unseen", "text": "[deleted]"}
    await world.receive([*gone, *gone[:5], unseen])
    pipeline = world.pipeline()
    await pipeline._restore()
    await process_all(pipeline)
    after = await final(world.database)
    for part in ("windows", "alerts", "events", "scored"):
        assert after[part] == before[part], part
    counted = {row[:2]: row[2:] for row in after["minutes"]}
    assert sum(row[2] for row in before["minutes"]) == len(items)
    assert sum(row[0] for row in counted.values()) == len(items) - len(gone)
    assert sum(row[3] for row in counted.values()) == len(gone) + 1
    assert all(row[:3] == (0, 0, 0) for row in counted.values() if row[3] and not row[0])
    again = PipelineWorld(world.database, world.clock)
    await StepStore(world.database).clear_derived()
    await process_all(again.pipeline())
    rebuilt = await final(world.database)
    assert rebuilt["minutes"] == after["minutes"]
    assert rebuilt["windows"] == after["windows"]


@pytest.mark.parametrize("place", [3, 60])
async def test_a_late_text_changes_what_is_a_near_copy_long_after_it(
    world: PipelineWorld, new_url: NewUrl, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    """128 texts are remembered: with one more in between, the first is no longer among them."""
    monkeypatch.setattr("serving.pipeline.recount._COMMENTS", 10)
    rng = random.Random(3)
    texts = ["".join(rng.choices("abcdefghij", k=30)) for _ in range(KEPT)]
    items = [
        {
            "platform": "instagram",
            "comment_id": str(at),
            "kol_id": "lena",
            "text": text,
            "created_at": (START + at * 2 * MINUTE).isoformat(),
        }
        for at, text in enumerate([*texts, texts[0], *texts[5:9], *texts[70:75]])
    ]
    late = items[place] | {"comment_id": "late", "text": "k" * 30}
    expected = await processed(world, [*items[: place + 1], late, *items[place + 1 :]])
    copies = duplicate_shares(expected)
    assert 0 < sum(copies) < 10  # the first is not known as a copy any more, later ones are
    other = PipelineWorld(Database(new_url()), world.clock)
    await other.receive(items)
    pipeline = other.pipeline()
    await process_all(pipeline)
    assert duplicate_shares(await final(other.database)) != copies
    await other.receive([late])
    pipeline.wake()
    await process_all(pipeline)
    assert await final(other.database) == expected
    await other.database.close()


def duplicate_shares(found: dict[str, Any]) -> list[float]:
    place = list(minute_scores.c).index(minute_scores.c.duplicate_share)
    return [row[place] for row in found["windows"]]
