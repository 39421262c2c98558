"""A step writes each kind of what it derived by the same number of statements, however much."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitoring.alerts import AlertEvent
from monitoring.events import ScoredComment
from monitoring.evidence import Evidence
from monitoring.kinds import AlertKind, AlertState, Reason, Severity
from serving.clock import TestClock
from serving.storage.database import Database
from serving.storage.instants import to_micros
from serving.storage.outbox import WrittenDelivery
from serving.storage.pipeline_step import ChangedMinutes, PipelineProgress, PipelineStep
from serving.storage.step_store import StepStore
from serving.storage.tables import alert_events, alerts, minutes, reruns
from tests.serving.conftest import NOW, NewUrl
from tests.serving.pipeline_world import PipelineWorld

MINUTE = timedelta(minutes=1)


class OpenedAt:
    """An outbox that notifies nobody, and keeps when the alerts of events were opened."""

    def __init__(self) -> None:
        self.found: dict[str, datetime] = {}

    def committed(self, written: object) -> None:
        raise AssertionError("nothing was written")

    async def record(
        self, connection: AsyncConnection, event: AlertEvent, *, opened_at: datetime, **more: Any
    ) -> list[WrittenDelivery]:
        self.found[event.alert_id] = opened_at
        return []


@pytest.fixture
async def world(new_url: NewUrl) -> AsyncIterator[PipelineWorld]:
    database = Database(new_url())
    yield PipelineWorld(database, TestClock(NOW))
    await database.close()


def evidence(summary: str) -> Evidence:
    return Evidence(NOW, NOW, NOW, 100, 60.0, 20.0, 0.1, 5.0, (), None, summary)


def opening(number: int) -> AlertEvent:
    return AlertEvent(
        alert_id=f"alert-{number}",
        kol_id=f"kol-{number}",
        kind=AlertKind.BACKLASH,
        severity=Severity.WARNING,
        reason=Reason.OPENED,
        at=NOW + number * MINUTE,
        evidence=evidence("It rose."),
    )


async def scored(world: PipelineWorld, first: int, count: int) -> list[tuple[int, ScoredComment]]:
    """Comments, a KOL and minute each, in the log and scored: 0.1 negative and 0.8 positive."""
    items = [
        {
            "platform": "instagram",
            "comment_id": f"c-{number}",
            "kol_id": f"kol-{number}",
            "text": "fine",
            "created_at": (NOW - number * MINUTE).isoformat(),
        }
        for number in range(first, first + count)
    ]
    await world.receive(items)
    logged = await world.log.after(first, count)
    return [(one.seq, ScoredComment(one.comment, 0.1, 0.1, 0.8, 0.0)) for one in logged]


async def test_statements_of_a_step_do_not_grow_with_it(
    world: PipelineWorld, request: pytest.FixtureRequest
) -> None:
    outbox = OpenedAt()
    store, progress = StepStore(world.database, outbox), PipelineProgress()
    statements, executed = Counter[str](), list[str]()

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        executed.append(" ".join(statement.split()[:3]))

    event.listen(Engine, "before_cursor_execute", note)
    request.addfinalizer(lambda: event.remove(Engine, "before_cursor_execute", note))
    begun = 0
    for count in (2, 9):
        found = await scored(world, begun, count)
        progress = await store.commit(
            PipelineStep(seq=begun + count, model="m", scored=found), progress
        )
        executed.clear()
        numbers = range(begun, begun + count)
        step = PipelineStep(
            seq=begun + count,
            model="m",
            rescored=[(seq, replace(one, negative=0.3, positive=0.6)) for seq, one in found[1:]],
            withdrawn=[seq for seq, _ in found[:-1]],
            changed=[ChangedMinutes(f"kol-{number}", 5, 7) for number in numbers],
            events=[opening(number) for number in numbers],
        )
        progress = await store.commit(step, progress)
        if begun:
            assert Counter(executed) == statements
        statements, begun = Counter(executed), begun + count
    assert outbox.found == {f"alert-{n}": NOW + n * MINUTE for n in range(begun)}

    async with world.database.read() as connection:
        asked = (await connection.execute(select(reruns.c.kol_id))).scalars().all()
        sums = {row.kol_id: row for row in await connection.execute(select(minutes))}
    assert sorted(asked) == sorted(f"kol-{number}" for number in range(begun))
    for number in range(begun):
        row, left = sums[f"kol-{number}"], number in (1, begun - 1)
        assert (row.comments, row.removed) == ((1, 0) if left else (0, 1))
        assert (row.negative, row.positive) == ((300_000, 600_000) if left else (0, 0))


async def test_an_alert_that_opens_and_ends_in_one_step_keeps_its_evidence(
    world: PipelineWorld,
) -> None:
    opened = opening(0)
    risen = replace(opened, reason=Reason.ESCALATED, severity=Severity.CRITICAL, at=NOW + MINUTE)
    risen = replace(risen, evidence=evidence("It rose on."))
    ended = replace(risen, reason=Reason.RESOLVED, at=NOW + 9 * MINUTE, evidence=evidence("Calm."))
    step = PipelineStep(seq=0, model="m", events=[opened, risen, ended])
    await StepStore(world.database).commit(step, PipelineProgress())
    async with world.database.read() as connection:
        (alert,) = (await connection.execute(select(alerts))).all()
        written = select(alert_events.c.reason).order_by(alert_events.c.event_id)
        reasons = (await connection.execute(written)).scalars().all()
    assert reasons == [Reason.OPENED, Reason.ESCALATED, Reason.RESOLVED]
    assert (alert.state, alert.severity) == (AlertState.RESOLVED, Severity.CRITICAL)
    assert (alert.opened_at, alert.resolved_at) == (to_micros(NOW), to_micros(ended.at))
    assert alert.updated_at == alert.resolved_at
    assert alert.evidence["summary"] == "It rose on."
