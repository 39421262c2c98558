"""Readings: what a sceptic needs to recompute a decision, and the same however it was reached."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from scipy.special import betaln

from monitoring.alerts import AlertEvent
from monitoring.detectors.likelihood import logit_shift
from monitoring.engine import Engine
from monitoring.events import ScoredComment
from monitoring.kol_pipeline import KolPipeline
from monitoring.minute_score import MinuteScore
from monitoring.policy import Policy
from tests.monitoring.streams import MINUTE, START, scored, windows

CRISIS = (1200, 1260, 4.0, 0.8)
DELTAS = (0.6, 1.2, 2.0)  # as docs/detection.md says


def comments() -> list[ScoredComment]:
    """A day with an hour of storm, comment by comment."""
    found = []
    for window in windows(3, 0.4, 1400, crisis=CRISIS):
        for index in range(window.comments):
            negative = 0.93 if index < window.negative else 0.04
            at = window.start + index * MINUTE / 60
            found.append(scored(at, len(found), negative, author=f"a{len(found) % 211}"))
    return found


@pytest.fixture(scope="module")
def told() -> tuple[list[MinuteScore], list[AlertEvent]]:
    engine, minute_scores, events = Engine(), [], []
    for comment in comments():
        observation = engine.observe(comment)
        assert [minute_score.start for minute_score in observation.minute_scores] == [
            window.start for window in observation.closed
        ]
        minute_scores += observation.minute_scores
        events += observation.events
    return minute_scores, events


def test_one_reading_for_each_minute_that_holds_comments(told):
    minute_scores, _ = told
    held = {comment.comment.created_at.replace(second=0) for comment in comments()}
    last = max(held)
    assert [r.start for r in minute_scores] == sorted(at for at in held if at < last - 2 * MINUTE)
    assert all(later.start > earlier.start for earlier, later in pairwise(minute_scores))
    assert all(minute_score.comments > 0 for minute_score in minute_scores)


def test_readings_are_those_of_a_fresh_monitor_on_the_same_windows(told):
    engine, monitor = Engine(), KolPipeline("lena", Policy())
    again = []
    for comment in comments():
        for window in engine.observe(comment).closed:
            monitor.step(window)
            again.append(monitor.minute_score(window))
    assert again == told[0]


@pytest.mark.parametrize("cut", [100, 520, 700])
def test_a_restore_in_the_middle_changes_no_reading(told, cut):
    first, second, minute_scores = Engine(), Engine(), []
    for comment in comments()[:cut]:
        minute_scores += first.observe(comment).minute_scores
    second.restore("lena", first.snapshot("lena"))
    for comment in comments()[cut:]:
        minute_scores += second.observe(comment).minute_scores
    assert minute_scores == told[0]


def test_the_reading_at_the_opening_shows_what_the_alert_rests_on(told):
    minute_scores, events = told
    opened = next(event for event in events if event.reason == "opened")
    assert START + CRISIS[0] * MINUTE < opened.at < START + CRISIS[1] * MINUTE
    (minute_score,) = (r for r in minute_scores if r.start + MINUTE == opened.at)
    backlash = {score.name: score for score in minute_score.scores if score.name != "praise_shift"}
    assert tuple(backlash.values()) == tuple(
        replace(score, inputs={}) for score in opened.evidence.scores
    )
    crossed = [s for r in minute_scores for s in r.scores if r.judged and s.value >= s.threshold]
    assert crossed[0] == backlash["share_shift"]
    assert minute_score.expected_negative_share == opened.evidence.expected_negative_share


def test_share_shift_can_be_recomputed_from_readings_alone(told):
    minute_scores, _ = told
    tried = 0
    for index, minute_score in enumerate(minute_scores):
        said = next(score for score in minute_score.scores if score.name == "share_shift")
        if said.value == 0.0:
            continue
        since = minute_score.start + MINUTE - said.scale_minutes * MINUTE
        stretch = [r for r in minute_scores[: index + 1] if r.start >= since]
        n, k, x = (
            sum(getattr(r, name) for r in stretch) for name in ("comments", "negative", "excess")
        )
        kappa = 1 / (minute_score.rho_loud * (x / n) ** 2 + minute_score.doubt)
        p, n, k = minute_score.expected_negative_share, n / minute_score.phi, k / minute_score.phi

        def log_probability(share, n=n, k=k, kappa=kappa):
            a, b = share * kappa, (1 - share) * kappa
            return float(betaln(k + a, n - k + b) - betaln(a, b))

        by_hand = [log_probability(logit_shift(p, delta)) - log_probability(p) for delta in DELTAS]
        assert any(math.isclose(value, said.value, rel_tol=1e-6) for value in by_hand)
        tried += 1
    assert tried > 50
