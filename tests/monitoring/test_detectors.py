"""The figures behind the detectors and the baseline."""

import math

import msgspec
import numpy as np
import pytest
from scipy.special import betaln

from monitoring.baseline import Baseline
from monitoring.detectors.base import Normal
from monitoring.detectors.baseline_drift import BaselineDrift, DriftState
from monitoring.detectors.hour_scan import HourScan, HourScanSettings
from monitoring.detectors.likelihood import beta_binomial_llr, increments, logit_shift
from monitoring.detectors.share_shift import ShareShift, ShareShiftSettings
from monitoring.errors import PolicyError
from monitoring.hours import Hour
from monitoring.monitors.recovery import Recovery


def share_shift(share: float = 0.15, phi: float = 1.0) -> ShareShift:
    detector = ShareShift(ShareShiftSettings())
    detector.expect(Normal(share, 1 / 80, 1 / 300, phi))
    return detector


def test_correlated_comments_convince_less():
    alone, loud = share_shift(), share_shift()
    for minute in range(20):
        alone.learn_one(minute, 100, 30.0, 0.0)
        loud.learn_one(minute, 100, 30.0, 95.0)
    assert loud.score_one() < alone.score_one()


@pytest.mark.parametrize(("n", "k"), [(1, 1), (10, 3), (400, 120), (7, 2.6)])
def test_beta_binomial_ratio_against_its_definition(n, k):
    def log_likelihood(share):
        a, b = share * 80, (1 - share) * 80
        return betaln(k + a, n - k + b) - betaln(a, b)

    expected = log_likelihood(0.4) - log_likelihood(0.15)
    assert beta_binomial_llr(n, k, 0.15, 0.4, 80) == pytest.approx(expected)


def test_increments_are_binomial_ratios():
    hit, miss = increments(0.2, 1.0)
    other = logit_shift(0.2, 1.0)
    assert math.log(other / (1 - other)) == pytest.approx(math.log(0.25) + 1.0)
    assert hit == pytest.approx(math.log(other / 0.2))
    assert miss == pytest.approx(math.log((1 - other) / 0.8))


def test_baseline_learns_share_volume_and_profile():
    base, rng = Baseline(), np.random.default_rng(4)
    for hour in range(24 * 21):
        rate = 60 if hour % 24 < 12 else 20
        n = int(rng.poisson(rate))
        base.learn_hour(Hour(hour, n, float(rng.binomial(n, 0.3)), 0.4 * n, min(n, 60)))
    assert base.share == pytest.approx(0.3, abs=0.01)
    assert base.positive == pytest.approx(0.4, abs=0.01)
    assert base.expected(24 * 21 + 3) == pytest.approx(60, rel=0.15)
    assert base.expected(24 * 21 + 15) == pytest.approx(20, rel=0.15)
    assert base.expected_between(60 * 24 * 21, 60 * 24 * 21 + 90) == pytest.approx(90, rel=0.15)


def loud_hour(number: int, negative: float) -> Hour:
    return Hour(number, 200, negative, 80.0, active=60, excess=160.0, scatter=60.0)


def test_baseline_learns_how_much_posts_differ():
    rng, calm, wild = np.random.default_rng(4), Baseline(), Baseline()
    for hour in range(24 * 28):
        share = float(rng.beta(0.2 * 15, 0.8 * 15))
        calm.learn_hour(loud_hour(hour, float(rng.binomial(200, 0.2))))
        wild.learn_hour(loud_hour(hour, float(rng.binomial(200, share))))
    assert wild.rho[0] > 2 * calm.rho[0]
    assert wild.concentration(0.8) < calm.concentration(0.8) < calm.concentration(0.1)


def test_baseline_learns_that_probabilities_scatter_less_than_labels():
    rng, labels, soft = np.random.default_rng(4), Baseline(), Baseline()
    for hour in range(24 * 7):
        truth = rng.binomial(1, 0.3, 60).astype(float)
        for base, scores in ((labels, truth), (soft, 0.15 + 0.5 * truth)):
            p = base.share
            scatter = float(((scores - p) ** 2 / (p * (1 - p))).sum())
            base.learn_hour(Hour(hour, 60, float(scores.sum()), 20.0, 60, scatter=scatter))
    assert labels.phi > 0.95
    assert soft.phi == pytest.approx(0.3 * 0.7 * 0.25 / (0.3 * 0.7), abs=0.05)


def test_scores_that_scatter_less_convince_sooner():
    label, score = share_shift(0.3), share_shift(0.3, phi=0.3)
    for minute in range(30):
        label.learn_one(minute, 2, 0.9)
        score.learn_one(minute, 2, 0.9)
    assert score.score_one() > 1.5 * label.score_one()


def test_baseline_forgets():
    base = Baseline()
    for hour in range(24 * 28):
        base.learn_hour(Hour(hour, 50, 5.0, 20.0, 40))
    for hour in range(24 * 28, 24 * 56):
        base.learn_hour(Hour(hour, 50, 20.0, 20.0, 40))
    assert base.share > 0.3


def steady(base: Baseline, scan: HourScan, hours: int, n: int, k: float) -> None:
    for number in range(hours):
        hour = Hour(number, n, k, 0.3 * n, active=60, scatter=60.0, bright_scatter=60.0)
        scan.learn_hour(hour, base.expected(number), base, quiet=True)
        base.learn_hour(hour)


def feed(base: Baseline, scan: HourScan, hours: list[Hour]) -> None:
    for hour in hours:
        scan.learn_hour(hour, base.expected(hour.number), base, quiet=False)


def test_hour_scan_detects_a_slow_burn_of_a_steady_kol():
    base, scan = Baseline(), HourScan(HourScanSettings())
    steady(base, scan, 24 * 10, 60, 9.0)
    assert scan.score_one() == 0.0
    feed(base, scan, [Hour(i, 70 + 10 * i, 14.0 + 6 * i, 21.0) for i in range(6)])
    assert scan.score_one() > 6
    assert scan.state.scale in (2, 4, 8)
    stretch = scan.stretch(6 * 60, base.expected_between)
    assert stretch.n > stretch.expected
    assert stretch.share > 1.5 * base.share


def test_hour_scan_says_nothing_of_volume_alone():
    base, scan = Baseline(), HourScan(HourScanSettings())
    steady(base, scan, 24 * 10, 60, 9.0)
    feed(base, scan, [Hour(i, 600, 90.0, 180.0, excess=540.0) for i in range(6)])
    assert scan.score_one() == 0.0


def test_fans_falling_silent_add_to_a_darker_share_but_count_for_nothing_alone():
    def score_after(negative: float, positive: float) -> float:
        base, scan = Baseline(), HourScan(HourScanSettings())
        steady(base, scan, 24 * 10, 60, 9.0)
        feed(base, scan, [Hour(i, 60, negative, positive) for i in range(12)])
        return scan.score_one()

    assert score_after(9.0, 4.0) == 0.0
    darker = score_after(13.0, 18.0)
    assert darker < score_after(13.0, 10.0) <= darker + 4.0


def test_a_kol_whose_days_are_alike_needs_less():
    def score_after(wander: float) -> float:
        rng, base, scan = np.random.default_rng(3), Baseline(), HourScan(HourScanSettings())
        for number in range(24 * 20):
            day = np.random.default_rng(number // 12).normal(0.0, wander)
            k = float(rng.binomial(60, min(max(0.15 + day, 0.02), 0.6)))
            hour = Hour(number, 60, k, 18.0, active=60, scatter=60.0, bright_scatter=60.0)
            scan.learn_hour(hour, base.expected(number), base, quiet=True)
            base.learn_hour(hour)
        feed(base, scan, [Hour(i, 60, 16.0, 18.0) for i in range(12)])
        return scan.score_one()

    assert score_after(0.0) > 1.3 * score_after(0.06) > 0


def test_recovery_by_share_and_by_silence():
    for normal_again in (True, False):
        recovery = Recovery()
        recovery.begin(0, 40, 28.0, 0.15)
        for _ in range(60):
            recovery.learn_one(5, 0.75 if normal_again else 3.5)
        assert recovery.complete is normal_again
    silent = Recovery()
    silent.begin(0, 40, 28.0, 0.15)
    silent.learn_hour(60, 0.0, 0.2, (0, 60))
    assert silent.complete


def days(drift: BaselineDrift, count: int, share: float, first: int = 0) -> list[int]:
    rng = np.random.default_rng(8)
    return [
        hour // 24
        for hour in range(24 * first, 24 * (first + count))
        if drift.learn_hour(hour, 40, float(rng.binomial(40, share)), 0.15, 1 / 300)
    ]


def test_a_normal_share_that_stays_does_not_drift():
    assert days(BaselineDrift(), 80, 0.15) == []


@pytest.mark.parametrize("share", [0.09, 0.22])
def test_a_normal_share_that_moves_is_noticed_within_a_fortnight(share):
    drift = BaselineDrift()
    assert days(drift, 20, 0.15) == []
    moved = days(drift, 14, share, first=20)
    assert moved
    assert moved[0] <= 34


def test_drift_state_reads_back():
    drift = BaselineDrift()
    days(drift, 20, 0.17)
    state = msgspec.msgpack.encode(drift.state)
    other = BaselineDrift(msgspec.msgpack.decode(state, type=DriftState))
    assert days(other, 14, 0.2, first=20) == days(drift, 14, 0.2, first=20)
    assert other.state == drift.state


@pytest.mark.parametrize(
    "name", ["count_cap", "silence_cap", "least_nats", "least_negative", "least_rise"]
)
def test_no_setting_of_the_hour_scan_is_negative(name):
    assert getattr(HourScanSettings(**{name: 0.0}), name) == 0.0
    with pytest.raises(PolicyError, match=name):
        HourScanSettings(**{name: -1e-9})


def test_a_fixed_threshold_of_any_positive_value_is_taken():
    settings = ShareShiftSettings(fixed_threshold=0.5)
    assert ShareShift(settings).threshold(Normal(0.15, 1 / 80, 1 / 300), 1.0) == 0.5
    with pytest.raises(PolicyError, match="fixed_threshold"):
        ShareShiftSettings(fixed_threshold=0.0)


def test_hours_without_a_single_positive_comment_are_judged():
    base, scan = Baseline(), HourScan(HourScanSettings())
    steady(base, scan, 24 * 10, 60, 9.0)
    feed(base, scan, [Hour(i, 60, 20.0, 0.0) for i in range(4)])
    assert scan.score_one() > 6
    assert scan.inputs()["silence_nats"] == HourScanSettings().silence_cap


@pytest.mark.parametrize(("sum_", "least"), [("by_share", 5.0), ("by_absence", 3.0)])
def test_an_incident_is_over_at_so_many_nats(sum_, least):
    assert Recovery(**{sum_: least}).complete
    assert not Recovery(**{sum_: least - 0.01}).complete
