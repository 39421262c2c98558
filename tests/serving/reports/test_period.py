"""Days and weeks by the clock on the wall, and when a digest of each is due."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from serving.notify.config.period import Period, instant, period_of
from serving.notify.config.subscription import Subscription
from serving.storage.digest_record import DigestInterval

HANOI, BERLIN = ZoneInfo("Asia/Ho_Chi_Minh"), ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def subscription(zone: ZoneInfo = HANOI, at: time = time(8)) -> Subscription:
    return Subscription("acme", (DigestInterval.DAY, DigestInterval.WEEK), at, zone, ("desk",))


@pytest.mark.parametrize(
    ("day", "zone", "since", "hours"),
    [
        (date(2026, 11, 20), "UTC", "2026-11-20T00:00", 24),
        (date(2026, 11, 20), "Asia/Ho_Chi_Minh", "2026-11-19T17:00", 24),
        (date(2026, 3, 29), "Europe/Berlin", "2026-03-28T23:00", 23),
        (date(2026, 10, 25), "Europe/Berlin", "2026-10-24T22:00", 25),
        # Clocks go forward at midnight: the day begins at 01:00.
        (date(2026, 4, 24), "Africa/Cairo", "2026-04-23T22:00", 23),
        # Clocks go back from 24:00 to 23:00: the day before is longer, this one begins once.
        (date(2026, 10, 29), "Africa/Cairo", "2026-10-28T21:00", 25),
        (date(2026, 10, 30), "Africa/Cairo", "2026-10-29T22:00", 24),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(
    day: date, zone: str, since: str, hours: int
) -> None:
    period = Period(DigestInterval.DAY, day, ZoneInfo(zone))
    assert period.since == utc(since)
    assert period.until - period.since == hours * HOUR
    assert (period.before.until, period.after.since) == (period.since, period.until)
    assert period.last == day


def test_a_week_begins_on_monday() -> None:
    for day in range(16, 23):
        week = period_of(DigestInterval.WEEK, date(2026, 11, day), HANOI)
        assert (week.first, week.last) == (date(2026, 11, 16), date(2026, 11, 22))
    assert week.before.last == date(2026, 11, 15)
    assert week.after.first == date(2026, 11, 23)
    assert [one.first.day for one in week.days] == list(range(16, 23))
    assert week.days[0].since == week.since
    assert week.days[-1].until == week.until


@pytest.mark.parametrize(
    ("day", "at", "wanted"),
    [
        (date(2026, 3, 29), time(2, 30), "2026-03-29T01:30"),  # skipped: as if not yet changed
        (date(2026, 10, 25), time(2, 30), "2026-10-25T00:30"),  # twice: the first
        (date(2026, 10, 25), time(8), "2026-10-25T07:00"),
        (date(2026, 7, 1), time(8), "2026-07-01T06:00"),
    ],
)
def test_a_time_on_the_wall(day: date, at: time, wanted: str) -> None:
    assert instant(day, at, BERLIN) == utc(wanted)


@pytest.mark.parametrize(
    ("now", "every", "first"),
    [
        ("2026-11-21T00:59:59", DigestInterval.DAY, date(2026, 11, 19)),  # 07:59 in Hanoi
        ("2026-11-21T01:00:00", DigestInterval.DAY, date(2026, 11, 20)),
        ("2026-11-21T16:59:59", DigestInterval.DAY, date(2026, 11, 20)),
        (
            "2026-11-21T17:00:00",
            DigestInterval.DAY,
            date(2026, 11, 20),
        ),  # past midnight: not due before 8
        ("2026-11-23T00:59:59", DigestInterval.WEEK, date(2026, 11, 9)),
        ("2026-11-23T01:00:00", DigestInterval.WEEK, date(2026, 11, 16)),
        ("2026-11-29T23:00:00", DigestInterval.WEEK, date(2026, 11, 16)),
    ],
)
def test_the_latest_digest_that_was_due(now: str, every: DigestInterval, first: date) -> None:
    assert subscription().latest(every, utc(now)) == Period(every, first, HANOI)


def test_every_digest_is_due_once_over_a_year_of_changing_clocks() -> None:
    """Whoever looks every hour sees every day once, in order, at the time on the wall."""
    digest = subscription(BERLIN, time(2, 30))
    now, seen = utc("2026-01-10T00:00"), list[Period]()
    for _ in range(365 * 24):
        now += HOUR
        period = digest.latest(DigestInterval.DAY, now)
        assert digest.due_at(period) <= now < digest.due_at(period.after)
        if not seen or period != seen[-1]:
            seen.append(period)
    assert [one.after for one in seen[:-1]] == seen[1:]
    assert len(seen) in (365, 366)


def test_when_the_next_one_is_due() -> None:
    digest = subscription()
    assert digest.next_at(utc("2026-11-21T00:30")) == utc("2026-11-21T01:00")
    assert digest.next_at(utc("2026-11-21T01:00")) == utc("2026-11-22T01:00")
    weekly = Subscription("boss", (DigestInterval.WEEK,), time(18, 30), BERLIN, ("desk",))
    assert weekly.next_at(utc("2026-11-21T01:00")) == utc("2026-11-23T17:30")
