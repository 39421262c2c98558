"""Every form of a time that has one meaning is read; what has two is refused, never guessed."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from serving.ingest.values.invalid_value import InvalidValue
from serving.ingest.values.rules import NOTHING_KNOWN, TimeRules
from serving.ingest.values.times import parse_zone, read_time

UTC_ZONE = TimeRules(zone=UTC)
AT = datetime(2026, 11, 25, 20, 19, 24, tzinfo=UTC)
MINUTE = AT.replace(second=0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-25T20:19:24Z", AT),
        ("  2026-11-25T20:19:24Z ", AT),
        ("2026-11-25T20:19:24.000Z", AT),
        ("2026-11-25T20:19:24.123456789Z", AT.replace(microsecond=123456)),
        ("2026-11-25T20:19:24+0000", AT),
        ("2026-11-25 20:19:24 UTC", AT),
        ("2026-11-25 20:19:24 GMT", AT),
        ("2026-11-25 20:19:24 Z", AT),
        ("2026-11-25T20:19:24Z[UTC]", AT),
        ("2026-11-25T21:19:24+01:00[Europe/Paris]", AT),
        ("2026-11-26T03:19:24 +07:00", AT),
        ("2026-11-26 03:19:24 +07", AT),
        ("2026-11-26 03:19:24 UTC+7", AT),
        ("2026-11-26 03:19:24 GMT+0700", AT),
        ("2026-11-25T15:19:24\u221205:00", AT),
        ("Wed Nov 25 20:19:24 +0000 2026", AT),
        ("Wed, 25 Nov 2026 20:19:24 GMT", AT),
        ("Wed, 25 Nov 2026 15:19:24 EST", AT),
        ("Nov 25, 2026, 8:19:24 PM UTC", AT),
        ("\u0662\u0660\u0662\u0666-\u0661\u0661-\u0662\u0665T20:19:24Z", AT),
        ("2026/11/25 20:19:24Z", AT),
        ("2026-11-24T24:00:00Z", datetime(2026, 11, 25, tzinfo=UTC)),
        (AT, AT),
        (1795637964, AT),
        (1795637964.0, AT),
        ("1795637964", AT),
        ("1795637964 ", AT),
        ("1795637964.0", AT),
        ("1,795,637,964", AT),
        (1795637964.25, AT.replace(microsecond=250_000)),
        ("1795637964000", AT),
        ("1795637964000000", AT),
        ("1795637964000000000", AT),
        (1795637964000.0, AT),
        ("Wed Nov 25 2026 22:19:24 GMT+0200 (Eastern European Standard Time)", AT),
        ("2026-11-26T03:19:24[Asia/Ho_Chi_Minh]", AT),
        ("2026-11-26 05:19:24 Asia/Seoul", AT),
        ("Wed, 25 Nov 2026 20:19:24 -0000", AT),
        ("1543846575.0", datetime(2018, 12, 3, 14, 16, 15, tzinfo=UTC)),
    ],
)
def test_what_has_one_meaning_is_read(value: object, expected: datetime) -> None:
    assert read_time(value, NOTHING_KNOWN) == expected


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-25T20:19",
        "2026-11-25 8:19 PM",
        "2026-11-25, 20:19:00",
        "2026/11/25 20:19",
        "2026.11.25 20:19:00",
        "11/25/2026 8:19 PM",
        "11/25/2026 8:19\u202fPM",
        "25/11/2026 20:19",
        "25.11.2026 20:19",
        "25-Nov-2026 20:19",
        "25 November 2026 at 20:19",
        "2026年11月25日 20:19",
        "2026년 11월 25일 20:19",
        "2026년 11월 25일 오후 8:19",
        "2026년 11월 25일 오후 8시 19분",
        "2026. 11. 25. 오후 8:19",
        "2026年11月25日 下午8:19",
        "2026/11/25 午後 8:19",
        "8:19 PM · Nov 25, 2026",
        "8:19 PM - 25 Nov 2026",
        "20:19 2026-11-25",
        "25 tháng 11, 2026 20:19",
        "lúc 20:19, ngày 25 tháng 11 năm 2026",
        "25 de noviembre de 2026, 20:19",
        "25. November 2026 um 20:19",
        "25 Novembre 2026 20:19",
        "25 de novembro de 2026 às 20:19",
        "25 ноября 2026 \u0433., 20:19",
        "20261125201900",
        "202611252019",
        MINUTE.replace(tzinfo=None),
    ],
)
def test_a_time_without_a_zone_needs_one(value: object) -> None:
    assert read_time(value, UTC_ZONE) == MINUTE
    assert read_time(value, TimeRules(zone=timezone(timedelta(hours=7)))) == MINUTE - timedelta(
        hours=7
    )
    with pytest.raises(InvalidValue) as caught:
        read_time(value, NOTHING_KNOWN)
    assert caught.value.code == "naive_timestamp"


@pytest.mark.parametrize(
    ("value", "code", "hint"),
    [
        ("01/02/2026 10:00", "ambiguous_timestamp", "2 January or 1 February"),
        ("01.02.2026 10:00", "ambiguous_timestamp", "write the year first"),
        ("2026-11-25 20:19:24 EST", "ambiguous_zone", "write an offset"),
        ("46355.4236111111", "bad_timestamp", "count of days"),
        ("46355", "bad_timestamp", "count of days"),
        (46355.42, "bad_timestamp", "count of days"),
        ("1.7956380E+09", "bad_timestamp", "rounded"),
        ("25/11/26 20:19", "bad_timestamp", ""),
        ("2026-11-25", "no_time_of_day", "midnight"),
        ("20261125", "no_time_of_day", ""),
        ("Nov 25, 2026", "no_time_of_day", ""),
        ("25/11/2026", "no_time_of_day", ""),
        (date(2026, 11, 25), "no_time_of_day", ""),
        ("2026-W48-3", "no_time_of_day", ""),
        ("Nov 25 10:00", "bad_timestamp", ""),
        ("10:30", "bad_timestamp", ""),
        ("2026-11-25T20:19:24 07:00", "bad_timestamp", "two times of day"),
        ("2026-11-25 20:19 Mars/Base", "bad_timestamp", "not a time zone"),
        ("Wed, 25 Nov 2026 20:19:24 ICT", "ambiguous_zone", "write an offset"),
        ("2026:11:25 20:19", "bad_timestamp", "does not name a day"),
        ("Nov 2026 20:19", "bad_timestamp", "does not name a day"),
        ("25 lip 2026 20:19", "bad_timestamp", ""),
        ("hello", "bad_timestamp", "write it like"),
        ("2026-13-25 10:00", "bad_timestamp", ""),
        ("2026-02-30 10:00", "bad_timestamp", ""),
        ("2026-11-25T20:19:60Z", "bad_timestamp", ""),
        ("2026-11-25T20:19+01:00 UTC", "bad_timestamp", "two time zones"),
        ("x" * 500, "bad_timestamp", ""),
        ("12", "bad_timestamp", ""),
        (float("nan"), "bad_timestamp", ""),
        (float("inf"), "bad_timestamp", ""),
        (10**40, "bad_timestamp", ""),
        (True, "wrong_type", ""),
        (["2026"], "wrong_type", ""),
        ("", "missing_field", ""),
        ("2 days ago", "relative_timestamp", ""),
        ("vor 2 Tagen", "relative_timestamp", ""),
        ("2 ngày trước", "relative_timestamp", ""),
        ("yesterday", "relative_timestamp", ""),
        ("5 h", "relative_timestamp", ""),
    ],
)
def test_what_has_none_or_two_is_refused_with_the_way_out(
    value: object, code: str, hint: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_time(value, UTC_ZONE)
    assert caught.value.code == code
    assert hint in caught.value.message


def test_the_order_of_day_and_month_can_be_said() -> None:
    for day_first, month, day in ((True, 2, 1), (False, 1, 2)):
        how = TimeRules(zone=UTC, day_first=day_first)
        assert read_time("01/02/2026 10:00", how) == datetime(2026, month, day, 10, tzinfo=UTC)
    year_first = TimeRules(zone=UTC, day_first=True)
    assert read_time("2026/02/01 10:00", year_first) == datetime(2026, 2, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "day_first"), [("11/25/2026 20:19", True), ("25/11/2026 20:19", False)]
)
def test_a_time_that_contradicts_the_given_order_is_refused(value: str, day_first: bool) -> None:
    assert read_time(value, TimeRules(zone=UTC, day_first=not day_first)) == MINUTE
    with pytest.raises(InvalidValue) as caught:
        read_time(value, TimeRules(zone=UTC, day_first=day_first))
    assert "as the option says" in caught.value.message


def test_the_format_can_be_given() -> None:
    how = TimeRules(zone=UTC, date_format="%d.%m.%y")
    assert read_time("01.02.26", how) == datetime(2026, 2, 1, tzinfo=UTC)
    with pytest.raises(InvalidValue, match="date format"):
        read_time("2026-02-01T10:00:00Z", how)
    with_offset = TimeRules(date_format="%d/%m/%Y %H:%M %z")
    assert read_time("25/11/2026 20:19 +0000", with_offset) == MINUTE


@pytest.mark.parametrize(
    ("value", "before"),
    [
        ("2 days ago", timedelta(days=2)),
        ("2 days ago (edited)", timedelta(days=2)),
        ("vor 2 Tagen", timedelta(days=2)),
        ("hace 3 horas", timedelta(hours=3)),
        ("2 ngày trước", timedelta(days=2)),
        ("5 h", timedelta(hours=5)),
    ],
)
def test_relative_times_count_from_a_given_instant(value: str, before: timedelta) -> None:
    assert read_time(value, TimeRules(as_of=AT)) == AT - before


def test_an_instant_to_count_from_changes_no_other_time() -> None:
    assert read_time("2026-11-25T20:19:24Z", TimeRules(as_of=AT + timedelta(days=9))) == AT


def test_the_hour_that_comes_twice_is_said() -> None:
    how = TimeRules(zone=ZoneInfo("America/New_York"))
    assert read_time("2026-11-01 02:05:00", how) == datetime(2026, 11, 1, 7, 5, tzinfo=UTC)
    for value, words in (
        ("2026-11-01 01:10:00", "comes twice"),
        ("2026-03-08 02:30:00", "does not exist"),
    ):
        with pytest.raises(InvalidValue, match=words) as caught:
            read_time(value, how)
        assert caught.value.code == "repeated_hour"


def test_zones_are_names_or_offsets() -> None:
    assert parse_zone("utc") is UTC
    assert parse_zone("Asia/Seoul") == ZoneInfo("Asia/Seoul")
    assert parse_zone("-05:30").utcoffset(None) == -timedelta(hours=5, minutes=30)
    for name in ("Nowhere/Land", "../etc/passwd", "", "+7"):
        with pytest.raises(ValueError, match="is not a time zone"):
            parse_zone(name)
