"""How late the comments of a source usually arrive, and what that means for an alert."""

from dataclasses import dataclass
from datetime import datetime, timedelta

RECENT = timedelta(days=7)  # a source that sent nothing for longer is not waited for


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
