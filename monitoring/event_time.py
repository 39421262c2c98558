"""Event time as whole minutes, which is what the inner loop counts in."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def minute_of(moment: datetime) -> int:
    """Minutes since 1970 UTC of the minute that `moment` (aware) lies in."""
    return (moment - _EPOCH) // _MINUTE


def moment_of(minute: int) -> datetime:
    """First instant of a minute, aware, UTC."""
    return _EPOCH + minute * _MINUTE
