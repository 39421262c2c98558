"""What waits is checked again at its turn: if it was muted meanwhile, it is sent later."""

from datetime import timedelta

import pytest

from serving.notify.channels.base import Unavailable
from serving.notify.channels.memory import MemoryChannel
from serving.notify.dispatcher import Dispatcher
from serving.notify.routing.routes import Route
from serving.notify.stages.suppress import suppressed
from serving.notify.workers.escalator import Escalator
from serving.notify.workers.unmute_notifier import UnmuteNotifier
from serving.storage.action_store import ActionStore
from serving.storage.silence_store import SilenceStore
from serving.triage.actions import ActionKind, ActionRequest
from serving.triage.muting import AlertStatus
from serving.triage.triage_status import TriageStatus
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import World, transition
from tests.serving.notify.test_dispatcher import drain
from tests.serving.notify.test_escalation import CHAIN
from tests.serving.notify.test_plan import HANOI
from tests.serving.notify.test_waiting import MORNING, sent_on
from tests.serving.triage.conftest import action
from tests.serving.triage.test_muting import silence

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ACKNOWLEDGED = TriageStatus(acknowledged=action("acknowledge", at=NOW, seen_at=NOW))


@pytest.mark.parametrize(
    ("reason", "alert_status", "stateful", "by_hand", "expected"),
    [
        ("opened", AlertStatus(TriageStatus(), None), False, False, None),
        ("opened", AlertStatus(TriageStatus(), "silenced by 1"), False, False, "silenced by 1"),
        ("opened", AlertStatus(TriageStatus(), "silenced by 1"), True, False, "silenced by 1"),
        ("opened", AlertStatus(TriageStatus(), "silenced by 1"), False, True, None),
        ("opened", AlertStatus(ACKNOWLEDGED, None), False, False, None),
        ("resolved", AlertStatus(TriageStatus(), "silenced by 1"), False, False, "silenced by 1"),
        ("resolved", AlertStatus(TriageStatus(), "silenced by 1"), True, False, None),
        ("withdrawn", AlertStatus(TriageStatus(), "silenced by 1"), False, False, "silenced by 1"),
        ("withdrawn", AlertStatus(TriageStatus(), "silenced by 1"), True, False, None),
        ("revised", AlertStatus(TriageStatus(), "silenced by 1"), True, False, "silenced by 1"),
        ("still_open", AlertStatus(TriageStatus(), "silenced by 1"), True, False, "silenced by 1"),
        ("still_open", AlertStatus(ACKNOWLEDGED, None), False, False, None),
        ("unacknowledged", AlertStatus(TriageStatus(), None), False, False, None),
        (
            "unacknowledged",
            AlertStatus(TriageStatus(), "silenced by 1"),
            False,
            False,
            "silenced by 1",
        ),
        ("unacknowledged", AlertStatus(ACKNOWLEDGED, None), True, False, "acknowledged by mai"),
        ("unacknowledged", AlertStatus(ACKNOWLEDGED, None), False, True, None),
    ],
)
def test_what_is_suppressed(
    reason: str, alert_status: AlertStatus, stateful: bool, by_hand: bool, expected: str | None
) -> None:
    ends = reason in ("resolved", "withdrawn")
    found = suppressed(reason, alert_status, stateful=stateful, ends=ends, by_hand=by_hand)
    assert found == expected


async def do(world: World, kind: ActionKind, alert_id: str = "a1", **more: object) -> None:
    request = ActionRequest(kind, "mai", **more)  # type: ignore[arg-type]
    assert await ActionStore(world.database).record(alert_id, request, world.clock.now())


async def outcomes(world: World) -> list[tuple[str, str, str | None]]:
    return [(row.alert.reason, row.state, row.error) for row in await world.rows()]


async def down(world: World, channel: MemoryChannel, name: str = "crm") -> Dispatcher:
    """A dispatcher after a first attempt on the channel that failed."""
    channel.failures = [Unavailable("down")]
    dispatcher = world.dispatcher({name: channel})
    assert await dispatcher.step(name) == 0
    return dispatcher


async def test_what_is_silenced_between_two_attempts_is_sent_when_the_silence_ends(
    world: World,
) -> None:
    channel = MemoryChannel()
    await world.commit(transition())
    dispatcher = await down(world, channel)
    await SilenceStore(world.database).add(silence(0, max_severity="critical"))
    assert await drain(world, dispatcher) == 1
    assert channel.sent == []
    assert await outcomes(world) == [("opened", "skipped", "silenced by 1")]
    assert (world.counted("crm", "skipped"), world.counted("crm", "delivered")) == (1, 0)
    world.clock.advance(HOUR)
    assert await UnmuteNotifier(world.database, world.outbox, world.metrics).step() == 1
    await drain(world, dispatcher)
    assert sent_on(channel) == [[("a1", "still_open")]]


async def test_a_suppressed_message_does_not_count_for_the_rate(world: World) -> None:
    channel = MemoryChannel(interval=HOUR)
    await world.commit(transition(), transition(alert_id="b2"))
    await do(world, "resolve")
    dispatcher = world.dispatcher({"crm": channel})
    assert [await dispatcher.step("crm"), await dispatcher.step("crm")] == [0, 0]
    assert sent_on(channel) == [[("b2", "opened")]]


@pytest.mark.parametrize(("late", "sent"), [(timedelta(), 1), (timedelta(microseconds=1), 0)])
async def test_a_snooze_that_ends_when_the_hours_begin_suppresses_nothing(
    world: World, late: timedelta, sent: int
) -> None:
    world.routes = (Route(teams=(HANOI,)),)
    desk = MemoryChannel(most=20)
    await world.commit(transition())
    await do(world, "snooze", until=MORNING + late)
    world.clock.advance(MORNING - NOW)
    await world.dispatcher({"hanoi-desk": desk}).step("hanoi-desk")
    assert len(desk.sent) == sent
    assert await world.states() == ["delivered" if sent else "skipped"]


async def test_what_got_worse_since_its_snooze_is_sent_in_order(world: World) -> None:
    channel = MemoryChannel()
    await world.commit(transition())
    dispatcher = await down(world, channel)
    await do(world, "snooze", until=NOW + HOUR)
    await world.commit(transition("escalated", severity="critical", at=NOW + MINUTE))
    await drain(world, dispatcher)
    assert sent_on(channel) == [[("a1", "opened")], [("a1", "escalated")]]


async def test_each_transition_is_matched_by_its_own_severity(world: World) -> None:
    channel = MemoryChannel()
    await world.commit(transition())
    await world.commit(transition("escalated", severity="critical", at=NOW + MINUTE))
    dispatcher = await down(world, channel)
    await SilenceStore(world.database).add(silence(0, max_severity="warning"))
    await drain(world, dispatcher)
    assert sent_on(channel) == [[("a1", "escalated")]]
    world.clock.advance(2 * HOUR)
    assert await UnmuteNotifier(world.database, world.outbox, world.metrics).step() == 0


async def test_the_rest_of_a_burst_goes_as_one_message(world: World) -> None:
    channel = MemoryChannel(most=20)
    await world.commit(*(transition(alert_id=name) for name in ("a1", "b2", "c3")))
    dispatcher = await down(world, channel)
    await do(world, "false_alarm", "b2")
    await drain(world, dispatcher)
    assert sent_on(channel) == [[("a1", "opened"), ("c3", "opened")]]
    assert await world.states() == ["delivered", "skipped", "delivered"]


async def test_a_stateful_receiver_is_still_notified_of_the_end(world: World) -> None:
    channel = MemoryChannel()
    await world.commit(transition(), transition("resolved", at=NOW + MINUTE))
    await do(world, "resolve")
    await drain(world, world.dispatcher({"crm": channel}, stateful_receivers={"crm"}))
    assert sent_on(channel) == [[("a1", "resolved")]]


async def test_what_is_no_longer_muted_can_be_muted_again(world: World) -> None:
    channel = MemoryChannel()
    silences = SilenceStore(world.database)
    await silences.add(silence(0, max_severity="critical"))
    await world.commit(transition())
    world.clock.advance(HOUR)
    unmute_notifier = UnmuteNotifier(world.database, world.outbox, world.metrics)
    assert await unmute_notifier.step() == 1
    dispatcher = await down(world, channel)
    later = world.clock.now()
    await silences.add(silence(0, max_severity="critical", starts_at=later, ends_at=later + HOUR))
    await drain(world, dispatcher)
    assert channel.sent == []
    assert await unmute_notifier.step() == 0
    world.clock.advance(HOUR)
    assert await unmute_notifier.step() == 1
    await drain(world, dispatcher)
    assert sent_on(channel) == [[("a1", "still_open")]]
    assert await unmute_notifier.step() == 0
    assert await world.states() == ["skipped", "delivered"]


async def test_what_somebody_sends_again_is_sent_although_it_is_muted(world: World) -> None:
    channel = MemoryChannel()
    await world.commit(transition())
    await do(world, "resolve")
    dispatcher = world.dispatcher({"crm": channel})
    await drain(world, dispatcher)
    (row,) = await world.rows()
    assert row.error == "resolved, says mai"
    await world.store.resend(row.delivery_id, NOW)
    await drain(world, dispatcher)
    assert sent_on(channel) == [[("a1", "opened")]]


async def step_that_waits(world: World, boss: MemoryChannel) -> tuple[Escalator, Dispatcher]:
    """A page that nobody acknowledged for 15 minutes, and a step that could not be sent."""
    world.routes = (Route(("crm",), steps=CHAIN),)
    escalator = Escalator(world.database, world.outbox, world.metrics, world.clock)
    await world.commit(transition())
    world.clock.advance(15 * MINUTE)
    assert await escalator.step() == 1
    return escalator, await down(world, boss, "boss")


async def test_nobody_is_called_past_an_acknowledgement(world: World) -> None:
    boss = MemoryChannel()
    escalator, dispatcher = await step_that_waits(world, boss)
    await do(world, "acknowledge")
    await drain(world, dispatcher, "boss")
    assert boss.sent == []
    assert (await outcomes(world))[-1] == ("unacknowledged", "skipped", "acknowledged by mai")
    assert await UnmuteNotifier(world.database, world.outbox, world.metrics).step() == 0
    assert await escalator.step() == 0
    await do(world, "unacknowledge")
    assert await escalator.step() == 1
    await drain(world, dispatcher, "boss")
    assert sent_on(boss) == [[("a1", "unacknowledged")]]
    assert await escalator.step() == 0


async def test_a_step_that_a_snooze_suppressed_follows_after_it(world: World) -> None:
    boss = MemoryChannel()
    escalator, dispatcher = await step_that_waits(world, boss)
    await do(world, "snooze", until=world.clock.now() + HOUR)
    await drain(world, dispatcher, "boss")
    assert (boss.sent, await escalator.step()) == ([], 0)
    world.clock.advance(HOUR)
    assert (
        await UnmuteNotifier(world.database, world.outbox, world.metrics).step() == 0
    )  # that is the escalation's
    assert await escalator.step() == 1
    await drain(world, dispatcher, "boss")
    assert sent_on(boss) == [[("a1", "unacknowledged")]]
