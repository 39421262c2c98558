"""The contract of detectors, for volume_surge."""

import msgspec
import numpy as np
import pytest

from monitoring.detectors.volume_surge import VolumeSurge, VolumeSurgeSettings, VolumeSurgeState

STEP = VolumeSurgeSettings().step
DAY = 24 * 60 // STEP


def learn(detector: VolumeSurge, rates, first: int = 0, seed: int = 1) -> list[float]:
    """Feed a Poisson bin for each rate; the scores after each."""
    rng = np.random.default_rng(seed)
    scores = []
    for index, rate in enumerate(rates):
        detector.learn_one(STEP * (first + index), int(rng.poisson(rate)), 0.0)
        scores.append(detector.score_one())
    return scores


def test_contract_nothing_learnt_scores_nothing():
    assert VolumeSurge().score_one() == 0.0


def test_contract_normal_values_score_low_and_rarely():
    scores = learn(VolumeSurge(), [30.0] * (14 * DAY))
    assert max(scores) < 9.0
    assert np.count_nonzero(np.array(scores) > 5.0) < 5


def test_a_constant_stream_says_nothing():
    detector = VolumeSurge()
    for index in range(10 * DAY):
        detector.learn_one(STEP * index, 7)
        assert detector.score_one() == 0.0


def test_contract_a_surge_scores_high_and_more_of_it_says_more():
    found = []
    for rate in (150.0, 600.0):
        detector = VolumeSurge()
        learn(detector, [30.0] * (7 * DAY))
        found.append(max(learn(detector, [rate] * 3, first=7 * DAY)))
    small, large = found
    assert large > small > 8.0


def test_contract_less_than_usual_is_no_surge():
    detector = VolumeSurge()
    learn(detector, [30.0] * (7 * DAY))
    assert learn(detector, [2.0] * 24, first=7 * DAY) == [0.0] * 24


def test_the_plateau_and_the_tail_of_a_surge_are_silent():
    detector = VolumeSurge()
    learn(detector, [30.0] * (7 * DAY))
    scores = learn(detector, [300.0] * 60 + [30.0] * 60, first=7 * DAY)
    assert max(scores[:10]) > 9.0
    assert max(scores[30:]) == 0.0


def test_a_second_surge_is_news_only_if_it_tops_the_first_or_a_day_has_passed():
    def after(pause: int, rate: float) -> float:
        detector = VolumeSurge()
        learn(detector, [30.0] * (7 * DAY) + [200.0] * 3 + [30.0] * pause)
        return max(learn(detector, [rate] * 3, first=7 * DAY + 3 + pause, seed=2))

    assert after(72, 200.0) == 0.0
    assert after(72, 900.0) > 6.0
    assert after(DAY + 24, 200.0) > 4.0


def test_what_is_usual_at_noon_is_a_surge_at_night():
    hours = np.arange(DAY) * STEP / 60
    day = (40 * (1 - 0.9 * np.cos(2 * np.pi * hours / 24))).tolist()
    normal, odd = VolumeSurge(), VolumeSurge()
    learn(normal, day * 7)
    learn(odd, day * 7)
    noon = max(learn(normal, day, first=7 * DAY))
    night = max(learn(odd, [76.0] * 12, first=7 * DAY))
    assert night > noon + 3.0


def test_the_open_bin_is_judged_as_it_fills():
    detector = VolumeSurge()
    learn(detector, [30.0] * (7 * DAY))
    seen = []
    for minute in range(STEP):
        detector.learn_one(STEP * 7 * DAY + minute, 100)
        seen.append(detector.score_one())
    assert seen == sorted(seen)
    assert seen[-1] > seen[0]


def test_minutes_left_out_are_empty_minutes():
    rng = np.random.default_rng(8)
    complete, left_out = VolumeSurge(), VolumeSurge()
    for minute, n in enumerate(rng.poisson(0.05, 3 * 24 * 60).tolist()):
        complete.learn_one(minute, n)
        if n or not minute:
            left_out.learn_one(minute, n)
    end = 3 * 24 * 60
    complete.learn_one(end, 1)
    left_out.learn_one(end, 1)
    assert complete.state == left_out.state


def test_contract_state_reads_back_and_is_small():
    detector = VolumeSurge()
    learn(detector, [30.0] * (5 * DAY) + [200.0] * 9)
    state = msgspec.msgpack.encode(detector.state)
    assert len(state) < 1024
    other = VolumeSurge(state=msgspec.msgpack.decode(state, type=VolumeSurgeState))
    assert other.state == detector.state
    more = [40.0] * 100 + [900.0] * 5
    first = 5 * DAY + 9
    assert learn(other, more, first=first) == learn(detector, more, first=first)


@pytest.mark.parametrize("silence", [7 * DAY, 60 * DAY])
def test_a_long_silence_is_walked_through_no_further_than_memory(silence):
    detector = VolumeSurge()
    learn(detector, [30.0] * (3 * DAY))
    scores = learn(detector, [30.0] * DAY, first=3 * DAY + silence)
    assert max(scores) > 5.0  # to speak again after weeks of silence is a surge
    assert detector.state.seen <= 4 * DAY + 7 * DAY + 1


def test_a_ratio_lies_in_the_tail_only_above_its_quantile():
    def score_at(quantile: float) -> float:
        # 7 comments a bin are normal, and 7 come: the ratio is 0.
        learnt = VolumeSurgeState(
            bin=7 * DAY, seen=7 * DAY, level=7.0, overall=(7.0, 1.0), quantile=quantile
        )
        detector = VolumeSurge(VolumeSurgeSettings(by_hour=False), learnt)
        detector.learn_one(STEP * 7 * DAY, 7)
        assert detector.state.ratio == 0.0
        return detector.score_one()

    assert score_at(0.0) == 0.0
    assert score_at(-1e-9) > 3.0
