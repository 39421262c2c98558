"""Which column of a file holds which field of a comment, and how its values are read."""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from serving.errors import InputError, ServingError
from serving.ingest.comment import CommentIn

FIELDS = tuple(CommentIn.model_fields)
# `kol_id`, or `handle` in its place.
REQUIRED = tuple(
    name for name, info in CommentIn.model_fields.items() if info.is_required() or name == "kol_id"
)

# What exports call our fields; only ever offered as a suggestion, never applied silently.
_ALIASES = {
    "platform": ("network", "source", "site", "channel"),
    "comment_id": ("id", "message_id", "tweet_id"),
    "kol_id": ("kol", "account", "influencer", "creator", "page"),
    "text": ("comment", "message", "body", "content", "comment_text"),
    "created_at": ("time", "timestamp", "date", "datetime", "created", "published_at"),
}
_SECONDS_DIGITS, _MILLISECONDS_DIGITS = (9, 10), (12, 13)


class RowFault(ServingError):
    """One row of a file cannot be read."""

    code = "bad_row"


class NaiveTime(RowFault):
    """A time without a zone, and no zone was given for the file."""


def parse_zone(name: str) -> tzinfo:
    """A time zone by its IANA name, for example `Asia/Ho_Chi_Minh`.

    Raises:
        InputError: there is no such zone.
    """
    try:
        return UTC if name.upper() in {"UTC", "Z"} else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"--timezone {name!r} is not a time zone; give a name such as UTC or Asia/Seoul"
        ) from None


def parse_assignments(pairs: Iterable[str]) -> dict[str, str]:
    """`["created_at=time"]` as `{"created_at": "time"}`.

    Raises:
        InputError: a pair has no `=`, or its left side is not a field of a comment.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        name, column = name.strip(), column.strip()
        if not sign or not column:
            raise InputError(f"--column {pair!r} is not FIELD=COLUMN, for example created_at=time")
        if name not in FIELDS:
            raise InputError(
                f"--column {pair!r}: a comment has no field {name!r}{_nearest(name, FIELDS)}; "
                f"its fields are {', '.join(FIELDS)}"
            )
        found[name] = column
    return found


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """What the command line says about the columns of a file.

    Attributes:
        columns: field -> column, where the names differ.
        constants: field -> value that holds for every row (`platform`, `kol_id`).
        zone: the zone of times written without one; None to refuse them.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo | None = None

    def bind(self, available: Sequence[str]) -> "ColumnBinding":
        """Fit the mapping to the columns there are.

        Raises:
            InputError: a named column does not exist, or a required field has none.
        """
        by_key = {name.strip().casefold(): name for name in reversed(available)}
        chosen: dict[str, str] = {}
        missing: list[str] = []
        for name in FIELDS:
            if name in self.constants:
                continue
            wanted = self.columns.get(name, name)
            column = wanted if wanted in available else by_key.get(wanted.casefold())
            if column is not None:
                chosen[name] = column
            elif name in self.columns:
                raise InputError(
                    f"there is no column {wanted!r} for {name}{_nearest(wanted, available)}; "
                    f"the columns are {_listed(available)}"
                )
            elif name in REQUIRED:
                missing.append(name)
        if "handle" in chosen and "kol_id" in missing:
            missing.remove("kol_id")
        if missing:
            raise InputError(_missing(missing, available))
        ignored = tuple(name for name in available if name not in chosen.values())
        return ColumnBinding(chosen, dict(self.constants), self.zone, ignored)


@dataclass(frozen=True, slots=True)
class ColumnBinding:
    """A mapping fitted to one file.

    Attributes:
        columns: field -> column of this file.
        constants: field -> value for every row.
        zone: the zone of times written without one; None to refuse them.
        ignored: columns that no field uses.
    """

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    zone: tzinfo | None
    ignored: tuple[str, ...]

    def item(self, row: Mapping[str, object]) -> dict[str, object]:
        """The API's item for one row; empty optional values are left out.

        Raises:
            NaiveTime: the time has no zone and `zone` is None.
            RowFault: the time cannot be read.
        """
        item: dict[str, object] = dict(self.constants)
        for name, column in self.columns.items():
            value = row.get(column)
            if value is None or (isinstance(value, float) and math.isnan(value)):
                continue
            if name == "created_at":
                item[name] = parse_instant(value, self.zone).isoformat()
            elif name in _READERS:
                if value != "":
                    item[name] = _READERS[name](value)
            elif name == "edited_at":
                if value != "":
                    item[name] = parse_instant(value, self.zone).isoformat()
            elif name == "text" or value != "":
                item[name] = value if isinstance(value, str) else str(value)
        return item


def parse_instant(value: object, zone: tzinfo | None) -> datetime:
    """A cell as an aware time: ISO 8601 text, a date or time object, or Unix seconds or
    milliseconds, distinguished by their number of digits.

    Args:
        value: the cell.
        zone: the zone of a time without one; None to refuse it.

    Raises:
        NaiveTime: the time has no zone and `zone` is None.
        RowFault: the cell is no time.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime.combine(value, time())
    else:
        moment = _parse_text(str(value).strip())
    if moment.utcoffset() is not None:
        return moment
    if zone is None:
        raise NaiveTime(f"created_at {str(value)!r} has no time zone")
    return moment.replace(tzinfo=zone)


def _parse_text(text: str) -> datetime:
    if text.isascii() and text.isdigit():
        if len(text) in _SECONDS_DIGITS:
            return datetime.fromtimestamp(int(text), UTC)
        if len(text) in _MILLISECONDS_DIGITS:
            return datetime.fromtimestamp(int(text) / 1000, UTC)
    head, space, tail = text.rpartition(" ")
    if space and tail[:1] in {"+", "-"}:  # "2015-02-17 07:36:05 -0800"
        text = head + tail
    elif space and tail == "UTC":
        text = head + "+00:00"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise RowFault(
            f"created_at {text[:40]!r} is not a time; write it like 2026-03-01T12:30:00Z"
        ) from None


def _count(value: object) -> object:
    """Whole numbers as such (exports write 12 as 12.0); the rest is for the service to refuse."""
    if isinstance(value, str):
        digits = value.strip().removesuffix(".0")
        return int(digits) if digits.isascii() and digits.isdigit() else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _flag(value: object) -> object:
    """True and false as exports write them; the rest is for the service to refuse."""
    return _FLAGS.get(str(value).strip().casefold(), value)


_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_READERS: Mapping[str, Callable[[object], object]] = {"likes": _count, "deleted": _flag}


def _missing(missing: Sequence[str], available: Sequence[str]) -> str:
    by_key = {name.strip().casefold(): name for name in available}
    parts = []
    for name in missing:
        alias = next((by_key[a] for a in _ALIASES[name] if a in by_key), None)
        close = difflib.get_close_matches(name, available, n=1, cutoff=0.6)
        guess = alias or (close[0] if close else None)
        if name in {"platform", "kol_id"} and guess is None:
            parts.append(f"--{name.replace('_', '-')} NAME")
        else:
            parts.append(f"--column {name}={guess or 'COLUMN'}")
    return (
        f"there is no column for {', '.join(missing)}; the columns are {_listed(available)}. "
        f"Name them, for example: {' '.join(parts)}"
    )


def _nearest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _listed(names: Sequence[str], limit: int = 20) -> str:
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown or "none"
