"""An alert's trace: the readings before, during and to the end of it, in steps of equal length."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, count, groupby

from monitoring.evidence import DetectorScore
from monitoring.minute_score import MinuteScore

LONGEST_LEAD = timedelta(hours=24)
_LEAD = timedelta(hours=2)
_LEAD_PART = 4  # of the incident's length, where that is more
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Trace:
    """How the figures behind an alert moved.

    Attributes:
        since: first instant of the first step, aware, UTC.
        until: the end; the last step may be cut by it.
        step: length of a step in seconds, whole minutes, counted from 1970 in UTC.
        points: one for every step that holds comments, oldest first: its sums, the comments
            expected in it, its strongest scores, and the baseline after its last minute.
    """

    since: datetime
    until: datetime
    step: int
    points: list[MinuteScore]


def trace_of(
    minute_scores: Sequence[MinuteScore],
    *,
    begun: datetime,
    ended: datetime | None,
    detectors: Collection[str],
    most: int,
) -> Trace:
    """The trace of one incident, in the shortest steps that make at most `most` points.

    It begins two hours before the incident, or a quarter of the incident's length if that is more,
    but at most `LONGEST_LEAD`.

    Args:
        minute_scores: of its KOL, in order, from `LONGEST_LEAD` before `begun` up to `ended`.
        begun: when the incident began.
        ended: when it was resolved; None while it lasts, then the last reading ends the trace.
        detectors: whose scores to keep.
        most: points, at least 100, so that a step is shorter than the time before the incident.
    """
    until = ended
    if until is None:
        until = max(
            [
                begun + _MINUTE,
                *(minute_score.start + _MINUTE for minute_score in minute_scores[-1:]),
            ]
        )
    first = begun - min(max(_LEAD, (until - begun) / _LEAD_PART), LONGEST_LEAD)
    since, step = _steps(first, until, most)
    points = []
    inside = (minute_score for minute_score in minute_scores if since <= minute_score.start < until)
    for index, group in groupby(inside, lambda minute_score: (minute_score.start - since) // step):
        start = since + index * step
        points.append(_merged(list(group), start, min(start + step, until), detectors))
    return Trace(since, until, int(step.total_seconds()), points)


def _steps(first: datetime, until: datetime, most: int) -> tuple[datetime, timedelta]:
    """The first whole step that begins at or after `first`, and how long a step is."""
    hours = (60 * hour for hour in count(1))
    for minutes in chain((1, 2, 3, 5, 10, 15, 20, 30), hours):
        step = timedelta(minutes=minutes)
        since = first + (_EPOCH - first) % step
        if until - since <= most * step:
            break
    return since, step


def _merged(
    group: Sequence[MinuteScore], start: datetime, end: datetime, detectors: Collection[str]
) -> MinuteScore:
    strongest: dict[str, DetectorScore] = {}
    for score in (score for minute_score in group for score in minute_score.scores):
        best = strongest.get(score.name, score)
        if score.name in detectors and _ratio(score) >= _ratio(best):
            strongest[score.name] = score
    usual_a_minute = sum(minute_score.expected_comments for minute_score in group) / len(group)
    return replace(
        group[-1],
        start=start,
        comments=sum(minute_score.comments for minute_score in group),
        negative=sum(minute_score.negative for minute_score in group),
        positive=sum(minute_score.positive for minute_score in group),
        excess=sum(minute_score.excess for minute_score in group),
        expected_comments=usual_a_minute * ((end - start) / _MINUTE),
        judged=any(minute_score.judged for minute_score in group),
        scores=tuple(strongest.values()),
    )


def _ratio(score: DetectorScore) -> float:
    return score.value / score.threshold
