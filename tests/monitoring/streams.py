"""Streams for the tests of the monitoring room."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from monitoring.events import Comment, ScoredComment
from monitoring.windows import WindowStats

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def scored(
    at: datetime,
    number: int,
    negative: float = 0.0,
    kol: str = "lena",
    text: str = "what a lovely video this is",
    author: str | None = "a",
    **more: object,
) -> ScoredComment:
    comment = Comment(
        platform="test",
        comment_id=str(number),
        kol_id=kol,
        text=text,
        created_at=at,
        author_id=author,
        **more,  # type: ignore[arg-type]
    )
    return ScoredComment(comment, negative, 0.0, 1 - negative)


def windows(
    seed: int,
    per_minute: float,
    minutes: int,
    share: float = 0.15,
    crisis: tuple[int, int, float, float] | None = None,
    kol: str = "lena",
    first: datetime = START,
) -> Iterator[WindowStats]:
    """Poisson minutes; `crisis` is (start, end, added per minute, negative share)."""
    rng = np.random.default_rng(seed)
    for minute in range(minutes):
        n = int(rng.poisson(per_minute))
        k = int(rng.binomial(n, share))
        if crisis and crisis[0] <= minute < crisis[1]:
            more = int(rng.poisson(crisis[2]))
            n, k = n + more, k + int(rng.binomial(more, crisis[3]))
        if n:
            positive = float(rng.binomial(n - k, 0.5))
            yield WindowStats(kol, first + minute * MINUTE, n, float(k), positive)
