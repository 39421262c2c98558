"""What a chart shows: equal steps, silent ones too, and what is expected in each."""

from datetime import datetime, timedelta

import pytest

from monitoring.minute_score import MinuteScore
from serving.charts.mood_chart import bins_of, step_of
from serving.storage.mood_store import MoodPoint
from tests.serving.conftest import NOW

FIVE = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)


def minute_score(start: datetime, expected: float, share: float = 0.2) -> MinuteScore:
    return MinuteScore(
        kol_id="lena", start=start, comments=1, negative=0.0, positive=0.0, excess=0.0,
        expected_comments=expected, expected_negative_share=share, rho_loud=0.0, doubt=0.1,
        phi=1.0, active=0.5, judged=True, scores=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("length", "step"),
    [
        (timedelta(minutes=1), FIVE),
        (timedelta(hours=12), FIVE),
        (timedelta(hours=12, minutes=1), 2 * FIVE),
        (timedelta(days=3), timedelta(minutes=30)),
        (timedelta(days=300), timedelta(hours=8)),
    ],
)
def test_a_step_is_as_short_as_the_width_allows(length: timedelta, step: timedelta) -> None:
    assert step_of(NOW, NOW + length) == step


def test_silent_steps_are_there_and_hold_nothing() -> None:
    points = [MoodPoint(NOW, 4, 1.5, 0.0), MoodPoint(NOW + 2 * FIVE, 2, 2.0, 0.0)]
    bins = bins_of(points, [], NOW + MINUTE, NOW + 4 * FIVE, FIVE)
    assert [step.start for step in bins] == [NOW + index * FIVE for index in range(4)]
    assert [(step.comments, step.negative) for step in bins] == [
        (4, 1.5), (0, 0.0), (2, 2.0), (0, 0.0),
    ]  # fmt: skip
    assert all(step.expected is None and step.expected_negative is None for step in bins)


def test_the_expected_value_is_the_mean_of_the_minutes_and_lasts_through_silence() -> None:
    minute_scores = [
        minute_score(NOW + FIVE, 1.0),
        minute_score(NOW + FIVE + MINUTE, 3.0),
        minute_score(NOW + 3 * FIVE, 0.2, 0.5),
    ]
    bins = bins_of([], minute_scores, NOW, NOW + 4 * FIVE, FIVE)
    assert [step.expected for step in bins] == pytest.approx([5.0, 10.0, 10.0, 1.0])
    assert [step.expected_negative for step in bins] == pytest.approx([1.0, 2.0, 2.0, 0.5])
