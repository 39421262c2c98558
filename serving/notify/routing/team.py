"""People who work together: when they are at work, and how they are reached."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from serving.notify.routing.hours import Hours

CRITICAL = "critical"  # what does not wait for the morning


@dataclass(frozen=True, slots=True)
class Team:
    """A team.

    Attributes:
        name: as written in the channels file.
        channels: where it is notified.
        hours: when it is at work; None for always.
        on_call: where it is notified of what is critical outside its hours; empty if that goes to
            its channels.
        zone: its time zone.
    """

    name: str
    channels: tuple[str, ...]
    hours: Hours | None = None
    on_call: tuple[str, ...] = ()
    zone: ZoneInfo = ZoneInfo("UTC")  # noqa: RUF009 - immutable

    def opens(self, now: datetime) -> datetime:
        """When it is at work next: `now` where it is."""
        return now if self.hours is None else self.hours.opens(now)

    def waits_until(self, severity: str, now: datetime) -> datetime | None:
        """Until when its channels wait; None if they are notified at once."""
        if severity == CRITICAL and not self.on_call:
            return None
        opens = self.opens(now)
        return opens if opens > now else None
