"""Streams of comments for tests, and a function to wait until they are processed."""

import random
import time
from datetime import datetime, timedelta
from typing import Any

_PRAISE = ["love this", "great video", "so beautiful", "amazing, thank you", "the best"]
_PLAIN = ["what time is it on", "first", "which shade is that", "from Jakarta", "second part when"]
_COMPLAINTS = ["terrible, I hate it", "this is a scam", "awful, want a refund", "worst ever, liar"]


def storm(
    kol_id: str,
    start: datetime,
    *,
    days: float = 1.25,
    storm_after: timedelta = timedelta(hours=20),
) -> list[dict[str, Any]]:
    """30 hours of a small KOL with one hour of storm, in order of time and reproducible.

    Normally 20 comments per hour, 1 in 10 a complaint; in the storm 4 per minute, 9 in 10.
    """
    rng = random.Random(kol_id)
    items = []
    for minute in range(int(days * 24 * 60)):
        at = start + timedelta(minutes=minute)
        stormy = storm_after <= at - start < storm_after + timedelta(hours=1)
        for index in range(4 if stormy else int(rng.random() < 1 / 3)):
            hostile = rng.random() < (0.9 if stormy else 0.1)
            words = _COMPLAINTS if hostile else rng.choice([_PRAISE, _PLAIN])
            items.append(
                {
                    "platform": "instagram",
                    "comment_id": f"{kol_id}-{minute}-{index}",
                    "kol_id": kol_id,
                    "post_id": f"post-{minute // 720}",
                    "author_id": f"author-{rng.randrange(400)}",
                    "text": f"{rng.choice(words)} {rng.randrange(1000)}",
                    "created_at": (at + timedelta(seconds=10 * index)).isoformat(),
                }
            )
    return items


def wait_until_processed(client: Any, *, seconds: float = 60.0) -> None:
    """Poll the status with an httpx-like client until no comments are left to process."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = client.get("/v1/status").json()
        if status["log"]["backlog"] == 0 and status["reruns"] == 0:
            return
        time.sleep(0.02)
    raise AssertionError(f"not processed in {seconds} s: {status}")
