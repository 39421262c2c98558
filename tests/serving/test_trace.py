"""A trace: readings put into steps, with nothing lost but what is finer than a step."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.evidence import DetectorScore
from monitoring.minute_score import MinuteScore
from serving.insights.trace import Trace, trace_of

BEGUN = datetime(2026, 3, 1, 12, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DETECTORS = {"share_shift", "hour_scan"}


def minute_score(
    minute: int, value: float = 0.0, threshold: float = 8.0, *, judged: bool = True
) -> MinuteScore:
    """Three comments, one of them negative, `minute` after the incident began; one is expected."""
    return MinuteScore(
        kol_id="lena",
        start=BEGUN + minute * MINUTE,
        comments=3,
        negative=1.0,
        positive=0.5,
        excess=2.0,
        expected_comments=1.0,
        expected_negative_share=0.1 + minute / 1e6,
        rho_loud=0.0125,
        doubt=0.01,
        phi=0.5,
        active=0.4,
        judged=judged,
        scores=(
            DetectorScore("share_shift", 7.0, value, threshold),
            DetectorScore("hour_scan", 120.0, 1.0, 5.0),
            DetectorScore("praise_shift", 1.0, 3.0, 9.0),
        ),
    )


def trace(
    minute_scores: list[MinuteScore], ended: datetime | None = BEGUN + HOUR, most: int = 240
) -> Trace:
    return trace_of(minute_scores, begun=BEGUN, ended=ended, detectors=DETECTORS, most=most)


def test_a_short_incident_is_shown_by_the_minute_from_two_hours_before() -> None:
    minute_scores = [minute_score(minute) for minute in range(-200, 60)]
    found = trace(minute_scores)
    assert (found.since, found.until, found.step) == (BEGUN - 2 * HOUR, BEGUN + HOUR, 60)
    assert [point.start for point in found.points] == [r.start for r in minute_scores[80:]]
    for point, one in zip(found.points, minute_scores[80:], strict=True):
        assert point.comments == one.comments
        assert point.expected_comments == one.expected_comments
        assert {score.name for score in point.scores} == DETECTORS


@pytest.mark.parametrize("most", [100, 240, 5000])
@pytest.mark.parametrize("minutes", [1, 61, 241, 5 * 60, 40 * 60, 72 * 60, 30 * 24 * 60])
def test_no_more_points_than_wanted_and_no_comment_lost(minutes: int, most: int) -> None:
    minute_scores = [minute_score(minute) for minute in range(-24 * 60, minutes, 7)]
    found = trace(minute_scores, BEGUN + minutes * MINUTE, most)
    step = timedelta(seconds=found.step)
    assert (found.until - found.since) / step <= most
    assert BEGUN - 24 * HOUR <= found.since <= BEGUN
    inside = [r for r in minute_scores if r.start >= found.since]
    for name in ("comments", "negative", "positive", "excess"):
        assert sum(getattr(p, name) for p in found.points) == pytest.approx(
            sum(getattr(r, name) for r in inside)
        )
    for point in found.points:
        assert (point.start - found.since) % step == timedelta()
        assert point.start.timestamp() % found.step == 0


def test_a_long_incident_has_a_longer_time_before_it() -> None:
    assert trace([], BEGUN + 40 * HOUR).since == BEGUN - timedelta(hours=9, minutes=52)
    assert trace([], BEGUN + 40 * HOUR).step == 15 * 60
    far = trace([], BEGUN + 1000 * HOUR).since
    assert timedelta() <= far - (BEGUN - 24 * HOUR) < 5 * HOUR


def test_a_step_keeps_what_came_nearest_to_paging_and_its_last_baseline() -> None:
    minute_scores = [
        minute_score(8, 6.0, 8.0, judged=False),
        minute_score(9, 7.0, 7.1),
        minute_score(10, 7.5, 9.0),
    ]
    (point,) = trace(minute_scores, BEGUN + 10 * HOUR).points  # 5 minutes a point, from 12:15
    assert point.start == BEGUN + 8 * MINUTE
    (said,) = (score for score in point.scores if score.name == "share_shift")
    assert (said.value, said.threshold) == (7.0, 7.1)
    assert point.expected_negative_share == minute_scores[-1].expected_negative_share
    assert point.judged


def test_the_expected_comments_of_a_step_are_those_of_all_its_minutes() -> None:
    found = trace([minute_score(8), minute_score(13), minute_score(598)], BEGUN + 10 * HOUR)
    assert [point.expected_comments for point in found.points] == [5.0, 5.0, 2.0]
    assert found.points[-1].start + 2 * MINUTE == found.until  # cut by the end


def test_an_open_incident_ends_with_its_last_reading() -> None:
    found = trace([minute_score(0), minute_score(90)], ended=None)
    assert found.until == BEGUN + 91 * MINUTE
    assert len(found.points) == 2


def test_without_readings_there_are_no_points() -> None:
    assert trace([]).points == []
    assert trace([], ended=None).until == BEGUN + MINUTE
