"""Times on the command line: how long from now, or an instant."""

import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LENGTH = re.compile(r"(\d{1,5})([mhd])")


def parse_instant_of(option: str, text: str) -> str:
    """An instant as ISO 8601, UTC unless `text` says otherwise.

    Raises:
        typer.BadParameter: it is none; names the option.
    """
    from serving.cli.files.columns import RowFault, parse_instant

    try:
        return parse_instant(text, UTC).isoformat()
    except RowFault:
        raise typer.BadParameter(f"{option} {text!r} is not a time like 2026-03-01T12:30") from None


def parse_moment(option: str, text: str, now: datetime) -> str:
    """An instant as ISO 8601: a length from now such as `30m`, `2h` or `1d12h`, or an instant.

    Raises:
        typer.BadParameter: it is neither; names the option.
    """
    parts = _LENGTH.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        length = sum((timedelta(**{_UNITS[u]: int(n)}) for n, u in parts), timedelta())
        return (now + length).isoformat()
    if re.match(r"\d{1,5}[^\d-]", text):
        raise typer.BadParameter(f"{option} {text!r} is not a length like 30m, 2h or 1d12h")
    return parse_instant_of(option, text)
