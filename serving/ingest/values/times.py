"""The time of a comment, in every form that has one meaning. What has two is refused, not guessed.

`dateutil` fills in what a text does not say and takes 1/2 for one of two days. So a text is read
twice, with other defaults and the other order; where the two differ, the text does not say enough.
"""

import re
import warnings
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from serving.ingest.values import date_words
from serving.ingest.values.invalid_value import InvalidValue
from serving.ingest.values.rules import TimeRules

_LONGEST = 96
_EXAMPLE = "write it like 2026-03-01T12:30:00Z"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Numbers a second, and where 2000 to 2100 lies in seconds: the units do not overlap.
_UNITS = (1, 1000, 1_000_000, 1_000_000_000)
_FIRST, _LAST = 946_684_800, 4_102_444_800
_OLD = 100_000_000  # seconds since 1970, in 1973: less is not taken for an epoch
_SERIALS = range(36_526, 73_415)  # spreadsheets count days since 1900; these are 2000 to 2100

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_GROUPED = re.compile(r"\d{1,3}(,\d{3}){2,}")
_ROUNDED = re.compile(r"\d[.,]?\d*[eE]\+?\d+")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.] ?(\d{1,2})[-/.] ?(\d{1,2})(?![\d/-]|\.\d)[T,. ]*")
# Java: 2026-11-25T20:19:24+09:00[Asia/Seoul]; others: 2026-11-25 20:19:24 Asia/Seoul
_PLACE = re.compile(r"\s*(?:\[([\w/+:-]+)\]|(?<=\s)([A-Z][A-Za-z_]+/[A-Za-z_/+-]+))$")
_JAVASCRIPT = re.compile(r"([+-]\d{4}) \([\w .:+-]+\)$")  # GMT+0700 (Indochina Time)
_TIME_FIRST = re.compile(
    r"^(\d{1,2}:\d\d(?::\d\d)?(?: ?[AaPp]\.?[Mm]\.?)?),? (\d{4}[-/.]\d{1,2}[-/.]\d{1,2})$"
)
_CLOCK = re.compile(r"(?<![\d:+-])\d{1,2}:\d\d(?!\d)")
_OFFSET = re.compile(r"(?:UTC|GMT|UT)?\s*([+-])(\d{1,2})(?::?(\d\d))?$", re.IGNORECASE)
_ZONE_NAME = re.compile(r"(?<=[\d ])(UTC|GMT|UT|Z)$", re.IGNORECASE)
_MIDNIGHT_24 = re.compile(r"^(.*\D)24:00(:00(?:\.0+)?)?(?!\d)")
_MAIL = re.compile(r"[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} ")
_AFTER_TIME = re.compile(r"\s*\((edited|bearbeitet|modifié|editado|đã chỉnh sửa)\)$", re.IGNORECASE)
_RELATIVE = re.compile(
    r"\bago\b(?!\.?,? (de )?\d{4})|yesterday|just now|^\d+\s*(s|m|h|d|w|mo|y|min|hr|std|j)\b\.?$"
    r"|\bvor\b|\bhace\b|il y a|\btrước\b|전$|前$|назад",
    re.IGNORECASE,
)
_DEFAULTS = (datetime(2001, 1, 1, 1, 1), datetime(2004, 6, 7, 5, 17))  # noqa: DTZ001 - the text says


def read_time(value: object, how: TimeRules) -> datetime:
    """A value as an aware time.

    Args:
        value: text, a time, or a number of seconds, milli-, micro- or nanoseconds since 1970.
        how: what is known of the times beside what they say.

    Raises:
        InvalidValue: it is no time, or one that could be several.
    """
    if isinstance(value, datetime):
        return _in_zone(value, how.zone)
    if isinstance(value, date):
        raise _day_only()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(value)
    if not isinstance(value, str):
        raise InvalidValue("wrong_type", f"must be text or a number; {_EXAMPLE}")
    if how.date_format is None and how.as_of is None and len(value) <= _LONGEST:
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            if len(value) >= 16:  # longer than a day
                return _in_zone(found, how.zone)
    return _in_zone(_read(value, how), how.zone)


def parse_zone(name: str) -> tzinfo:
    """A time zone by its IANA name (`Asia/Ho_Chi_Minh`) or its offset (`+07:00`).

    Raises:
        ValueError: there is no such zone; says what a zone is.
    """
    if name.upper() in {"UTC", "Z", "GMT"}:
        return UTC
    if match := re.fullmatch(r"([+-])(\d\d):(\d\d)", name):
        return _offset(match[1], int(match[2]), int(match[3]))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is not a time zone; give a name such as UTC or Asia/Seoul, or +07:00"
        ) from None


def _read(value: str, how: TimeRules) -> datetime:
    text = _plain(value)
    if not text:
        raise InvalidValue("missing_field", "is missing")
    if len(text) > _LONGEST:
        raise InvalidValue("bad_timestamp", f"is not a date and time; {_EXAMPLE}")
    if how.date_format is not None:
        try:
            return datetime.strptime(text, how.date_format)  # noqa: DTZ007 - the format may have one
        except ValueError:
            raise InvalidValue(
                "bad_timestamp", f"{_quoted(value)} is not of the date format {how.date_format!r}"
            ) from None
    if (found := _number(text)) is not None:
        return found
    if _RELATIVE.search(text):
        return _relative(text, how.as_of)
    return _absolute(text, value, how.day_first)


def _plain(value: str) -> str:
    """Text in ASCII digits, signs and spaces, without a remark behind it."""
    return date_words.plain(_AFTER_TIME.sub("", value.strip()))


def _number(text: str) -> datetime | None:
    """Digits alone: a number since 1970, or 20261125201924."""
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if _ROUNDED.fullmatch(text):
        raise InvalidValue(
            "bad_timestamp",
            f"{_quoted(text)} is a number that a spreadsheet rounded; export the column as text, "
            "with all its digits",
        )
    if not _NUMBER.fullmatch(text):
        return None
    number = int(text) if text.lstrip("+-").isdigit() else float(text)
    compact = _COMPACT.fullmatch(text)
    if compact and not any(_FIRST * unit <= number <= _LAST * unit for unit in _UNITS):
        parts = [int(part) for part in compact.groups() if part]
        try:
            moment = datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - digits have no zone
        except ValueError:
            pass
        else:
            if len(parts) == 3:
                raise _day_only()
            return moment
    return _epoch(number)


def _epoch(number: float) -> datetime:
    for unit in _UNITS:
        if (_OLD if unit == 1 else _FIRST * unit) <= number <= _LAST * unit:
            whole = int(number)
            micros = whole * 1_000_000 // unit
            if number != whole:
                micros += round((number - whole) * 1_000_000 / unit)
            return _EPOCH + timedelta(microseconds=micros)
    if int(number if number == number and abs(number) < 1e18 else 0) in _SERIALS:
        raise InvalidValue(
            "bad_timestamp",
            f"{number:g} looks like a spreadsheet's count of days, which has no time zone and "
            "begins in 1900 or 1904; format the column as date and time, and export it again",
        )
    raise InvalidValue("bad_timestamp", f"{number:g} is not a time since 1970; {_EXAMPLE}")


def _relative(text: str, as_of: datetime | None) -> datetime:
    if as_of is None:
        raise InvalidValue(
            "relative_timestamp",
            f"{_quoted(text)} is relative to when it was read, which the file does not say",
        )
    found = _before(text, as_of.astimezone(UTC).replace(tzinfo=None))
    if found is None:
        raise InvalidValue("bad_timestamp", f"{_quoted(text)} is not a date and time; {_EXAMPLE}")
    return found.replace(tzinfo=UTC)


@lru_cache(maxsize=4096)  # an export says "2 days ago" thousands of times
def _before(text: str, base: datetime) -> datetime | None:
    import dateparser

    found: datetime | None = dateparser.parse(
        text, settings={"RELATIVE_BASE": base, "PARSERS": ["relative-time"]}
    )
    return found


def _absolute(text: str, value: str, day_first: bool | None) -> datetime:
    place: tzinfo | None = None
    if match := _PLACE.search(text):
        text, place = text[: match.start()], _place(match[1] or match[2], value)
    text = _JAVASCRIPT.sub(r"\1", date_words.in_english(text))
    text = _TIME_FIRST.sub(r"\2 \1", text)
    text = re.sub(r"([apAP]\.?[mM]\.?) - ", r"\1 ", text)  # 3:05 PM - 1 Mar 2026
    zone: tzinfo | None = None
    if len(_CLOCK.findall(text)) > 1:
        raise InvalidValue("bad_timestamp", f"{_quoted(value)} has two times of day; {_EXAMPLE}")
    if match := _ZONE_NAME.search(text):
        text, zone = text[: match.start()].rstrip(), UTC
    elif (match := _OFFSET.search(text)) and _has_time(text[: match.start()]):
        zone = _offset(match[1], int(match[2]), int(match[3] or 0))
        text = text[: match.start()].rstrip()
    extra = timedelta()
    if match := _MIDNIGHT_24.match(text):  # ISO 8601: the end of the day
        text, extra = f"{match[1]}00:00{match[2] or ''}", timedelta(days=1)
    if match := _YEAR_FIRST.match(text):
        text = f"{match[1]}-{match[2]:0>2}-{match[3]:0>2} {text[match.end() :]}".rstrip()
        day_first = False
    found = _iso(text) or _mail(text) or _twice(text, value, day_first)
    if zone is not None:
        if found.tzinfo is not None:
            raise InvalidValue("bad_timestamp", f"{_quoted(value)} names two time zones")
        found = found.replace(tzinfo=zone)
    if place is not None and found.tzinfo is None:
        found = _in_zone(found, place)
    return found + extra


def _place(name: str, value: str) -> tzinfo:
    try:
        return parse_zone(name)
    except ValueError as error:
        raise InvalidValue("bad_timestamp", f"{_quoted(value)}: {error}") from None


def _has_time(text: str) -> bool:
    return ":" in text or bool(re.search(r"T\d\d$|\d\s*[AaPp]\.?[Mm]\.?\s*$", text))


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) <= 10:
        raise _day_only()
    return found


def _mail(text: str) -> datetime | None:
    """RFC 2822, which says what EST means."""
    if not _MAIL.match(text):
        return None
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return None if found.tzinfo is None and re.search(r"[A-Za-z]$", text) else found


def _twice(text: str, value: str, day_first: bool | None) -> datetime:
    orders = (False, True) if day_first is None else (day_first, day_first)
    first, second = (
        _guess(text, default, order) for default, order in zip(_DEFAULTS, orders, strict=True)
    )
    if day_first is not None and first is not None and first.day != first.month:
        other = _guess(text, _DEFAULTS[0], not day_first)
        parts = re.match(r"\D*(\d{1,2})[-/. ]+(\d{1,2})[-/. ]+\d{4}", text)
        if parts and other == first and (first.day == int(parts[1])) != day_first:
            what = "day" if day_first else "month"
            raise InvalidValue(
                "bad_timestamp", f"{_quoted(value)} has no {what} first, as the option says"
            )
    if first is not None and first == second and re.search(r"(?<!\d)\d{4}(?!\d)", text):
        return first
    if first is None or second is None or not re.search(r"(?<!\d)\d{4}(?!\d)", text):
        raise InvalidValue("bad_timestamp", f"{_quoted(value)} is not a date and time; {_EXAMPLE}")
    if first.time() != second.time():
        raise _day_only()
    if _guess(text, _DEFAULTS[1], orders[0]) != first:
        raise InvalidValue("bad_timestamp", f"{_quoted(value)} does not name a day; {_EXAMPLE}")
    raise InvalidValue(
        "ambiguous_timestamp",
        f"{_quoted(value)} may be {first.day} {first:%B} or {second.day} {second:%B}; "
        "write the year first",
    )


def _guess(text: str, default: datetime, day_first: bool) -> datetime | None:
    from dateutil import parser

    with warnings.catch_warnings():
        warnings.simplefilter("error", parser.UnknownTimezoneWarning)
        try:
            found = parser.parse(text, default=default, dayfirst=day_first)
        except parser.UnknownTimezoneWarning:
            raise InvalidValue(
                "ambiguous_zone",
                f"{_quoted(text)} names its time zone by letters that several zones share; "
                "write an offset such as -05:00",
            ) from None
        except (ValueError, OverflowError):
            return None
    return found if isinstance(found, datetime) else None


def _in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    if moment.utcoffset() is not None:
        return moment
    if zone is None:
        raise InvalidValue(
            "naive_timestamp", "has no time zone; add Z for UTC or an offset such as +07:00"
        )
    early, late = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    twice = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment
    what = "comes twice" if twice else "does not exist"
    raise InvalidValue(
        "repeated_hour",
        f"{moment:%Y-%m-%d %H:%M} {what} in {zone}, where the clocks change; add an offset",
    )


def _offset(sign: str, hours: int, minutes: int) -> tzinfo:
    if hours > 14 or minutes > 59:
        raise InvalidValue("bad_timestamp", f"has the offset {sign}{hours}:{minutes:02}")
    span = timedelta(hours=hours, minutes=minutes)
    return timezone(-span if sign == "-" else span)


def _day_only() -> InvalidValue:
    return InvalidValue(
        "no_time_of_day",
        "is a day without a time; every comment of the day would fall on midnight",
    )


def _quoted(text: str) -> str:
    return repr(text.strip()[:40])
