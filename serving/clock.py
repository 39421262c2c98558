"""Where time comes from. Only the composition root builds a clock; everybody else is given one."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The time now."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that reads the clock


class TestClock:
    """A clock that only moves when you advance it; for tests and simulations."""

    __test__ = False  # its name would make pytest collect it

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The instant last set, aware, UTC."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward by `by`."""
        self._now += by
