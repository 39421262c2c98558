"""A sender's clock that is fast is reported for an hour; a little is usual."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient

from monitoring.events import Comment
from serving.clock import TestClock
from serving.ingest.fast_clocks import FastClock, FastClocks
from tests.serving.conftest import NOW

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def comment(at: datetime, platform: str = "tiktok") -> Comment:
    return Comment(platform=platform, comment_id="c", kol_id="lena", text="", created_at=at)


def test_the_greatest_lead_of_an_hour() -> None:
    clocks = FastClocks()
    clocks.look([comment(NOW + 29 * SECOND), comment(NOW - MINUTE)], NOW)
    assert clocks.reported(NOW) == []
    clocks.look([comment(NOW + lead * SECOND) for lead in (30, 200, 90)], NOW)
    clocks.look([comment(NOW + 45 * SECOND, "bluesky")], NOW)
    greatest = FastClock("tiktok", 200 * SECOND, NOW)
    assert clocks.reported(NOW) == [FastClock("bluesky", 45 * SECOND, NOW), greatest]
    clocks.look([comment(NOW + 30 * MINUTE + 40 * SECOND)], NOW + 30 * MINUTE)
    assert greatest in clocks.reported(NOW + 59 * MINUTE)
    assert clocks.reported(NOW + 60 * MINUTE) == []
    clocks.look([comment(NOW + 60 * MINUTE + 40 * SECOND)], NOW + 60 * MINUTE)
    assert clocks.reported(NOW + 60 * MINUTE) == [
        FastClock("tiktok", 40 * SECOND, NOW + 60 * MINUTE)
    ]


def test_a_flood_of_platforms_is_bounded_and_passes() -> None:
    clocks = FastClocks()
    clocks.look([comment(NOW + MINUTE, f"p{number}") for number in range(80)], NOW)
    assert len(clocks.reported(NOW)) == 50
    later = NOW + 61 * MINUTE
    clocks.look([comment(later + MINUTE)], later)
    assert [one.platform for one in clocks.reported(later)] == ["tiktok"]


def test_the_service_says_so(
    client: TestClient, clock: TestClock, item: Callable[..., dict[str, Any]]
) -> None:
    client.post("/v1/comments", json=item(created_at=(NOW + 29 * SECOND).isoformat()))
    assert client.get("/readyz").json()["notices"] == []
    client.post("/v1/comments", json=item(created_at=(NOW + 212 * SECOND).isoformat()))
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["notices"] == [
        "comments from instagram claim to be from up to 212 s after they arrived; the sender's "
        "clock is fast, or this host's is slow"
    ]
    series = 'groundswell_sender_clock_ahead_seconds{platform="instagram"}'
    assert f"{series} 212.0" in client.get("/metrics").text
    clock.advance(timedelta(hours=1))
    assert client.get("/readyz").json()["notices"] == []
    assert series not in client.get("/metrics").text
