"""How the values of a submission are read, and what was changed in them to read them."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from serving.storage.kol_store import KnownKols


class Adjustment(StrEnum):
    """What was done to a value so that its comment could be kept; counted and reported."""

    LIKES_READ = "likes_read"
    LIKES_UNKNOWN = "likes_unknown"
    MOJIBAKE_REPAIRED = "mojibake_repaired"
    RICH_TEXT_JOINED = "rich_text_joined"
    OPTIONAL_DROPPED = "optional_dropped"
    CELLS_JOINED = "cells_joined"


@dataclass(frozen=True, slots=True)
class TimeRules:
    """What is known of the times of a submission beside what they say themselves.

    Attributes:
        zone: of times that name none; None to refuse them.
        date_format: of every time that is text, as `strptime` takes it; None to recognise them.
        day_first: whether 01/02/2026 is 1 February; None to refuse such times.
        as_of: the instant that relative times ("2 days ago") count from, aware; None to refuse
            them.
    """

    zone: tzinfo | None = None
    date_format: str | None = None
    day_first: bool | None = None
    as_of: datetime | None = None


NOTHING_KNOWN = TimeRules()


@dataclass(frozen=True, slots=True)
class ValueContext:
    """What the fields of a comment are read with.

    Attributes:
        now: the present instant; comments from the future are refused.
        times: how times are read.
        adjustments: counts what was changed, over all comments that are read with this.
        known: KOLs that comments name otherwise than by an id that new KOLs may have.
    """

    now: datetime
    times: TimeRules
    adjustments: Counter[Adjustment]
    known: KnownKols
