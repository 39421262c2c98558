"""Digests are written when they are due: once, late if need be, and never twice."""

import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import update

from monitoring.events import Comment
from serving.clock import TestClock
from serving.errors import NotFound
from serving.metrics import Metrics
from serving.notify.channels.base import Channel, Rejected, Unavailable
from serving.notify.channels.memory import MemoryChannel
from serving.notify.config.period import Period, period_of
from serving.notify.config.subscription import Subscription
from serving.notify.dispatcher import Dispatcher
from serving.notify.notification import Notification
from serving.notify.outbox import NotificationOutbox
from serving.reports import digest_scheduler
from serving.reports.digest_scheduler import DigestScheduler
from serving.storage.comment_log import CommentLog
from serving.storage.database import Database
from serving.storage.delivery_record import Delivery
from serving.storage.delivery_store import DeliveryFilter, DeliveryStore
from serving.storage.digest_record import DigestInterval
from serving.storage.digest_store import reached
from serving.storage.outbox import WrittenDelivery
from serving.storage.step_store import StepStore
from serving.storage.tables import notification_payloads
from tests.serving.reports.conftest import DAY, HOUR, MINUTE, Archive, event

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MORNING = datetime(2026, 11, 20, 1, tzinfo=UTC)  # 08:00 in Hanoi, on a Friday
DAILY = Subscription("daily", (DigestInterval.DAY,), time(8), HANOI, ("desk", "boss"))
FRIDAY = period_of(DigestInterval.DAY, MORNING.date(), HANOI)
WEEKLY = Subscription("weekly", (DigestInterval.WEEK,), time(8), HANOI, ("desk",))


class Press(Archive):
    """An archive, the worker that watches it, and what it has put into the outbox."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, TestClock(MORNING - HOUR))
        self.committed: list[tuple[str, str]] = []
        self.store = DeliveryStore(database)
        self.outbox = NotificationOutbox(
            (), self.clock, max_age=DAY, late_page_within=2 * HOUR, on_commit=self._on_commit,
            stateful_receivers=(),
        )  # fmt: skip

    async def worker(self, *subscriptions: Subscription) -> DigestScheduler:
        """As after a start; its loop is left out, the tests take its steps."""
        worker = DigestScheduler(
            self.database,
            self.outbox,
            Metrics(CollectorRegistry(), max_kols=10),
            self.clock,
            subscriptions or (DAILY,),
        )
        await worker.start()
        await worker.stop()
        return worker

    def _on_commit(self, written: Sequence[WrittenDelivery]) -> None:
        self.committed += [(one.channel, one.state) for one in written]

    async def rows(self) -> list[Delivery]:
        return (await self.store.page(DeliveryFilter(), before=None, limit=100))[::-1]

    async def told(self) -> list[tuple[str, str, str]]:
        return [
            (row.channel, row.digest.every, row.digest.first.isoformat())
            for row in await self.rows()
        ]


@pytest.fixture
async def press(empty: Path, tmp_path: Path) -> AsyncIterator[Press]:
    database = Database(f"sqlite:///{shutil.copy(empty, tmp_path / 'press.db')}")
    yield Press(database)
    await database.close()


async def look(press: Press, worker: DigestScheduler, after: timedelta) -> int:
    press.clock.advance(after)
    return await worker.step()


async def test_a_digest_is_written_once_when_it_is_due(press: Press) -> None:
    worker = await press.worker()
    assert await look(press, worker, 59 * MINUTE) == 0
    assert await look(press, worker, MINUTE) == 2
    assert press.committed == [("desk", "waiting"), ("boss", "waiting")]
    assert await press.told() == [("desk", "day", "2026-11-19"), ("boss", "day", "2026-11-19")]
    for _ in range(3):
        assert await look(press, worker, 5 * HOUR) == 0
    assert await look(press, worker, 9 * HOUR) == 2
    assert (await press.told())[2] == ("desk", "day", "2026-11-20")


async def test_what_stands_in_the_row(press: Press) -> None:
    await press.kol("lena", "Lena Vane")
    worker = await press.worker()
    await look(press, worker, HOUR)
    first, second = await press.rows()
    assert (first.key, second.key) == (
        "digest-daily-day-2026-11-19-desk", "digest-daily-day-2026-11-19-boss",
    )  # fmt: skip
    assert first.alert is first.step is None
    assert first.page is False
    digest = first.digest
    assert digest == second.digest
    assert (digest.name, digest.due_at, digest.written_at) == ("daily", MORNING, MORNING)
    assert [kol.name for kol in digest.kols] == ["Lena Vane"]


async def test_what_is_found_late_is_in_the_next_digest_even_after_a_downtime(
    press: Press,
) -> None:
    await press.kol("lena")
    worker = await press.worker()
    await look(press, worker, HOUR)
    at = FRIDAY.since - 3 * DAY
    found = press.clock.now() + MINUTE
    await press.find(event("opened", at), event("resolved", at + HOUR), now=found)
    press.clock.advance(3 * DAY)  # the digests of two days are left out
    worker = await press.worker()
    assert await look(press, worker, HOUR) == 2
    assert await look(press, worker, DAY) == 2
    digests = [row.digest for row in await press.rows()][::2]
    late = [[one.alert_id for one in digest.found_late] for digest in digests if digest]
    assert late == [[], ["a1"], []]


async def test_a_restart_repeats_nothing(press: Press) -> None:
    await look(press, await press.worker(), HOUR)
    for _ in range(3):
        worker = await press.worker()
        assert await look(press, worker, HOUR) == 0
    assert len(await press.rows()) == 2


async def test_what_fell_due_in_a_downtime_comes_once_and_late(press: Press) -> None:
    await press.worker(DAILY, WEEKLY)
    press.clock.advance(10 * DAY + 6 * HOUR)  # Monday, 30 November, 13:00 in Hanoi
    worker = await press.worker(DAILY, WEEKLY)
    assert await look(press, worker, 9 * MINUTE) == 0  # what came in meanwhile is to be in it
    assert await look(press, worker, MINUTE) == 3
    assert await press.told() == [
        ("desk", "day", "2026-11-29"),
        ("boss", "day", "2026-11-29"),
        ("desk", "week", "2026-11-23"),
    ]
    assert await look(press, worker, HOUR) == 0
    digest = (await press.rows())[0].digest
    assert digest.due_at is not None
    assert digest.written_at - digest.due_at > 5 * HOUR


async def test_a_new_digest_begins_with_the_next(press: Press) -> None:
    press.clock.advance(5 * HOUR)
    worker = await press.worker()
    assert await look(press, worker, HOUR) == 0
    assert await look(press, worker, 19 * HOUR) == 2
    both = await press.worker(DAILY, WEEKLY)  # the weekly one is new, the daily one is not
    assert await look(press, both, DAY) == 2
    assert {row.digest.every for row in await press.rows()} == {"day"}


async def test_a_digest_that_comes_back_into_the_file_is_new(press: Press) -> None:
    await press.worker(DAILY, WEEKLY)
    await press.worker(WEEKLY)
    press.clock.advance(10 * DAY + 12 * HOUR)
    worker = await press.worker(DAILY, WEEKLY)
    assert await look(press, worker, HOUR) == 1
    assert [row.digest.every for row in await press.rows()] == ["week"]


async def test_another_time_of_the_day_brings_no_day_twice(press: Press) -> None:
    await look(press, await press.worker(), HOUR)
    later = Subscription("daily", (DigestInterval.DAY,), time(10), HANOI, DAILY.channels)
    worker = await press.worker(later)
    assert await look(press, worker, 3 * HOUR) == 0
    assert len(await press.rows()) == 2
    assert await look(press, worker, 23 * HOUR) == 2


async def test_nothing_is_written_while_the_log_is_processed_again(press: Press) -> None:
    await press.say("lena", MORNING - DAY, negative=0.0, positive=1.0)
    worker = await press.worker()
    await StepStore(press.database).clear_derived()
    assert await look(press, worker, 2 * HOUR) == 0
    assert await press.rows() == []


async def receive(press: Press, at: datetime) -> None:
    """A comment reaches the log; nobody processes it."""
    comment = Comment("x", str(at), "lena", "-", at)
    await CommentLog(press.database).append([comment], press.clock.now())


@pytest.mark.parametrize(("before_its_end", "waits"), [(MINUTE, True), (-MINUTE, False)])
async def test_comments_of_the_period_are_waited_for(
    press: Press, before_its_end: timedelta, waits: bool
) -> None:
    worker = await press.worker()
    midnight = datetime(2026, 11, 19, 17, tzinfo=UTC)
    await receive(press, midnight - before_its_end)
    assert await look(press, worker, HOUR) == (0 if waits else 2)
    assert await look(press, worker, 59 * MINUTE) == 0
    assert await look(press, worker, MINUTE) == (2 if waits else 0)  # but not for ever


async def test_what_fails_is_written_at_the_next_look(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the row nor the account of it is kept without the other."""
    worker = await press.worker()

    async def broken(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as broke:
        broke.setattr("serving.reports.digest_scheduler._enqueue", broken)
        with pytest.raises(RuntimeError):
            await look(press, worker, HOUR)
    async with press.database.read() as connection:
        assert (await reached(connection))["daily", "day"] == MORNING - HOUR
    assert await look(press, worker, MINUTE) == 2


async def test_somebody_may_have_one_sent_again(press: Press) -> None:
    worker = await press.worker()
    await look(press, worker, HOUR)
    day = FRIDAY.before.before
    for _ in range(2):
        press.clock.advance(MINUTE)
        found = await worker.send("daily", day)
        assert (found.first, found.due_at) == (day.first, None)
    assert len(await press.rows()) == 6
    assert press.committed[2:] == [("desk", "waiting"), ("boss", "waiting")] * 2
    with pytest.raises(NotFound, match="no digest 'weekly'; it has: daily"):
        await worker.send("weekly", day)


class AlertsOnly:
    """A channel that takes no digests."""

    most, interval = 20, timedelta()

    async def send(self, notifications: Sequence[Notification]) -> None:
        raise AssertionError


def dispatcher(press: Press, **channels: Channel) -> Dispatcher:
    return Dispatcher(
        store=press.store, channels=channels, clock=press.clock, attempts=3, timeout=5.0,
        metrics=Metrics(CollectorRegistry(), max_kols=1), public_url="https://pr.example.com",
        chance=lambda: 0.5,
    )  # fmt: skip


async def drained(press: Press, dispatcher: Dispatcher, channel: str) -> list[str]:
    while await dispatcher.step(channel) == 0:
        pass
    return [row.state for row in await press.rows() if row.channel == channel]


async def put(press: Press, period: Period) -> None:
    only = Subscription("daily", (DigestInterval.DAY,), time(8), HANOI, ("desk",))
    await (await press.worker(only)).send("daily", period)


async def test_digests_are_sent_one_by_one_with_their_key(press: Press) -> None:
    await put(press, FRIDAY.before)
    press.clock.advance(MINUTE)
    await put(press, FRIDAY.before)
    desk = MemoryChannel(most=20)
    assert await drained(press, dispatcher(press, desk=desk), "desk") == ["delivered"] * 2
    assert [key for key, _ in desk.digests] == [row.key for row in await press.rows()]
    assert desk.sent == []


async def test_a_digest_is_tried_again_as_it_was_and_then_given_up(press: Press) -> None:
    await put(press, FRIDAY.before)
    desk = MemoryChannel()
    desk.failures = [Unavailable("down"), Unavailable("down")]
    mails = dispatcher(press, desk=desk)
    assert await drained(press, mails, "desk") == ["waiting"]
    await press.say("lena", FRIDAY.before.since, negative=0.0, positive=1.0)  # comes too late
    press.clock.advance(HOUR)
    assert await drained(press, mails, "desk") == ["waiting"]
    press.clock.advance(HOUR)
    assert await drained(press, mails, "desk") == ["delivered"]
    ((_, digest),) = desk.digests
    assert digest == (await press.rows())[0].digest
    assert digest.kols == ()
    await put(press, FRIDAY.before)
    desk.failures = [Rejected("550 no")]
    assert (await drained(press, mails, "desk"))[1:] == ["dead"]


async def test_a_channel_that_is_of_another_type_now_takes_none(press: Press) -> None:
    await put(press, FRIDAY.before)
    assert await drained(press, dispatcher(press, desk=AlertsOnly()), "desk") == ["dead"]
    (row,) = await press.rows()
    assert "of another type now" in row.error


async def test_a_digest_that_cannot_be_read_is_given_up(press: Press) -> None:
    await put(press, FRIDAY.before)
    async with press.database.write() as connection:
        await connection.execute(update(notification_payloads).values(digest={"name": "daily"}))
    desk = MemoryChannel()
    assert await drained(press, dispatcher(press, desk=desk), "desk") == ["dead"]
    assert desk.digests == []


@pytest.mark.parametrize("error", [RuntimeError("no"), MemoryError()])
async def test_a_digest_that_fails_every_time_is_given_up_and_the_others_go_on(
    press: Press, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    real = digest_scheduler.compose

    async def compose(connection: Any, request: Any, now: datetime) -> Any:
        if request.name == "daily":
            raise error
        return await real(connection, request, now)

    monkeypatch.setattr(digest_scheduler, "compose", compose)
    other = replace(DAILY, name="other", channels=("desk",))
    worker = await press.worker(DAILY, other)
    press.clock.advance(HOUR)
    found = [await worker.step() for _ in range(12)]
    assert found == [1] + [0] * 11
    assert press.committed == [("desk", "waiting")]
    assert (
        worker._metrics.registry.get_sample_value(
            "groundswell_worker_errors_total", {"worker": "digest_scheduler"}
        )
        == 10
    )
    monkeypatch.setattr(digest_scheduler, "compose", real)
    press.clock.advance(DAY)
    assert await worker.step() == 3
