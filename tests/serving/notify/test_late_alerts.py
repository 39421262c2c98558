"""What comments that came late have changed: who is notified of it, and once."""

from datetime import datetime, timedelta

import pytest

from monitoring.alerts import AlertEvent
from monitoring.events import Comment
from monitoring.kinds import AlertState
from serving.notify.channels.base import Unavailable
from serving.notify.channels.memory import MemoryChannel
from serving.notify.routing.routes import Route
from serving.notify.stages.mute import LATE_AND_OVER, REBUILT
from serving.notify.stages.suppress import NEVER_NOTIFIED, WITHDRAWN
from serving.notify.workers.escalator import Escalator
from serving.notify.workers.unmute_notifier import UnmuteNotifier
from serving.storage.comment_log import CommentLog
from serving.storage.silence_store import SilenceStore
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import World, transition
from tests.serving.notify.test_dispatcher import drain
from tests.serving.notify.test_escalation import CHAIN
from tests.serving.notify.test_plan import HANOI
from tests.serving.notify.test_waiting import MORNING, sent_on
from tests.serving.triage.test_muting import silence

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
OPEN, OVER, REVISED = AlertState.OPEN, AlertState.RESOLVED, AlertState.REVISED


def late(reason: str = "opened", hours: float = 0, **change: object) -> AlertEvent:
    """An event that happened some hours ago and was found now."""
    return transition(reason, at=NOW - hours * HOUR, **{"found_at": NOW} | change)


async def outcomes(world: World) -> list[tuple[str, str, str | None]]:
    return [(row.channel, row.alert.reason, row.error or row.state) for row in await world.rows()]


@pytest.mark.parametrize(
    ("ended", "error"),
    [
        (None, None),
        (NOW - MINUTE, None),
        (NOW - 2 * HOUR, None),
        (NOW - 2 * HOUR - timedelta(seconds=1), LATE_AND_OVER),
    ],
)
async def test_what_is_found_late_pages_while_it_lasts_and_soon_after(
    world: World, ended: datetime | None, error: str | None
) -> None:
    events = [late(hours=100)]
    if ended is not None:
        events.append(transition("resolved", at=ended, found_at=NOW))
    await world.rerun(*events, state=OPEN if ended is None else OVER, ended_at=ended)
    rows = await world.rows()
    assert [row.error for row in rows] == [error] * len(events)
    assert [row.page for row in rows] == [True, False][: len(events)]
    first = rows[0].alert
    assert (first.at, first.found_at, first.ended_at) == (NOW - 100 * HOUR, NOW, ended)
    assert [row.alert.state for row in rows] == [OPEN, OVER][: len(events)]


async def test_a_rerun_while_the_log_is_rebuilt_notifies_nobody(world: World) -> None:
    await world.rerun(late(), state=OPEN, rebuilt=True)
    assert await outcomes(world) == [("crm", "opened", REBUILT)]


async def test_an_opening_with_another_time_is_not_sent_again(world: World) -> None:
    await world.commit(transition(at=NOW - 2 * HOUR))
    await world.rerun(late(hours=3), state=OPEN)
    world.routes = (Route(("crm", "team")),)
    await world.rerun(late(hours=4), state=OPEN)
    assert await outcomes(world) == [("crm", "opened", "waiting"), ("team", "opened", "waiting")]


async def test_an_end_found_late_is_for_those_that_were_notified_however_old(
    world: World,
) -> None:
    await world.commit(transition(at=NOW - 20 * HOUR))
    world.routes = (Route(("crm", "team")),)
    await world.rerun(late("resolved", 9), state=OVER, ended_at=NOW - 9 * HOUR)
    assert await outcomes(world) == [
        ("crm", "opened", "waiting"),
        ("crm", "resolved", "waiting"),
        ("team", "resolved", LATE_AND_OVER),
    ]


async def test_a_withdrawal_is_for_exactly_those_that_were_notified_and_never_pages(
    world: World,
) -> None:
    world.routes = (Route(("phone",), pages_only=True, continues=True), Route(("crm",)))
    await world.commit(transition(severity="critical"))
    world.routes = (*world.routes[:1], Route(("crm", "team")))
    revised = late("revised", severity="critical")
    await world.rerun(revised, state=REVISED)
    await world.rerun(late("revised", 1), state=REVISED)
    rows = (await world.rows())[2:]
    assert [(row.channel, row.alert.reason, row.page) for row in rows] == [
        ("phone", "revised", False),
        ("crm", "revised", False),
    ]
    assert {row.alert.state for row in rows} == {REVISED}
    # Found again, at the very same time, it is news for everybody, and so is its withdrawal.
    await world.rerun(late(severity="critical"), state=OPEN)
    await world.rerun(revised, state=REVISED)
    again = [(row.channel, row.alert.reason) for row in (await world.rows())[4:]]
    assert again == [
        ("phone", "opened"), ("crm", "opened"), ("team", "opened"),
        ("phone", "revised"), ("crm", "revised"), ("team", "revised"),
    ]  # fmt: skip
    assert len({row.key for row in await world.rows()}) == 10


async def test_a_withdrawal_counts_the_comments_that_came_after_the_first_notification(
    world: World,
) -> None:
    log = CommentLog(world.database)

    async def write(number: int, minutes: float, hours_late: float) -> None:
        comment = Comment("x", str(number), "lena", "no", NOW - minutes * MINUTE)
        await log.append([comment], NOW + hours_late * HOUR)

    await world.commit(transition())  # its window is the last 30 minutes
    await write(1, 20, 0)  # known then
    await write(2, 20, 1)
    await write(3, 30, 1)
    await write(4, 30.5, 1)  # before the incident
    await write(5, 0, 1)  # after it
    await log.append([Comment("x", "6", "mina", "no", NOW - 20 * MINUTE)], NOW + HOUR)
    await world.rerun(late("revised"), state=REVISED)
    assert (await world.rows())[-1].alert.late_comments == 2
    await world.commit(transition(alert_id="b2", kol_id="otto"))
    await world.rerun(late("revised", alert_id="b2", kol_id="otto"), state=REVISED)
    assert (await world.rows())[-1].alert.late_comments is None


async def test_an_end_that_no_longer_holds_is_for_those_that_were_notified_of_it(
    world: World,
) -> None:
    world.routes = (Route(("phone",), pages_only=True, continues=True), Route(("crm",)))
    await world.commit(transition(at=NOW - 3 * HOUR), transition("resolved", at=NOW - 2 * HOUR))
    await world.rerun(late("revised", 2), state=OPEN)
    await world.rerun(late("resolved", 1), state=OVER, ended_at=NOW - HOUR)
    rows = (await world.rows())[3:]
    assert [(row.channel, row.alert.reason, row.alert.state, row.page) for row in rows] == [
        ("crm", "revised", OPEN, False),
        ("crm", "resolved", OVER, False),
    ]


async def test_an_end_that_has_only_moved_is_not_sent_again(world: World) -> None:
    await world.commit(transition(at=NOW - 3 * HOUR), transition("resolved", at=NOW - 2 * HOUR))
    moved = late("revised", 2), late("resolved", 1)
    await world.rerun(*moved, state=OVER, ended_at=NOW - HOUR)
    assert (await outcomes(world))[2:] == [("crm", "revised", LATE_AND_OVER)]


async def test_what_was_found_over_and_turns_out_to_last_is_sent_as_still_open(
    world: World,
) -> None:
    ended = NOW - 5 * HOUR
    await world.rerun(late(hours=9), late("resolved", 5), state=OVER, ended_at=ended)
    notifier = UnmuteNotifier(world.database, world.outbox, world.metrics)
    assert await notifier.step() == 0
    await world.rerun(late("revised", 5), state=OPEN)
    assert await notifier.step() == 1
    assert await notifier.step() == 0
    last = (await world.rows())[-1]
    assert (last.alert.reason, last.page, last.state) == ("still_open", True, "waiting")
    assert last.alert.found_at == NOW


async def test_receivers_that_keep_an_alert_get_its_withdrawal_although_it_is_muted(
    world: World,
) -> None:
    world.routes = (Route(("crm", "team")),)
    world.stateful_receivers = frozenset({"crm"})
    await world.commit(transition(), transition("resolved"))
    await SilenceStore(world.database).add(silence(0, kols={"lena"}))
    await world.rerun(late("revised"), state=OPEN)
    await world.rerun(late("revised", 1), state=REVISED)
    silenced = "silenced by 1"
    assert (await outcomes(world))[4:] == [
        ("crm", "revised", silenced),
        ("team", "revised", silenced),
        ("crm", "revised", "waiting"),
        ("team", "revised", silenced),
    ]


async def test_what_is_withdrawn_before_it_is_sent_is_not_sent(world: World) -> None:
    world.routes = (Route(teams=(HANOI,)),)
    desk = MemoryChannel(most=20)
    dispatcher = world.dispatcher({"hanoi-desk": desk})
    await world.commit(transition(), transition(alert_id="b2"))
    await world.rerun(late("revised"), state=REVISED)
    assert (await world.rows())[-1].not_before == MORNING
    world.clock.advance(MORNING - NOW)
    await drain(world, dispatcher, "hanoi-desk")
    assert sent_on(desk) == [[("b2", "opened")]]
    assert await outcomes(world) == [
        ("hanoi-desk", "opened", WITHDRAWN),
        ("hanoi-desk", "opened", "delivered"),
        ("hanoi-desk", "revised", NEVER_NOTIFIED),
    ]


@pytest.mark.parametrize("failures", [0, 1, 3])
async def test_what_may_have_been_received_is_withdrawn(world: World, failures: int) -> None:
    crm = MemoryChannel()
    crm.failures = [Unavailable("no answer within 10 s")] * failures
    dispatcher = world.dispatcher({"crm": crm})
    await world.commit(transition())
    for _ in range(max(failures, 1)):
        while await dispatcher.step("crm"):
            world.clock.advance(MINUTE)
    await world.rerun(late("revised"), state=REVISED)
    await drain(world, dispatcher)
    assert [reason for ((_, reason),) in sent_on(crm)] == ["opened", "revised"][failures > 0 :]
    sent = crm.sent[-1][0]
    assert (sent.state, sent.found_at, sent.withdrawn) == (REVISED, NOW, True)


async def test_somebody_may_have_it_sent_all_the_same(world: World) -> None:
    crm = MemoryChannel()
    await world.commit(transition())
    await world.rerun(late("revised"), state=REVISED)
    dispatcher = world.dispatcher({"crm": crm})
    await drain(world, dispatcher)
    assert sent_on(crm) == []
    (opened, _) = await world.rows()
    await world.store.resend(opened.delivery_id, world.clock.now())
    await drain(world, dispatcher)
    assert sent_on(crm) == [[("a1", "opened")]]


async def test_what_was_withdrawn_is_not_escalated(world: World) -> None:
    world.routes = (Route(("crm",), steps=CHAIN),)
    worker = Escalator(world.database, world.outbox, world.metrics, world.clock)
    await world.commit(transition())
    world.clock.advance(15 * MINUTE)
    assert await worker.step() == 1
    boss = MemoryChannel()
    await world.rerun(late("revised"), state=REVISED)
    world.clock.advance(999 * MINUTE)
    assert await worker.step() == 0
    await drain(world, world.dispatcher({"boss": boss}), "boss")
    assert boss.sent == []
