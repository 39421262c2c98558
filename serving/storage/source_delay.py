"""How late the comments of a source usually arrive, and what that means for an alert."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

RECENT = timedelta(days=7)  # a source that sent nothing for longer is not waited for

Source = tuple[str, str]  # a KOL and a platform


@dataclass(slots=True)
class NewDelays:
    """Delays of a source that are not written yet.

    Attributes:
        last_received_at: when the last of the comments arrived, aware, UTC.
        comments: how many.
        by_hour: seconds, by the hour of receipt since 1970, in order.
    """

    last_received_at: datetime
    comments: int = 0
    by_hour: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class SourceDelay:
    """The normal delay of a KOL's comments on a platform, or of all KOLs' comments on it.

    Attributes:
        platform: the platform.
        comments: how many live comments it was learnt from.
        least: one comment in ten arrives sooner; None until the delay is known.
        most: one comment in ten arrives later; None until the delay is known.
        last_received_at: when its latest live comment arrived, aware, UTC.
    """

    platform: str
    comments: int
    least: timedelta | None
    most: timedelta | None
    last_received_at: datetime


@dataclass(frozen=True, slots=True)
class LateSource:
    """A platform of which an alert may not have seen all comments yet.

    Attributes:
        platform: the platform.
        least: one comment in ten arrives sooner.
        most: one comment in ten arrives later.
        since: comments that were written after it may be missing, aware, UTC.
        now: the present instant, aware, UTC.
    """

    platform: str
    least: timedelta
    most: timedelta
    since: datetime
    now: datetime
