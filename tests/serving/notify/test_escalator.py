"""Escalation on the outbox: once for each page and step, past restarts, downtime and rebuilds."""

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.metrics import Metrics
from serving.notify import outbox
from serving.notify.channels.memory import MemoryChannel
from serving.notify.routing.routes import Route
from serving.notify.stored_attachments import StoredAttachments
from serving.notify.workers.escalator import Escalator
from serving.notify.workers.unmute_notifier import UnmuteNotifier
from serving.storage.action_store import ActionStore
from serving.storage.silence_store import SilenceStore
from serving.storage.tables import alerts
from serving.triage.actions import ActionRequest
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import WORDS, World, notification, transition
from tests.serving.notify.test_dispatcher import drain
from tests.serving.notify.test_escalation import CHAIN, MINUTE
from tests.serving.notify.test_plan import HANOI
from tests.serving.triage.test_muting import silence


@pytest.fixture(autouse=True)
def routes(world: World) -> None:
    world.routes = (Route(("crm",), steps=CHAIN),)


def watch(world: World) -> Escalator:
    return Escalator(world.database, world.outbox, world.metrics, world.clock)


async def look(world: World, worker: Escalator, minutes: float) -> list[tuple[str, int]]:
    """Move on by so many minutes; returns whom the worker called."""
    world.clock.advance(minutes * MINUTE)
    before = len(await world.rows())
    written = await worker.step()
    rows = (await world.rows())[before:]
    assert len(rows) == written
    assert all((row.alert.reason, row.page) == ("unacknowledged", True) for row in rows)
    return [(row.channel, row.step) for row in rows]


async def do(world: World, request: ActionRequest) -> None:
    assert await ActionStore(world.database).record("a1", request, world.clock.now())


async def test_a_page_that_nobody_acknowledges_goes_up_step_by_step(world: World) -> None:
    worker = watch(world)
    await world.commit(transition())
    assert await look(world, worker, 14) == []
    world.committed.clear()
    assert await look(world, worker, 1) == [("boss", 1)]
    assert world.committed == [("boss", "waiting")]
    assert await look(world, worker, 0) == []
    assert await look(world, worker, 45) == [("ceo", 2), ("chair", 2)]
    assert await look(world, worker, 999) == []
    boss = MemoryChannel()
    await drain(world, world.dispatcher({"boss": boss}), "boss")
    ((sent,),) = boss.sent
    assert (sent.reason, sent.page, sent.step, sent.at) == ("unacknowledged", True, 1, NOW)
    assert sent.key.startswith("a1-unacknowledged-1-")


async def test_a_step_shows_the_alert_as_it_is_and_its_channel_is_notified_of_the_end(
    world: World,
) -> None:
    worker = watch(world)
    await world.commit(transition())
    await world.commit(transition("escalated", severity="critical"))
    assert await look(world, worker, 15) == [("boss", 1)]
    assert (await world.rows())[-1].alert.severity == "critical"
    await world.commit(transition("resolved", severity="critical", at=NOW + 20 * MINUTE))
    assert [row.channel for row in (await world.rows())[-2:]] == ["crm", "boss"]
    assert await look(world, worker, 999) == []


async def test_an_acknowledgement_ends_it_until_the_alert_is_reopened(world: World) -> None:
    worker = watch(world)
    await world.commit(transition())
    assert await look(world, worker, 15) == [("boss", 1)]
    await do(world, ActionRequest("acknowledge", "mai"))
    assert await look(world, worker, 45) == []
    await world.commit(transition("resolved", at=NOW + 10 * MINUTE))
    await world.commit(transition("reopened", at=NOW + 61 * MINUTE))
    assert await look(world, worker, 14) == []
    assert await look(world, worker, 1) == [("boss", 1)]


async def test_after_a_downtime_one_step_is_due_and_the_next_has_its_time(world: World) -> None:
    await world.commit(transition(), transition(alert_id="b2", kol_id="mina"))
    world.clock.advance(timedelta(hours=5))
    worker = watch(world)
    assert await look(world, worker, 0.9) == []  # what came in meanwhile is processed first
    assert await look(world, worker, 0.1) == [("boss", 1), ("boss", 1)]
    restarted = watch(world)
    assert await look(world, restarted, 44) == []
    assert await look(world, restarted, 1) == [("ceo", 2), ("chair", 2)] * 2
    boss = MemoryChannel(most=20)
    assert await drain(world, world.dispatcher({"boss": boss}), "boss") == 1  # one message of both


async def test_a_page_that_was_muted_escalates_once_it_is_sent(world: World) -> None:
    worker = watch(world)
    await SilenceStore(world.database).add(silence(0, max_severity="critical"))
    await world.commit(transition())
    assert await look(world, worker, 60) == []
    assert await UnmuteNotifier(world.database, world.outbox, world.metrics).step() == 1
    assert await look(world, worker, 14) == []
    assert await look(world, worker, 1) == [("boss", 1)]


async def test_a_snooze_stops_it(world: World) -> None:
    worker = watch(world)
    await world.commit(transition())
    await do(world, ActionRequest("snooze", "mai", until=NOW + 60 * MINUTE))
    assert await look(world, worker, 59) == []
    assert await look(world, worker, 1) == [("boss", 1)]


async def test_what_waits_for_the_morning_is_escalated_from_there(world: World) -> None:
    world.routes = (Route(teams=(HANOI,), steps=CHAIN),)
    worker = watch(world)
    await world.commit(transition())
    assert await look(world, worker, 13 * 60 + 14) == []
    assert await look(world, worker, 1) == [("boss", 1)]


async def test_a_rebuild_calls_nobody(world: World) -> None:
    worker = watch(world)
    await world.commit(transition(), seq=7)
    await world.commit(transition("resolved", at=NOW + MINUTE), seq=9)
    await world.steps.clear_derived()
    await world.commit(transition(), seq=7)  # for now the alert is open again
    assert await look(world, worker, 60) == []
    await world.commit(transition("resolved", at=NOW + MINUTE), seq=9)
    assert await look(world, worker, 60) == []


async def test_its_chart_ends_now() -> None:
    class StubCharts:
        asked: list[object] = []  # noqa: RUF012 - made anew for every test

        async def chart_of(self, alert_id: str, until: object) -> None:
            self.asked.append(until)

        async def draw(self, chart: None, words: object) -> bytes:
            return b"PNG"

    metrics = Metrics(CollectorRegistry(), max_kols=1)
    attachments = StoredAttachments(StubCharts(), metrics, seconds=5)  # type: ignore[arg-type]
    for one in (notification(), notification(reason="unacknowledged", step=1)):
        assert await attachments.of(one, WORDS) == b"PNG"
    assert StubCharts.asked == [notification().at, None]


async def test_the_store_is_not_read_if_no_route_escalates(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("serving.notify.outbox.calls_of_open", never)
    world.routes = (Route(("crm",)),)
    await world.commit(transition())
    assert await look(world, watch(world), 60) == []


async def test_one_alert_that_breaks_the_escalator_stops_no_other_and_is_given_up(
    world: World,
) -> None:
    await world.commit(transition(), transition(alert_id="b2", kol_id="mina"))
    async with world.database.write() as connection:
        spoiled = update(alerts).where(alerts.c.alert_id == "a1").values(evidence={})
        await connection.execute(spoiled)
    worker = watch(world)
    assert await look(world, worker, 15) == [("boss", 1)]
    ((called,),) = [[row for row in await world.rows() if row.step == 1]]
    assert called.alert.alert_id == "b2"
    await do(world, ActionRequest("acknowledge", "mai"))
    for _ in range(20):
        await look(world, worker, 0)
    assert worker.given_up == {"a1"}
    labels = {"worker": "escalator"}
    counted = world.metrics.registry.get_sample_value("groundswell_worker_errors_total", labels)
    assert counted == 10
    assert await look(world, worker, 45) == [("ceo", 2), ("chair", 2)]


async def test_a_call_that_cannot_be_written_leaves_nothing_half_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.commit(transition(), transition(alert_id="b2", kol_id="mina"))
    real = outbox.enqueue

    async def failing(connection: AsyncConnection, payload: Any, *more: Any, **named: Any) -> Any:
        written = await real(connection, payload, *more, **named)
        if payload.alert_id == "a1":
            raise MemoryError
        return written

    monkeypatch.setattr(outbox, "enqueue", failing)
    assert await look(world, watch(world), 15) == [("boss", 1)]
    assert [row.alert.alert_id for row in await world.rows() if row.step == 1] == ["b2"]
    monkeypatch.undo()
    assert await look(world, watch(world), 15) == [("boss", 1)]


async def test_one_alert_that_cannot_be_reported_after_a_mute_stops_no_other(world: World) -> None:
    await SilenceStore(world.database).add(silence(0, max_severity="critical"))
    await world.commit(transition(), transition(alert_id="b2", kol_id="mina"))
    world.clock.advance(60 * MINUTE)
    async with world.database.write() as connection:
        spoiled = update(alerts).where(alerts.c.alert_id == "a1").values(evidence={})
        await connection.execute(spoiled)
    assert await UnmuteNotifier(world.database, world.outbox, world.metrics).step() == 1
