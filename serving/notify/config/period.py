"""The day or the week that a digest is about, by the calendar of a time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from serving.storage.digest_record import DigestInterval

_DAY = timedelta(days=1)
_MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class Period:
    """A day from midnight to midnight, or a week from Monday to Monday.

    Where clocks change a day has 23 or 25 hours.

    Attributes:
        every: how long it is.
        first: its first day.
        zone: whose calendar it is.
    """

    every: DigestInterval
    first: date
    zone: ZoneInfo

    @property
    def last(self) -> date:
        """Its last day."""
        return self.first + (self._length - 1) * _DAY

    @property
    def since(self) -> datetime:
        """Its first instant, aware, UTC."""
        return instant(self.first, _MIDNIGHT, self.zone)

    @property
    def until(self) -> datetime:
        """The first instant past it, aware, UTC."""
        return instant(self.last + _DAY, _MIDNIGHT, self.zone)

    @property
    def before(self) -> "Period":
        """The one that ends where this one begins."""
        return Period(self.every, self.first - self._length * _DAY, self.zone)

    @property
    def after(self) -> "Period":
        """The one that begins where this one ends."""
        return Period(self.every, self.last + _DAY, self.zone)

    @property
    def days(self) -> tuple["Period", ...]:
        """Its days, in order."""
        return tuple(
            Period(DigestInterval.DAY, self.first + number * _DAY, self.zone)
            for number in range(self._length)
        )

    @property
    def _length(self) -> int:
        return 7 if self.every == DigestInterval.WEEK else 1


def period_of(every: DigestInterval, day: date, zone: ZoneInfo) -> Period:
    """The day itself, or the week that it lies in."""
    return Period(every, day - day.weekday() * _DAY if every == DigestInterval.WEEK else day, zone)


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant of a local time on a day; aware, UTC.

    Where clocks change, a time that comes twice means the first, and one that is skipped is taken
    as if the clocks had not yet been changed.
    """
    return datetime.combine(day, at, zone).astimezone(UTC)
