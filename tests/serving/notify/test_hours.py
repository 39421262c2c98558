"""When a team is at work next, as a table; and what is said of hours that cannot be read."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from serving.notify.routing.hours import read_hours

NEW_YORK, HANOI = "America/New_York", "Asia/Ho_Chi_Minh"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "hours", "now", "opens"),
    [
        (HANOI, "Mon-Fri 08:00-19:00", "2026-03-10 00:59", "2026-03-10 01:00"),
        (HANOI, "Mon-Fri 08:00-19:00", "2026-03-10 01:00", "2026-03-10 01:00"),
        (HANOI, "Mon-Fri 08:00-19:00", "2026-03-10 11:59", "2026-03-10 11:59"),
        (HANOI, "Mon-Fri 08:00-19:00", "2026-03-10 12:00", "2026-03-11 01:00"),
        (HANOI, "Mon-Fri 08:00-19:00", "2026-03-13 12:00", "2026-03-16 01:00"),
        (HANOI, "mon, wed 08:00 - 19:00", "2026-03-10 06:00", "2026-03-11 01:00"),
        (HANOI, "Sat-Mon 08:00-19:00", "2026-03-10 06:00", "2026-03-14 01:00"),
        ("UTC", "Mon-Sun 00:00-24:00", "2026-03-10 23:59:59", "2026-03-10 23:59:59"),
        ("UTC", "Tue 08:00-09:00", "2026-03-10 09:00", "2026-03-17 08:00"),
        ("UTC", "Tue 07:59-08:59", "2026-03-10 07:58", "2026-03-10 07:59"),
        ("UTC", "Tue 22:00-06:00", "2026-03-11 05:59", "2026-03-11 05:59"),
        ("UTC", "Tue 22:00-06:00", "2026-03-11 06:00", "2026-03-17 22:00"),
        # New York's clocks go from 02:00 to 03:00 on 8 March 2026: its morning comes an hour early.
        (NEW_YORK, "Mon-Sun 08:00-19:00", "2026-03-07 12:30", "2026-03-07 13:00"),
        (NEW_YORK, "Mon-Sun 08:00-19:00", "2026-03-08 11:30", "2026-03-08 12:00"),
        (NEW_YORK, "Sat 22:00-06:00", "2026-03-08 09:59", "2026-03-08 09:59"),
        (NEW_YORK, "Sat 22:00-06:00", "2026-03-08 10:00", "2026-03-15 02:00"),
        (NEW_YORK, "Sun 02:15-02:45", "2026-03-08 07:00", "2026-03-08 07:15"),
        (NEW_YORK, "Sun 02:15-02:45", "2026-03-08 07:45", "2026-03-15 06:15"),
        # They go from 02:00 back to 01:00 on 1 November: the hours hold the hour that is twice.
        (NEW_YORK, "Mon-Sun 08:00-19:00", "2026-11-01 12:30", "2026-11-01 13:00"),
        (NEW_YORK, "Sun 01:15-01:45", "2026-11-01 05:00", "2026-11-01 05:15"),
        (NEW_YORK, "Sun 01:15-01:45", "2026-11-01 06:30", "2026-11-01 06:30"),
        (NEW_YORK, "Sun 01:15-01:45", "2026-11-01 06:45", "2026-11-08 06:15"),
    ],
)
def test_the_next_instant_at_work(zone: str, hours: str, now: str, opens: str) -> None:
    assert read_hours([hours], ZoneInfo(zone)).opens(utc(now)) == utc(opens)


def test_of_several_spans_the_nearest_counts() -> None:
    hours = read_hours(["Mon-Fri 14:00-18:00", "Mon-Fri 08:00-12:00"], ZoneInfo("UTC"))
    assert hours.opens(utc("2026-03-10 07:00")) == utc("2026-03-10 08:00")
    assert hours.opens(utc("2026-03-10 12:00")) == utc("2026-03-10 14:00")
    assert hours.opens(utc("2026-03-10 15:00")) == utc("2026-03-10 15:00")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("8-19", "write hours like 'Mon-Fri 08:00-19:00'"),
        ("Mon-Fri 8:00-19:00", "write hours like"),
        ("Mon-Fri", "write hours like"),
        ("", "write hours like"),
        ("Mon-Fry 08:00-19:00", "there is no day 'fry'"),
        ("Mon, 08:00-19:00", "there is no day ''"),
        ("Mon-Fri 08:00-25:00", "25:00 is no time of day"),
        ("Mon-Fri 08:60-19:00", "08:60 is no time of day"),
        ("Mon-Fri 08:00-24:30", "24:30 is no time of day"),
        ("Mon-Fri 24:00-06:00", "write 00:00 of the next day"),
        ("Mon-Fri 08:00-08:00", "for a whole day write 00:00-24:00"),
    ],
)
def test_hours_that_cannot_be_read(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_hours([text], ZoneInfo("UTC"))
