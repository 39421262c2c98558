"""When a team is at work: spans of the week, in the team's time zone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"\s*([A-Za-z, -]+?)\s+(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)\s*")
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time on certain days of the week, in local time.

    Attributes:
        days: on which it begins, 0 for Monday.
        start: minutes after midnight.
        end: minutes after the same midnight, above `start`; past 1440 it lies on the next day.
    """

    days: frozenset[int]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a team.

    Attributes:
        spans: at least one.
        zone: the time zone of the hours.
        written: the spans as somebody wrote them.
    """

    spans: tuple[Span, ...]
    zone: ZoneInfo
    written: tuple[str, ...]

    def opens(self, now: datetime) -> datetime:
        """The first instant from `now` on that lies in the hours: `now` itself where it does.

        Where clocks change, hours that begin or end in the repeated hour hold all of it, and a
        time that is skipped is taken as if the clocks had not yet been changed.

        Args:
            now: aware.

        Returns:
            Aware, in UTC where it is not `now`.
        """
        ahead = (start for start, end in self._around(now) if now < end)
        return max(now, min(ahead))

    def _around(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches from the day before to the same weekday in the next week and one on."""
        today = now.astimezone(self.zone).date()
        for day in (today + timedelta(days=ahead) for ahead in range(-1, 9)):
            for span in self.spans:
                if day.weekday() in span.days:
                    yield self._at(day, span.start)[0], max(self._at(day, span.end))

    def _at(self, day: date, minutes: int) -> tuple[datetime, datetime]:
        """The instants of a local time; they differ only where clocks change."""
        wall = datetime.combine(day, time(), self.zone) + timedelta(minutes=minutes)
        return wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)


def read_hours(texts: Sequence[str], zone: ZoneInfo) -> Hours:
    """Hours from texts such as "Mon-Fri 08:00-19:00", "Sat,Sun 10:00-14:00", "Fri-Sat 22:00-06:00".

    Args:
        texts: one a span, at least one; an end at or before its start lies on the next day.
        zone: the time zone of the hours.

    Raises:
        ValueError: a text has another form.
    """
    return Hours(tuple(_span(text) for text in texts), zone, tuple(texts))


def _span(text: str) -> Span:
    shown = repr(text[:64])
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{shown} cannot be read; write hours like 'Mon-Fri 08:00-19:00'")
    start, end = _minutes(match[2], match[3], shown), _minutes(match[4], match[5], shown)
    if start == _DAY:
        raise ValueError(f"{shown} begins at 24:00; write 00:00 of the next day")
    if start == end:
        raise ValueError(f"{shown} is empty; for a whole day write 00:00-24:00")
    return Span(_days(match[1], shown), start, end if end > start else end + _DAY)


def _minutes(hour: str, minute: str, shown: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > _DAY:
        raise ValueError(f"{shown}: {hour}:{minute} is no time of day; write 00:00 to 24:00")
    return minutes


def _days(text: str, shown: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = (name.strip().lower() for name in part.partition("-"))
        last = last or first
        if unknown := {first, last} - set(_DAYS):
            day = min(unknown)
            raise ValueError(f"{shown}: there is no day {day!r}; write Mon, Tue, Wed … Sun")
        begin, end = _DAYS.index(first), _DAYS.index(last)
        days |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(days)
