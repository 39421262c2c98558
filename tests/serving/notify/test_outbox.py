"""Transitions become deliveries in the very transaction of their step, and never twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from monitoring.events import Comment, ScoredComment
from serving.errors import StoreError
from serving.notify.routing.routes import Route
from serving.notify.stages.mute import REBUILT, TOO_OLD
from serving.storage.delivery_record import NewDelivery
from serving.storage.outbox_queries import enqueue
from serving.storage.payloads import AlertPayload
from serving.storage.pipeline_step import IdleMark
from serving.storage.tables import notification_payloads
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import World, transition
from tests.serving.test_migrations import to_version


async def test_one_delivery_a_transition_and_channel(world: World) -> None:
    world.routes = (Route(("crm", "team"), continues=True), Route(("crm",)))
    await world.commit(transition(), transition("escalated", severity="critical"))
    rows = await world.rows()
    assert [(row.alert.reason, row.channel, row.state) for row in rows] == [
        ("opened", "crm", "waiting"),
        ("opened", "team", "waiting"),
        ("escalated", "crm", "waiting"),
        ("escalated", "team", "waiting"),
    ]
    assert len({row.key for row in rows}) == 4
    assert rows[2].alert.severity == "critical"
    assert world.committed == [("crm", "waiting"), ("team", "waiting")] * 2


async def test_a_step_that_is_not_committed_notifies_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr("serving.storage.step_store.write_states", full)
    with pytest.raises(StoreError):
        await world.commit(transition())
    assert await world.rows() == []
    assert world.committed == []


async def test_informing_kinds_only_where_a_route_asks(world: World) -> None:
    surge = transition(kind="praise_surge", severity="info")
    await world.commit(surge)
    assert await world.rows() == []
    world.routes = (Route(("crm",), min_severity="info"),)
    await world.commit(surge)
    assert await world.states() == ["waiting"]


async def test_old_transitions_are_recorded_and_nobody_is_notified(world: World) -> None:
    day = timedelta(hours=24)
    await world.commit(
        transition(at=NOW - day - timedelta(seconds=1)), transition("resolved", at=NOW - day)
    )
    rows = await world.rows()
    assert [(row.state, row.error) for row in rows] == [
        ("skipped", TOO_OLD),
        ("waiting", None),
    ]


async def test_a_rebuild_notifies_nobody_again(world: World) -> None:
    await world.commit(transition(), seq=7)
    await world.commit(seq=7, new_marks=[IdleMark("lena", NOW)])
    marked = await world.steps.progress()
    await world.steps.clear_derived()
    # The same transition has the same key; a new detector's others are recorded only.
    other = transition("opened", alert_id="b2", kol_id="mina")
    scored = [(1, _scored())]
    await world.commit(transition(), other, seq=1, scored=scored)
    ended = transition("resolved", at=NOW + timedelta(minutes=1))
    await world.commit(ended, seq=7, repeated_mark=marked.mark)
    assert [(row.alert.alert_id, row.error) for row in await world.rows()] == [
        ("a1", None),
        ("b2", REBUILT),
        ("a1", REBUILT),
    ]
    # What is new after the rebuild is notified.
    await world.commit(transition(alert_id="c3"), seq=7, new_marks=[IdleMark("lena", NOW)])
    await world.commit(transition(alert_id="d4"), seq=8, scored=[(8, _scored())])
    assert (await world.states())[3:] == ["waiting", "waiting"]


async def test_a_second_rebuild_knows_of_the_first(world: World) -> None:
    await world.commit(seq=7)
    await world.steps.clear_derived()
    await world.commit(seq=3)
    await world.steps.clear_derived()
    await world.commit(transition(), seq=7, scored=[(7, _scored())])
    assert await world.states() == ["skipped"]


async def payloads(world: World) -> list[str]:
    async with world.database.read() as connection:
        found = await connection.execute(
            select(notification_payloads.c.reason).order_by(notification_payloads.c.payload_id)
        )
        return list(found.scalars())


async def test_a_payload_is_stored_once_for_all_channels(world: World) -> None:
    world.routes = (Route(("crm", "team", "desk")),)
    await world.commit(transition(), transition("resolved"))
    assert await payloads(world) == ["opened", "resolved"]
    await world.steps.clear_derived()
    await world.commit(transition(), transition("resolved"))
    assert await payloads(world) == ["opened", "resolved"]  # none that no delivery refers to
    rows = await world.rows()
    assert [(row.alert.reason, row.channel) for row in rows] == [
        (reason, channel)
        for reason in ("opened", "resolved")
        for channel in world.routes[0].channels
    ]


async def test_a_skipped_delivery_is_replaced_and_its_payload_goes_when_nothing_refers_to_it(
    world: World,
) -> None:
    first, second = (
        NewDelivery(f"key-{channel}", channel, NOW, skipped="muted") for channel in ("crm", "team")
    )
    event = transition()
    old = AlertPayload("a1", "lena", event.kind, event.severity, "opened", NOW, NOW, event.evidence)
    new = replace(old, reason="still_open")
    waiting = replace(first, skipped=None), replace(second, skipped=None)

    async def write(payload: AlertPayload, *deliveries: NewDelivery, again: bool = True) -> int:
        async with world.database.write() as connection:
            return len(await enqueue(connection, payload, deliveries, replace_skipped=again))

    assert await write(old, first, second) == 2
    assert await write(new, waiting[0], again=False) == 0
    assert await write(new, waiting[0]) == 1
    assert await payloads(world) == ["opened", "still_open"]
    assert await write(new, *waiting) == 1  # the first one waits already
    assert await payloads(world) == ["still_open", "still_open"]
    assert await world.states() == ["waiting", "waiting"]
    assert {row.alert.reason for row in await world.rows()} == {"still_open"}


async def test_deliveries_of_an_older_version_know_their_pages(world: World) -> None:
    await world.commit(transition(), transition("escalated"), transition(alert_id="b2"))
    await world.database.close()
    to_version(world.database, "0005")
    world.database.upgrade()
    assert [(row.alert.reason, row.page, row.step) for row in await world.rows()] == [
        ("opened", True, None),
        ("escalated", False, None),
        ("opened", True, None),
    ]


def _scored() -> ScoredComment:
    return ScoredComment(Comment("x", "1", "lena", "no", NOW), 0.9, 0.1, 0.0)
