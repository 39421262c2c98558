"""A digest that somebody gets regularly, as written in the channels file."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from serving.notify.config.period import Period, instant, period_of
from serving.storage.digest_record import DigestInterval


@dataclass(frozen=True, slots=True)
class Subscription:
    """A digest of the channels file.

    Attributes:
        name: as written in the file.
        every: the lengths of its periods; at least one.
        at: local time at which it is sent: on the day after, or on the Monday after.
        zone: whose clock and calendar.
        channels: e-mail channels that it goes to.
        kols: ids of the KOLs that it is about; None for all.
    """

    name: str
    every: tuple[DigestInterval, ...]
    at: time
    zone: ZoneInfo
    channels: tuple[str, ...]
    kols: frozenset[str] | None = None

    def due_at(self, period: Period) -> datetime:
        """When the digest of a period is sent; aware, UTC."""
        return instant(period.last + timedelta(days=1), self.at, self.zone)

    def latest(self, every: DigestInterval, now: datetime) -> Period:
        """The last period whose digest was due by now."""
        today = now.astimezone(self.zone).date()
        period = period_of(every, today, self.zone).before
        return period if self.due_at(period) <= now else period.before

    def next_at(self, now: datetime) -> datetime:
        """When the next digest is due, after now; aware, UTC."""
        return min(self.due_at(self.latest(every, now).after) for every in self.every)
