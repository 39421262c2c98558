"""Times in running text: a day without its year, and not twice the same day."""

from datetime import datetime, timedelta

from serving.locales.wording import Wording

_DAY = timedelta(days=1)


def moment(at: datetime, words: Wording, *, after: datetime | None = None) -> str:
    """Day and time; the time alone on the same day as `after`."""
    clock = words.clock(at)
    if after is not None and words.day(at) == words.day(after) and at - after < _DAY:
        return clock
    return f"{words.day(at)}, {clock}"


def zoned(at: datetime, words: Wording) -> str:
    """Day and time with the time zone."""
    return f"{moment(at, words)} {words.zone_name(at)}"
