"""Time ranges in queries: `from` and `to`."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query

from serving.api.aware_time import AwareTime
from serving.errors import InvalidRequest

Since = Annotated[
    AwareTime | None, Query(alias="from", description="Start of the range (inclusive).")
]
Until = Annotated[AwareTime | None, Query(alias="to", description="End of the range (exclusive).")]


def span(
    since: datetime | None, until: datetime | None, now: datetime, *, default: timedelta
) -> tuple[datetime, datetime]:
    """The requested range. It ends now and has the default length if not given.

    Raises:
        InvalidRequest: `invalid_range`; the start is not before the end.
    """
    until = until or now
    since = since or _before(until, default)
    if since >= until:
        raise InvalidRequest("invalid_range", "`from` must be before `to`", field="from")
    return since, until


def _before(instant: datetime, length: timedelta) -> datetime:
    try:
        return instant - length
    except OverflowError:
        return instant
