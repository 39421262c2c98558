"""Stretches of time in queries: `from` and `to`."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from serving.errors import InvalidRequest

Since = Annotated[AwareDatetime | None, Query(alias="from", description="First instant.")]
Until = Annotated[AwareDatetime | None, Query(alias="to", description="First instant past it.")]


def span(
    since: datetime | None, until: datetime | None, now: datetime, *, default: timedelta
) -> tuple[datetime, datetime]:
    """The stretch that is meant: up to now, and of the default length, unless told otherwise.

    Raises:
        InvalidRequest: `invalid_range`; it has no length.
    """
    until = until or now
    since = since or _before(until, default)
    if since >= until:
        raise InvalidRequest("invalid_range", "`from` must lie before `to`", field="from")
    return since, until


def _before(instant: datetime, length: timedelta) -> datetime:
    try:
        return instant - length
    except OverflowError:
        return instant
