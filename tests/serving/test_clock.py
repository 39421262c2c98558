"""The host's clock is followed in small steps only; a jump of it decides nothing."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.clock import ClockJump, SystemClock
from serving.settings import Settings
from tests.serving.conftest import NOW

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


@dataclass
class HostClocks:
    """The two clocks of a host: one that can be set, and one that cannot."""

    wall: datetime = NOW
    steady: timedelta = timedelta(hours=5)
    pauses: list[timedelta] = field(default_factory=list)

    def clock(self) -> SystemClock:
        return SystemClock(self.read_wall, self.read_steady)

    def read_wall(self) -> datetime:
        if self.pauses:  # the process is stopped in the middle of a reading
            self.advance(self.pauses.pop())
        return self.wall

    def read_steady(self) -> timedelta:
        return self.steady

    def advance(self, by: timedelta) -> None:
        self.wall += by
        self.steady += by

    def set_wall(self, by: timedelta) -> None:
        self.wall += by


@pytest.mark.parametrize("step", [59 * SECOND, -59 * SECOND, SECOND, -SECOND])
def test_small_steps_are_followed(step: timedelta) -> None:
    host = HostClocks()
    clock = host.clock()
    for _ in range(5):
        host.advance(MINUTE)
        host.set_wall(step)
        assert clock.now() == host.wall
    assert (clock.status().jump, clock.status().jumps) == (None, 0)


@pytest.mark.parametrize("step", [DAY, -DAY, MINUTE, -MINUTE])
def test_a_jump_is_not_followed_but_reported_once(step: timedelta) -> None:
    host = HostClocks()
    clock = host.clock()
    host.advance(10 * MINUTE)
    host.set_wall(step)
    with structlog.testing.capture_logs() as logs:
        for minutes in (10, 11, 12):
            assert clock.status().now == NOW + minutes * MINUTE
            host.advance(MINUTE)
    status = clock.status()
    assert (status.jump, status.jumps) == (ClockJump(NOW + 10 * MINUTE, step), 1)
    (log,) = logs
    assert (log["event"], log["log_level"]) == ("clock_jumped", "error")
    assert log["seconds"] == step.total_seconds()
    assert log["host_time"] == (NOW + 10 * MINUTE + step).isoformat()
    assert log["kept_time"] == (NOW + 10 * MINUTE).isoformat()


@pytest.mark.parametrize("rest", [timedelta(), 59 * SECOND, -59 * SECOND])
def test_a_clock_that_comes_back_is_followed_again(rest: timedelta) -> None:
    host = HostClocks()
    clock = host.clock()
    host.set_wall(DAY)
    assert clock.now() == NOW
    host.advance(2 * DAY)
    host.set_wall(-DAY + rest)
    with structlog.testing.capture_logs() as logs:
        assert clock.now() == host.wall == NOW + 2 * DAY + rest
    assert [log["event"] for log in logs] == ["clock_followed_again"]
    assert (clock.status().jump, clock.status().jumps) == (None, 1)
    host.set_wall(30 * SECOND)
    assert clock.now() == host.wall


def test_a_second_jump_counts_and_a_correction_in_small_steps_comes_back_too() -> None:
    host = HostClocks()
    clock = host.clock()
    host.set_wall(DAY)
    clock.now()
    host.advance(MINUTE)
    host.set_wall(-DAY - 3 * MINUTE)
    status = clock.status()
    assert (status.now, status.jumps) == (NOW + MINUTE, 2)
    assert status.jump == ClockJump(NOW + MINUTE, -3 * MINUTE)
    seen = []
    for _ in range(5):
        host.set_wall(30 * SECOND)
        status = clock.status()
        seen.append(status.jump and status.jump.by)
    assert seen == [-150 * SECOND, -120 * SECOND, -90 * SECOND, -60 * SECOND, None]
    assert (status.now, status.jumps) == (host.wall, 2)


def test_a_sleep_of_the_machine_is_no_jump() -> None:
    host = HostClocks()
    clock = host.clock()
    host.advance(3 * DAY)
    assert clock.now() == NOW + 3 * DAY
    assert clock.status().jumps == 0


def test_a_process_that_is_stopped_in_the_middle_of_a_reading_sees_no_jump() -> None:
    host = HostClocks()
    clock = host.clock()
    host.pauses = [2 * DAY, DAY]
    assert clock.now() == NOW + 3 * DAY
    assert clock.status().jumps == 0


def test_the_clocks_of_this_host() -> None:
    clock = SystemClock()
    before = datetime.now(UTC)
    status = clock.status()
    assert before <= status.now <= datetime.now(UTC)
    assert status.jump is None
    assert time.CLOCK_BOOTTIME  # which a suspended machine does not stop


def test_the_service_says_so_and_stays_ready(
    settings: Settings, classifier: SentimentClassifier
) -> None:
    host = HostClocks()
    app = create_app(settings, classifier=classifier, clock=host.clock())
    with TestClient(app) as client:
        assert client.get("/readyz").json()["notices"] == []
        assert "groundswell_clock_jump_seconds 0.0" in client.get("/metrics").text
        assert "groundswell_clock_jumps_total 0.0" in client.get("/metrics").text
        host.set_wall(DAY)
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        assert ready.json()["notices"] == [
            "the host's clock jumped by +86400 s at 2026-03-10T12:00:00Z; Groundswell keeps its "
            "own time; set the clock right, or restart the service if the new time is right"
        ]
        for _ in range(2):
            text = client.get("/metrics").text
            assert "groundswell_clock_jump_seconds 86400.0" in text
            assert "groundswell_clock_jumps_total 1.0" in text
        host.set_wall(-DAY)
        assert client.get("/readyz").json()["notices"] == []
        text = client.get("/metrics").text
        assert "groundswell_clock_jump_seconds 0.0" in text
        assert "groundswell_clock_jumps_total 1.0" in text
