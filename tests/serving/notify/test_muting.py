"""Muted alerts: recorded, sent to nobody, and sent once if the mute ends before they do."""

import asyncio
from datetime import timedelta

import pytest

from serving.notify.channels.memory import MemoryChannel
from serving.notify.routing.routes import Route
from serving.notify.workers.unmute_notifier import UnmuteNotifier
from serving.storage.action_store import ActionStore
from serving.storage.silence_store import SilenceStore
from serving.triage.actions import ActionRequest
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import World, transition
from tests.serving.notify.test_dispatcher import drain
from tests.serving.triage.test_muting import silence

HOUR = timedelta(hours=1)


async def outcomes(world: World) -> list[tuple[str, str, str, str | None]]:
    return [(row.alert.reason, row.channel, row.state, row.error) for row in await world.rows()]


async def do(world: World, request: ActionRequest, alert_id: str = "a1") -> None:
    assert await ActionStore(world.database).record(alert_id, request, world.clock.now())


def unmute_notifier(world: World) -> UnmuteNotifier:
    return UnmuteNotifier(world.database, world.outbox, world.metrics)


async def test_a_silenced_transition_is_recorded_and_sent_to_nobody(world: World) -> None:
    silences = SilenceStore(world.database)
    await silences.add(silence(0, kols=frozenset({"mina"})))
    await silences.add(silence(0, max_severity="warning"))
    await world.commit(transition(), transition("escalated", severity="critical"))
    assert await outcomes(world) == [
        ("opened", "crm", "skipped", "silenced by 2"),
        ("escalated", "crm", "waiting", None),
    ]
    assert world.committed == [("crm", "skipped"), ("crm", "waiting")]


async def test_what_is_too_old_has_that_reason(world: World) -> None:
    await SilenceStore(world.database).add(silence(0))
    await world.commit(transition(at=NOW - timedelta(hours=25)))
    assert await outcomes(world) == [("opened", "crm", "skipped", "too old")]
    world.clock.advance(2 * HOUR)
    assert await unmute_notifier(world).step() == 0  # and nobody makes up for it


async def test_a_snooze_lets_an_escalation_through(world: World) -> None:
    await world.commit(transition())
    await do(world, ActionRequest("snooze", "mai", until=NOW + 2 * HOUR))
    await world.commit(transition("resolved", at=NOW + timedelta(minutes=9)))
    await world.commit(transition("reopened", at=NOW + timedelta(minutes=20)))
    assert (await outcomes(world))[1:] == [
        ("resolved", "crm", "skipped", "snoozed until 2026-03-10 14:00 UTC by mai"),
        ("reopened", "crm", "waiting", None),
    ]


async def test_a_stateful_receiver_is_notified_of_the_end(world: World) -> None:
    world.routes, world.stateful_receivers = (Route(("crm", "team")),), frozenset({"crm"})
    await world.commit(transition())
    await do(world, ActionRequest("resolve", "mai"))
    await world.commit(transition("resolved", at=NOW + timedelta(minutes=9)))
    assert (await outcomes(world))[2:] == [
        ("resolved", "crm", "waiting", None),
        ("resolved", "team", "skipped", "resolved, says mai"),
    ]


async def test_when_a_silence_ends_what_is_still_open_is_notified_once(world: World) -> None:
    world.routes = (Route(("crm", "team")),)
    await SilenceStore(world.database).add(silence(0, max_severity="warning"))
    await world.commit(transition(), transition(alert_id="b2"))
    await world.commit(transition("resolved", alert_id="b2", at=NOW + timedelta(minutes=9)))
    watch = unmute_notifier(world)
    assert await watch.step() == 0
    world.clock.advance(HOUR)
    world.committed.clear()
    assert await watch.step() == 2
    assert world.committed == [("crm", "waiting"), ("team", "waiting")]
    assert await watch.step() == 0
    channel = MemoryChannel()
    await drain(world, world.dispatcher({"crm": channel}))
    ((sent,),) = channel.sent
    assert (sent.alert_id, sent.reason, sent.at) == ("a1", "still_open", NOW)
    assert sent.evidence.summary == "It turned."
    assert await watch.step() == 0


async def test_the_severity_sent_is_that_of_now(world: World) -> None:
    await SilenceStore(world.database).add(silence(0, max_severity="critical"))
    await world.commit(transition(), transition("escalated", severity="critical"))
    world.clock.advance(HOUR)
    await unmute_notifier(world).step()
    row = (await world.rows())[-1]
    assert (row.alert.reason, row.alert.severity, row.alert.opened_at) == (
        "still_open",
        "critical",
        row.alert.at,
    )


async def test_what_was_sent_before_its_snooze_is_not_sent_again(world: World) -> None:
    await world.commit(transition())
    await do(world, ActionRequest("snooze", "mai", until=NOW + HOUR))
    world.clock.advance(2 * HOUR)
    assert await unmute_notifier(world).step() == 0


async def test_an_alert_reopened_by_hand_is_notified_if_its_rise_was_muted(world: World) -> None:
    await SilenceStore(world.database).add(silence(0))
    await world.commit(transition())
    await do(world, ActionRequest("resolve", "mai"))
    world.clock.advance(2 * HOUR)
    assert await unmute_notifier(world).step() == 0
    await do(world, ActionRequest("reopen", "linh"))
    assert await unmute_notifier(world).step() == 1


async def test_a_channel_that_no_route_names_any_more_is_left_out(world: World) -> None:
    await SilenceStore(world.database).add(silence(0))
    await world.commit(transition())
    world.clock.advance(2 * HOUR)
    world.routes = (Route(("team",)),)
    assert await unmute_notifier(world).step() == 0


async def test_a_second_mute_is_followed_by_a_notification_too(world: World) -> None:
    silences = SilenceStore(world.database)
    await silences.add(silence(0))
    await world.commit(transition())
    world.clock.advance(2 * HOUR)
    watch = unmute_notifier(world)
    assert await watch.step() == 1
    later = world.clock.now()
    await silences.add(silence(0, starts_at=later, ends_at=later + HOUR))
    await world.commit(transition("escalated", severity="critical", at=later))
    world.clock.advance(HOUR)
    assert await watch.step() == 1
    reasons = [row.alert.reason for row in await world.rows()]
    assert reasons == ["opened", "still_open", "escalated", "still_open"]


async def test_the_worker_runs_at_once_when_people_change_something(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.notify.workers.periodic._POLL", 600.0)
    made = await SilenceStore(world.database).add(silence(0))
    await world.commit(transition())
    watch = unmute_notifier(world)
    assert not watch.alive
    await watch.start()
    await asyncio.sleep(0.05)
    assert len(await world.rows()) == 1
    await SilenceStore(world.database).expire(made.silence_id, "mai", NOW)
    watch.wake()
    async with asyncio.timeout(10):
        while len(await world.rows()) == 1:
            await asyncio.sleep(0.01)
    assert watch.alive
    await watch.stop()
    assert not watch.alive
