"""What comments that came late have changed: who is notified of it, and once."""

from datetime import datetime, timedelta

import pytest

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
OPENED = transition(at=NOW - 9 * HOUR)
ENDED = transition("resolved", at=NOW - 5 * HOUR)
AGAIN = transition("reopened", at=NOW - 3 * HOUR)
PHONE = Route(("phone",), pages_only=True, continues=True)


async def outcomes(world: World) -> list[tuple[str, str, str]]:
    return [
        (row.channel, row.alert.reason.value, row.error or row.state.value)
        for row in await world.rows()
        if row.alert is not None
    ]


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
    opened = transition(at=NOW - 100 * HOUR)
    risen = transition("escalated", at=NOW - 99 * HOUR, severity="critical")
    end = [] if ended is None else [transition("resolved", at=ended, severity="critical")]
    await world.rederive(opened, risen, *end)
    rows = await world.rows()
    assert [row.error for row in rows] == [error] * (1 + len(end))
    assert [row.page for row in rows] == [True, False][: len(rows)]
    first = rows[0].alert
    assert first is not None
    assert (first.severity, first.opened_at) == ("critical", opened.at)
    assert (first.at, first.found_at, first.ended_at) == (risen.at, NOW, ended)
    assert [row.alert.state for row in rows if row.alert] == [OPEN, OVER][: len(rows)]


async def test_a_rerun_while_the_log_is_rebuilt_notifies_nobody(world: World) -> None:
    await world.commit(seq=7)
    await world.steps.clear_derived()
    await world.rederive(OPENED, seq=7)
    assert await outcomes(world) == [("crm", "opened", REBUILT)]


async def test_an_opening_with_another_time_is_not_sent_again(world: World) -> None:
    await world.commit(OPENED)
    await world.rederive(transition(at=NOW - 8 * HOUR))  # no news
    world.routes = (Route(("crm", "team")),)
    late = transition(at=NOW - 7 * HOUR, found_at=NOW)
    async with world.database.write() as connection:
        for _ in range(2):
            await world.outbox.record(connection, late, opened_at=late.at, rebuilt=False)
    assert await outcomes(world) == [("crm", "opened", "waiting"), ("team", "opened", "waiting")]


async def test_an_end_found_late_is_for_those_that_were_notified_however_old(
    world: World,
) -> None:
    await world.commit(transition(at=NOW - 9 * HOUR))
    world.routes = (Route(("crm", "team")),)
    await world.rederive(OPENED, ENDED)
    assert await outcomes(world) == [
        ("crm", "opened", "waiting"),
        ("crm", "resolved", "waiting"),
        ("team", "resolved", LATE_AND_OVER),
    ]


async def test_a_withdrawal_is_for_exactly_those_that_were_notified_and_never_pages(
    world: World,
) -> None:
    opened = transition(severity="critical")
    world.routes = (PHONE, Route(("crm",)))
    await world.commit(opened)
    world.routes = (PHONE, Route(("crm", "team")))
    await world.rederive()
    await world.rederive()
    rows = (await world.rows())[2:]
    assert [(row.channel, row.alert.reason, row.page) for row in rows if row.alert] == [
        ("phone", "revised", False),
        ("crm", "revised", False),
    ]
    assert {row.alert.state for row in rows if row.alert} == {REVISED}
    # Found again, at the very same time, it is news for everybody, and so is its withdrawal.
    await world.rederive(opened)
    world.clock.advance(HOUR)
    await world.rederive()
    assert (await outcomes(world))[4:] == [
        (channel, reason, "waiting")
        for reason in ("opened", "revised")
        for channel in ("phone", "crm", "team")
    ]
    assert len({row.key for row in await world.rows()}) == 10


async def test_a_withdrawal_counts_the_comments_that_came_after_the_first_notification(
    world: World,
) -> None:
    log = CommentLog(world.database)

    async def write(number: int, minutes: float, hours_late: float, kol_id: str = "lena") -> None:
        comment = Comment("x", str(number), kol_id, "no", NOW - minutes * MINUTE)
        await log.append([comment], NOW + hours_late * HOUR)

    await world.commit(transition())  # its window is the last 30 minutes
    await write(1, 20, 0)  # known then
    await write(2, 20, 1)
    await write(3, 30, 1)
    await write(4, 30.5, 1)  # before the incident
    await write(5, 0, 1)  # after it
    await write(6, 20, 1, "mina")
    await world.rederive()
    await world.commit(transition(alert_id="b2", kol_id="otto"))
    await world.rederive(kol_id="otto")
    found = [row.alert.late_comments for row in await world.rows() if row.alert]
    assert found == [None, 2, None, None]


async def test_an_end_that_no_longer_holds_is_for_those_that_were_notified_of_it(
    world: World,
) -> None:
    world.routes = (PHONE, Route(("crm",)))
    opened, ended = transition(at=NOW - 3 * HOUR), transition("resolved", at=NOW - 2 * HOUR)
    await world.commit(opened, ended)
    await world.rederive(opened)
    later = transition("resolved", at=NOW - HOUR)
    await world.commit(later)
    rows = (await world.rows())[3:]
    assert [(r.channel, r.alert.reason, r.alert.state, r.page) for r in rows if r.alert] == [
        ("crm", "revised", OPEN, False),
        ("crm", "resolved", OVER, False),
    ]
    await world.rederive(opened, transition("resolved", at=NOW - MINUTE))  # only another minute
    assert len(await world.rows()) == 5


async def test_a_wave_and_an_end_that_were_sent_are_not_sent_again(world: World) -> None:
    end = transition("resolved", at=NOW - HOUR)
    await world.commit(OPENED, ENDED, AGAIN, end)
    await world.rederive(OPENED, end)  # one wave: no news
    await world.rederive(OPENED, ENDED, transition("reopened", at=NOW - 2 * HOUR), end)
    assert [reason for _, reason, _ in await outcomes(world)] == [
        "opened", "resolved", "reopened", "resolved",
    ]  # fmt: skip
    again = transition("reopened", at=NOW - MINUTE)
    await world.rederive(OPENED, ENDED, AGAIN, end, again)
    assert (await outcomes(world))[4:] == [("crm", "reopened", "waiting")]


async def test_what_was_found_over_and_turns_out_to_last_is_sent_as_still_open(
    world: World,
) -> None:
    await world.rederive(OPENED, ENDED)
    assert {error for _, _, error in await outcomes(world)} == {LATE_AND_OVER}
    notifier = UnmuteNotifier(world.database, world.outbox, world.metrics)
    assert await notifier.step() == 0
    await world.rederive(OPENED)
    assert await notifier.step() == 1
    assert await notifier.step() == 0
    last = (await world.rows())[-1]
    assert last.alert is not None
    assert (last.alert.reason, last.page, last.state) == ("still_open", True, "waiting")
    assert last.alert.found_at == NOW


async def test_receivers_that_keep_an_alert_get_its_withdrawal_although_it_is_muted(
    world: World,
) -> None:
    world.routes = (Route(("crm", "team")),)
    world.stateful_receivers = frozenset({"crm"})
    await world.commit(OPENED, transition("resolved"))
    await SilenceStore(world.database).add(silence(0, kols={"lena"}))
    await world.rederive(OPENED)
    world.clock.advance(MINUTE)
    await world.rederive()
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
    await world.commit(transition(), transition(alert_id="b2", kol_id="mina"))
    await world.rederive()
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
    found = world.clock.now()
    await world.rederive()
    await drain(world, dispatcher)
    assert [reason for ((_, reason),) in sent_on(crm)] == ["opened", "revised"][failures > 0 :]
    sent = crm.sent[-1][0]
    assert (sent.state, sent.found_at, sent.withdrawn) == (REVISED, found, True)


async def test_what_is_sent_has_everything_that_is_known(world: World) -> None:
    crm = MemoryChannel()
    dispatcher = world.dispatcher({"crm": crm})
    late = Comment("x", "1", "lena", "no", NOW - 40 * MINUTE)
    await world.rederive(transition(at=NOW - HOUR), transition("resolved", at=NOW - HOUR / 2))
    await CommentLog(world.database).append([late], NOW + HOUR)
    await drain(world, dispatcher)
    world.clock.advance(HOUR)
    await world.rederive()
    await drain(world, dispatcher)
    opened, ended, gone = (sent for (sent,) in crm.sent)
    assert [one.ended_at for one in (opened, ended, gone)] == [NOW - HOUR / 2] * 2 + [None]
    assert [one.late_comments for one in (opened, ended, gone)] == [None, None, 1]


async def test_what_the_detectors_report_is_always_sent(world: World) -> None:
    await world.commit(transition(), transition("escalated"), transition("reopened"))
    assert [reason for _, reason, _ in await outcomes(world)] == ["opened", "escalated", "reopened"]


async def test_a_withdrawal_waits_for_no_other_channel(world: World) -> None:
    world.routes = (Route(("crm",), continues=True), Route(teams=(HANOI,)))
    crm, desk = MemoryChannel(), MemoryChannel()
    dispatcher = world.dispatcher({"crm": crm, "hanoi-desk": desk})
    await world.commit(transition())
    await drain(world, dispatcher)
    await world.rederive()
    await drain(world, dispatcher)
    world.clock.advance(MORNING - world.clock.now())
    await drain(world, dispatcher, "hanoi-desk")
    assert [reason for ((_, reason),) in sent_on(crm)] == ["opened", "revised"]
    assert desk.sent == []  # it was never notified


async def test_what_is_sent_again_by_hand_is_withdrawn_with_it(world: World) -> None:
    crm = MemoryChannel(most=20)
    dispatcher = world.dispatcher({"crm": crm})
    await world.commit(transition())
    await drain(world, dispatcher)
    (opened,) = await world.rows()
    await world.store.resend(opened.delivery_id, world.clock.now())
    await world.rederive()
    await drain(world, dispatcher)
    assert sent_on(crm) == [[("a1", "opened")], [("a1", "opened"), ("a1", "revised")]]


async def test_somebody_may_have_it_sent_all_the_same(world: World) -> None:
    crm = MemoryChannel()
    await world.commit(transition())
    await world.rederive()
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
    await world.rederive()
    world.clock.advance(999 * MINUTE)
    assert await worker.step() == 0
    await drain(world, world.dispatcher({"boss": boss}), "boss")
    assert boss.sent == []
