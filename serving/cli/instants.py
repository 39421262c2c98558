"""Times on the command line: an instant, or a length of time from now."""

import re
from datetime import UTC, date, datetime, time, timedelta

import typer

_DAY = 10  # characters of 2026-03-01
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LENGTH = re.compile(r"(\d{1,5})([mhd])")


def parse_time(option: str, text: str) -> datetime:
    """An instant in ISO 8601; UTC unless it has a zone.

    Raises:
        typer.BadParameter: `text` is not one; names the option.
    """
    from serving.ingest.values.invalid_value import InvalidValue
    from serving.ingest.values.rules import TimeRules
    from serving.ingest.values.times import read_time

    try:
        if len(text) == _DAY:
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        return read_time(text, TimeRules(zone=UTC))
    except (InvalidValue, ValueError):
        raise typer.BadParameter(f"{option} {text!r} is not a time like 2026-03-01T12:30") from None


def parse_time_or_length(option: str, text: str, now: datetime) -> datetime:
    """An instant: a length from now such as `30m`, `2h` or `1d12h`, or a time in ISO 8601.

    Raises:
        typer.BadParameter: `text` is neither; names the option.
    """
    if (length := _length(text)) is not None:
        return now + length
    if re.match(r"\d{1,5}[^\d-]", text):
        raise typer.BadParameter(f"{option} {text!r} is not a length like 30m, 2h or 1d12h")
    try:
        return parse_time(option, text)
    except typer.BadParameter:
        raise typer.BadParameter(
            f"{option} {text!r} is neither a length like 30m, 2h or 1d12h nor a time like "
            "2026-03-01T12:30"
        ) from None


def parse_length(option: str, text: str) -> timedelta:
    """A length of time such as `30m`, `2h` or `1d12h`.

    Raises:
        typer.BadParameter: `text` is not one; names the option.
    """
    length = _length(text)
    if length is None:
        raise typer.BadParameter(f"{option} {text!r} is not a length like 30m, 2h or 1d12h")
    return length


def _length(text: str) -> timedelta | None:
    parts = _LENGTH.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())


def parse_day(option: str, text: str) -> date:
    """A day in ISO 8601.

    Raises:
        typer.BadParameter: `text` is not one; names the option.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option} {text!r} is not a day like 2026-11-20") from None
