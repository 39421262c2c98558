"""Streams for the tests of the monitoring room."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from monitoring.events import Comment, ScoredComment
from monitoring.windows import WindowStats

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_LETTERS = "abcdefghijk 정말예뻐요"


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


@dataclass(frozen=True, slots=True)
class Scene:
    """A stretch of a story: how long, how many comments a minute, what share is negative."""

    minutes: int
    per_minute: float
    share: float
    copied: bool = False  # by a few accounts, from one text


def comments_of(scenes: Sequence[Scene], seed: int, kol: str = "lena") -> list[ScoredComment]:
    """The comments of a story, in order of writing, at whole seconds; some are of one second."""
    rng = random.Random(seed)
    found: list[ScoredComment] = []
    first = 0.0
    for scene in scenes:
        at, end = first, first + 60.0 * scene.minutes
        while scene.per_minute:
            at += rng.expovariate(scene.per_minute / 60)
            if at >= end:
                break
            if scene.copied:
                text, author = (
                    f"never buy from this brand again {rng.randrange(9)}",
                    rng.randrange(3),
                )
            else:
                text = "".join(rng.choices(_LETTERS, k=rng.randrange(1, 40)))
                author = rng.randrange(500)
            negative = rng.betavariate(0.3 + 6 * scene.share, 0.3 + 6 * (1 - scene.share))
            moment = START + timedelta(seconds=int(at))
            number = len(found)
            found.append(scored(moment, number, negative, kol=kol, text=text, author=f"u{author}"))
        first = end
    return found


def windows_of(
    scenes: Sequence[Scene], seed: int, first: datetime = START, kol: str = "lena"
) -> list[WindowStats]:
    """The minutes of a story that hold comments; the same counts wherever it begins."""
    rng = random.Random(seed)
    found: list[WindowStats] = []
    at = first
    for scene in scenes:
        for _ in range(scene.minutes):
            whole = int(scene.per_minute)
            n = sum(rng.random() < 0.5 for _ in range(2 * whole))
            n += rng.random() < scene.per_minute - whole
            if n:
                k = sum(rng.random() < scene.share for _ in range(n))
                found.append(WindowStats(kol, at, n, float(k), 0.7 * (n - k)))
            at += MINUTE
    return found


def delivered(
    comments: Sequence[ScoredComment], seed: int, *, repeats: float = 0.0
) -> list[ScoredComment]:
    """The comments as they arrive: each less than two minutes late, so in another order.

    A share `repeats` of them comes again, at once or up to an hour later.
    """
    rng = random.Random(seed)
    arrivals = []
    for index, comment in enumerate(comments):
        at = comment.comment.created_at.timestamp()
        arrival = at + rng.choice([0.0, 10.0, 119.0]) * rng.random()
        arrivals.append((arrival, index))
        if rng.random() < repeats:
            arrivals.append((arrival + rng.choice([1.0, 60.0, 3600.0]) * rng.random(), index))
    return [comments[index] for _, index in sorted(arrivals)]
