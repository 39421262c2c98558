"""Each setting of a policy decides what it says it decides, at its very boundary."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.alerts import advance
from monitoring.authorship import Authorship
from monitoring.baseline import Baseline, BaselineState
from monitoring.exponential_window import ExponentialWindow
from monitoring.hours import Hour
from monitoring.kinds import Reason
from monitoring.kol_pipeline import KolPipeline
from monitoring.monitors.backlash import BacklashMonitor
from monitoring.monitors.gap import GapMonitor
from monitoring.policy import Policy
from monitoring.stretch import Stretch
from monitoring.windows import WindowStats
from tests.monitoring.streams import MINUTE, START, windows
from tests.monitoring.test_alerts import FIRING, resolved

DAY = 1440
HOUR = timedelta(hours=1)


def is_critical(policy: Policy, stretch: Stretch) -> bool:
    base = Baseline(BaselineState(weight=1e9, k=0.2e9, positive=0.3e9))
    monitor = BacklashMonitor("lena", policy, base, ExponentialWindow(), Authorship())
    assert base.share == pytest.approx(0.2)
    return monitor._is_critical(stretch)


# 100 negatives of 160 comments; 47.5 expected at a fifth, and a half, are 10 negatives: ten times.
LARGE = Stretch(0, 60, 160, 100.0, 47.5)
TEN = 100.0 / (47.5 * 0.2 + 0.5)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"critical_ratio": TEN - 0.01}, True),
        ({"critical_ratio": TEN + 0.01}, False),
        ({"critical_share": 0.625}, True),
        ({"critical_share": 0.63}, False),
        ({"critical_negative": 100.0}, True),
        ({"critical_negative": 100.1}, False),
    ],
)
def test_an_incident_is_critical_by_ratio_and_share_and_number(changes, expected):
    assert is_critical(Policy(**changes), LARGE) is expected


def test_the_ratio_itself_is_critical():
    base = Baseline(BaselineState(weight=1e9, k=0.2e9, positive=0.3e9))
    monitor = BacklashMonitor("lena", Policy(), base, ExponentialWindow(), Authorship())
    exact = 100.0 / (47.5 * base.share + 0.5)
    monitor.set_policy(Policy(critical_ratio=exact))
    assert monitor._is_critical(LARGE)


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (timedelta(0), Reason.AFTERSHOCK),
        (timedelta(hours=24), Reason.AFTERSHOCK),
        (timedelta(hours=24, minutes=1), Reason.REOPENED),
        (timedelta(hours=48), Reason.REOPENED),
    ],
)
def test_a_second_wave_is_an_aftershock_up_to_the_end_of_the_cooldown(after, reason):
    alert = resolved()
    _, events = advance(alert, FIRING, alert.resolved_at + after, Policy())
    assert [event.reason for event in events] == [reason]


def test_a_longer_cooldown_keeps_it_an_aftershock():
    alert = resolved()
    later = alert.resolved_at + timedelta(hours=30)
    _, events = advance(alert, FIRING, later, Policy(cooldown=timedelta(hours=30)))
    assert [event.reason for event in events] == [Reason.AFTERSHOCK]


def test_an_aftershock_pages_once_its_rate_reaches_the_ratio_exactly():
    alert = resolved()
    shaken, _ = advance(alert, FIRING, alert.resolved_at + HOUR, Policy())
    at = alert.resolved_at + 2 * HOUR
    for ratio, expected in ((1.19, []), (1.2, [Reason.REOPENED])):
        wave = replace(FIRING, rate=ratio * FIRING.rate)
        _, events = advance(shaken, wave, at, Policy())
        assert [event.reason for event in events] == expected


def test_the_sensitivity_moves_every_threshold_of_the_backlash():
    found = []
    for sensitivity in (0.1, 1.0, 10.0):
        pipeline = KolPipeline("lena", Policy(sensitivity=sensitivity))
        found.append([score.threshold for score in pipeline.backlash.scores(0)])
    for strict, default, loose in zip(*found, strict=True):
        assert strict > default > loose


def hours_learnt(stream: list[WindowStats]) -> KolPipeline:
    pipeline = KolPipeline("lena", Policy())
    for window in stream:
        pipeline.step(window)
    return pipeline


def test_the_hours_of_an_incident_teach_the_baseline_nothing():
    crisis = (4 * DAY, 4 * DAY + 300, 6.0, 0.8)
    hit = hours_learnt(list(windows(3, 1.0, 7 * DAY, crisis=crisis)))
    spared = hours_learnt(list(windows(3, 1.0, 7 * DAY)))
    assert hit.baseline.share == pytest.approx(spared.baseline.share, abs=0.01)
    assert hit.baseline.hours < spared.baseline.hours - 3


def test_the_start_of_an_incident_is_kept_out_although_its_hour_had_closed():
    """A burn that opens its alert hours after it began."""
    pipeline = hours_learnt(list(windows(3, 1.0, 5 * DAY)))
    events = []
    for window in windows(4, 1.0, 720, share=0.29, first=START + 5 * DAY * MINUTE):
        events += pipeline.step(window)
    opened = next(event for event in events if event.reason is Reason.OPENED)
    began = int((opened.evidence.incident_start - START).total_seconds() // 3600)
    first = pipeline.state.first_hour
    assert opened.at - opened.evidence.incident_start > HOUR
    assert all(hour.tainted == (hour.number - first >= began) for hour in pipeline.state.pending)


def test_a_share_that_drifts_loosens_the_baseline(monkeypatch):
    """A week after the share has moved a little, the baseline follows because of the drift test."""

    def share_after() -> float:
        pipeline = KolPipeline("lena", Policy(sensitivity=1e-30))
        for day in range(60):
            for hour in range(24):
                k = 40 * (0.15 if day < 40 else 0.21)
                number = day * 24 + hour
                pipeline._learn(Hour(number, 40, k, 16.0, active=30, scatter=30.0))
        return pipeline.baseline.share

    followed = share_after()
    monkeypatch.setattr(Baseline, "loosen", lambda _: None)
    ignored = share_after()
    assert followed > ignored + 0.005


def test_loosening_keeps_the_shares_and_lets_them_count_a_quarter():
    base = Baseline()
    for number in range(240):
        base.learn_hour(Hour(number, 40, 8.0, 16.0, active=30))
    share, weight = base.share, base.weight
    base.loosen()
    assert base.weight == pytest.approx(weight / 4)
    assert base.share == pytest.approx(share, abs=0.005)


def test_a_long_silence_is_half_forgotten_after_a_fortnight():
    monitor = GapMonitor("lena", Policy(), Baseline())
    monitor.state.longest, monitor.state.longest_at = 40.0, 0
    assert monitor._bar(0) == pytest.approx(80.0)
    assert monitor._bar(14 * DAY) == pytest.approx(40.0)
    assert monitor._bar(28 * DAY) == pytest.approx(20.0)
    assert monitor._bar(140 * DAY) == Policy().gap_nats
