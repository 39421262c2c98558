"""The content of a mood chart: comments and negative comments in equal steps around an incident."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitoring.minute_score import MinuteScore
from serving.storage.mood_store import MoodPoint

LEAD, TAIL = timedelta(hours=2), timedelta(minutes=30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_STEPS = tuple(timedelta(minutes=m) for m in (5, 10, 15, 30, 60, 120, 240, 480))
_MOST_BINS = 144


@dataclass(frozen=True, slots=True)
class Bin:
    """One step.

    Attributes:
        start: its start, aware, UTC.
        comments: number of comments in it.
        negative: sum of P(negative) over them.
        expected: expected number of comments; None if nothing is learnt yet.
        expected_negative: expected number of negative comments; None as `expected`.
    """

    start: datetime
    comments: int
    negative: float
    expected: float | None
    expected_negative: float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked instant.

    Attributes:
        at: aware, UTC.
        reason: "began", "opened", "escalated", "aftershock", "reopened" or "resolved".
    """

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class MoodChart:
    """A chart.

    Attributes:
        name: the KOL's, as its profile has it.
        kol_id: shown in its place where no font has the name's letters.
        step: length of a bin.
        bins: oldest first, without gaps, at least one.
        marks: oldest first.
    """

    name: str
    kol_id: str
    step: timedelta
    bins: tuple[Bin, ...]
    marks: tuple[Mark, ...]


def step_of(since: datetime, until: datetime) -> timedelta:
    """The shortest step that divides [since, until) into at most 144; eight hours if none does."""
    return next((step for step in _STEPS if (until - since) / step <= _MOST_BINS), _STEPS[-1])


def bins_of(
    points: Sequence[MoodPoint],
    minute_scores: Sequence[MinuteScore],
    since: datetime,
    until: datetime,
    step: timedelta,
) -> tuple[Bin, ...]:
    """The steps of [since, until), including silent ones, aligned to 1970 in UTC like `points`.

    Minutes without comments have no score. A step without scores takes the expected values of the
    step before it; steps before the first score take those of the first.

    Args:
        points: sums of the same steps; silent steps may be missing.
        minute_scores: of the minutes in the range, in order.
        since: first instant, aware.
        until: the end, after `since`.
        step: length of a step, in whole minutes.
    """
    sums = {point.start: point for point in points}
    learnt: dict[datetime, list[MinuteScore]] = {}
    for minute_score in minute_scores:
        learnt.setdefault(_floor(minute_score.start, step), []).append(minute_score)
    expected = _expected(minute_scores[:1], step)
    bins = []
    start = _floor(since, step)
    while start < until:
        point = sums.get(start)
        expected = _expected(learnt[start], step) if start in learnt else expected
        bins.append(
            Bin(start, point.comments if point else 0, point.negative if point else 0.0, *expected)
        )
        start += step
    return tuple(bins)


def _expected(
    minute_scores: Sequence[MinuteScore], step: timedelta
) -> tuple[float | None, float | None]:
    """Expected comments and negative comments in a step, from the mean of its minutes."""
    if not minute_scores:
        return None, None
    minutes = step / _MINUTE
    comments = sum(minute_score.expected_comments for minute_score in minute_scores)
    negative = sum(
        minute_score.expected_comments * minute_score.expected_negative_share
        for minute_score in minute_scores
    )
    return comments * minutes / len(minute_scores), negative * minutes / len(minute_scores)


def _floor(at: datetime, step: timedelta) -> datetime:
    return at - (at - _EPOCH) % step
