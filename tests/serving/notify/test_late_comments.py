"""From comments that come late to the outbox: the real pipeline and the real detectors."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from monitoring.kinds import AlertState
from serving.notify.stages.mute import LATE_AND_OVER
from serving.storage.delivery_record import Delivery
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import World
from tests.serving.pipeline_world import PipelineWorld, process_all
from tests.serving.streams import storm

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
START = NOW - 48 * HOUR
STORM = START + 20 * HOUR, START + 21 * HOUR
Item = dict[str, Any]


def parted(until: datetime) -> tuple[list[Item], list[Item]]:
    """The comments of a KOL up to an instant: those of before and after its storm, and those of
    the storm.
    """
    calm, stormy = list[Item](), list[Item]()
    for item in storm("lena", START):
        at = datetime.fromisoformat(item["created_at"])
        if at < until:
            (stormy if STORM[0] <= at < STORM[1] else calm).append(item)
    return calm, stormy


async def receive(world: PipelineWorld, items: list[Item], at: datetime) -> None:
    """Comments arrive at an instant, and are processed to the end."""
    world.clock.advance(at - world.clock.now())
    await world.receive(items)
    pipeline = world.pipeline()
    await pipeline._restore()
    await process_all(pipeline)


async def of_lena(world: World) -> list[Delivery]:
    """What is in the outbox of her backlash."""
    rows = await world.rows()
    return [row for row in rows if row.alert is not None and row.alert.severity != "info"]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (21.2, [("opened", None, AlertState.OPEN)]),
        (23, [("opened", None, AlertState.OPEN), ("resolved", None, AlertState.RESOLVED)]),
        (
            29,
            [
                ("opened", LATE_AND_OVER, AlertState.OPEN),
                ("resolved", LATE_AND_OVER, AlertState.RESOLVED),
            ],
        ),
    ],
)
async def test_a_storm_whose_comments_come_late(
    world: World, hours: float, expected: list[tuple[str, str | None, AlertState]]
) -> None:
    at = START + hours * HOUR
    world.clock.advance(START - NOW)
    live = PipelineWorld(world.database, world.clock, outbox=world.outbox)
    calm, stormy = parted(at)
    await receive(live, calm, at)
    assert await of_lena(world) == []
    await receive(live, stormy, at + MINUTE)
    rows = await of_lena(world)
    assert [(row.alert.reason, row.error, row.alert.state) for row in rows if row.alert] == expected
    assert {row.alert.found_at for row in rows if row.alert} == {world.clock.now()}
    assert rows[0].page


async def test_a_small_storm_in_a_crowd_that_comes_late_is_withdrawn(world: World) -> None:
    """What one platform sent looked like a storm; most of the crowd was on another one."""
    world.clock.advance(START - NOW)
    live = PipelineWorld(world.database, world.clock, outbox=world.outbox)
    calm, stormy = parted(STORM[1])
    few = [item for item in stormy if item["created_at"] < (STORM[0] + 20 * MINUTE).isoformat()]
    shown = sorted(calm + few, key=lambda item: item["created_at"])
    await receive(live, shown, STORM[0] + 25 * MINUTE)
    assert next(row.alert.reason for row in await of_lena(world) if row.alert) == "opened"
    fans = [
        item
        | {
            "platform": "tiktok",
            "comment_id": f"late-{item['comment_id']}-{number}",
            "author_id": f"fan-{item['comment_id']}-{number}",
            "text": f"love this {number} {item['comment_id']}",
        }
        for item in calm + few
        for number in range(12)
    ]
    await receive(live, fans, STORM[0] + 3 * HOUR)
    *former, last = (row.alert for row in await of_lena(world))
    assert [alert.state for alert in former if alert] == [AlertState.OPEN] * len(former)
    assert last is not None
    assert (last.reason, last.state, last.at) == ("revised", AlertState.REVISED, last.found_at)
    begun, ended = last.evidence.incident_start, last.evidence.window_end
    times = [datetime.fromisoformat(item["created_at"]) for item in fans]
    assert last.late_comments == sum(begun <= at < ended for at in times) > 100
