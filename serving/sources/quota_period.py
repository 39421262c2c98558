"""When a budget begins anew."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class PeriodLength(StrEnum):
    """How long a budget lasts."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class QuotaPeriod:
    """A period of the calendar, in the platform's time zone.

    Attributes:
        length: an hour, a day or a month.
        timezone: where it begins: YouTube's day begins at midnight in "America/Los_Angeles".
    """

    length: PeriodLength = PeriodLength.DAY
    timezone: str = "UTC"

    @property
    def name(self) -> str:
        """The length in a word."""
        return self.length.value

    def around(self, now: datetime) -> tuple[datetime, datetime]:
        """The beginning and the end of the period that an instant is in, aware."""
        local = now.astimezone(ZoneInfo(self.timezone))
        start = local.replace(minute=0, second=0, microsecond=0)
        if self.length is PeriodLength.HOUR:
            return start, start + timedelta(hours=1)
        start = start.replace(hour=0, fold=0)
        if self.length is PeriodLength.DAY:
            return start, start + timedelta(days=1)
        start = start.replace(day=1)
        return start, (start + timedelta(days=32)).replace(day=1)
