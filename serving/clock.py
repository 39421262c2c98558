"""Where time comes from. Only the composition root builds a clock; everybody else is given one."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

_logger = structlog.get_logger(__name__)
_JUMP = timedelta(minutes=1)  # a smaller step of the host's clock is followed
_TOGETHER = timedelta(seconds=5)  # both clocks are read within this, or are read again
_READS = 10

# Goes on while the machine is suspended where there is such a clock, so that this is no jump.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True)
class ClockJump:
    """The host's clock was set, or is wrong.

    Attributes:
        at: when it was noticed, in the time that the service keeps, aware, UTC.
        by: how far the host's clock is ahead of that time now; negative if it is behind.
    """

    at: datetime
    by: timedelta


@dataclass(frozen=True, slots=True)
class ClockStatus:
    """Whether the host's clock can be followed.

    Attributes:
        now: the present instant, aware, UTC.
        jump: the last jump while the host's clock is not followed; None while it is.
        jumps: how often the host's clock jumped since the start.
    """

    now: datetime
    jump: ClockJump | None = None
    jumps: int = 0


class Clock(Protocol):
    """The time now."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...

    def status(self) -> ClockStatus:
        """The present instant, and whether the host's clock agrees."""
        ...


class SystemClock:
    """The host's clock, as long as it does not jump.

    A step of a minute or more against a clock that nobody can set is a jump: time goes on from
    where it was, and the host's clock is followed again once it is back within a minute of that.
    Smaller steps, as time synchronisation makes them, are followed.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] | None = None,
        steady: Callable[[], timedelta] | None = None,
    ) -> None:
        """Start from the present reading of the host's clock.

        Args:
            wall: reads the host's clock, aware, UTC.
            steady: reads a clock that nobody can set, since any instant.
        """
        self._wall = wall or _host_time
        self._steady = steady or _steady_time
        self._lock = threading.Lock()
        self._last_wall, self._last_steady = self._read()
        self._now = self._last_wall
        self._jump: ClockJump | None = None
        self._jumps = 0

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return self.status().now

    def status(self) -> ClockStatus:
        """The present instant, and whether the host's clock agrees."""
        with self._lock:
            self._advance()
            return ClockStatus(self._now, self._jump, self._jumps)

    def _advance(self) -> None:
        """Take a reading of both clocks."""
        wall, steady = self._read()
        passed = steady - self._last_steady
        step = wall - self._last_wall - passed
        self._last_wall, self._last_steady = wall, steady
        own = self._now + passed
        ahead = wall - own
        if abs(ahead) < _JUMP:
            self._now = wall
            if self._jump is not None:
                self._jump = None
                _logger.info("clock_followed_again", differed_by=ahead.total_seconds())
            return
        self._now = own
        if self._jump is not None and abs(step) < _JUMP:
            self._jump = ClockJump(self._jump.at, ahead)
            return
        self._jump = ClockJump(own, ahead)
        self._jumps += 1
        _logger.error(
            "clock_jumped",
            seconds=ahead.total_seconds(),
            host_time=wall.isoformat(),
            kept_time=own.isoformat(),
        )

    def _read(self) -> tuple[datetime, timedelta]:
        """Both clocks at one instant; a process that was stopped between two reads reads again."""
        for _ in range(_READS):
            before = self._steady()
            wall = self._wall()
            after = self._steady()
            if after - before < _TOGETHER:
                break
        return wall, after


def _host_time() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the one place that reads the clock


def _steady_time() -> timedelta:
    return timedelta(seconds=time.clock_gettime(_STEADY))


class TestClock:
    """A clock that only moves when you advance it; for tests and simulations."""

    __test__ = False  # its name would make pytest collect it

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The instant last set, aware, UTC."""
        return self._now

    def status(self) -> ClockStatus:
        """The instant last set; this clock never jumps."""
        return ClockStatus(self._now)

    def advance(self, by: timedelta) -> None:
        """Move forward by `by`."""
        self._now += by
