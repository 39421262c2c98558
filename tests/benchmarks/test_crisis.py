"""The protocol's statistics and the way pages are judged."""

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.crisis import peers, protocol, shapes
from benchmarks.crisis.bench import calibrate, policy_for
from benchmarks.crisis.limit import TEN_WEEKS, limit_delay
from benchmarks.crisis.ours import run
from benchmarks.crisis.report import delays, interval, recall
from benchmarks.crisis.scoring import Caught, KolOutcome, judge
from benchmarks.crisis.stream import SimulatedIncident, Stream, generate, kernel

MICRO, MID = protocol.TIERS[1], protocol.TIERS[2]
DAY = protocol.MINUTES_PER_DAY
FIRST = protocol.WARM_UP_DAYS * DAY


def flat(*incidents: SimulatedIncident) -> Stream:
    zero = np.zeros(protocol.MINUTES, dtype=np.int64)
    return Stream("mid-0", "mid", zero, zero, zero, incidents)


def test_seeds_are_disjoint_and_streams_repeat():
    assert protocol.CALIBRATION_SEED != protocol.TEST_SEED
    one, again = (generate(protocol.TEST_SEED, 2, MID) for _ in range(2))
    other = generate(protocol.CALIBRATION_SEED, 2, MID)
    assert np.array_equal(one.comments, again.comments)
    assert np.array_equal(one.negative, again.negative)
    assert one.incidents == again.incidents
    assert not np.array_equal(one.comments, other.comments)


def test_every_kol_has_two_crises_and_four_hard_negatives_after_the_warm_up():
    for index in range(6):
        incidents = generate(1, index, MICRO).incidents
        crises = [incident for incident in incidents if incident.crisis]
        hard = [incident.kind for incident in incidents if not incident.crisis]
        assert len(crises) == 2
        assert len(set(hard)) == 4
        assert all(FIRST <= incident.start < incident.end for incident in incidents)
        gaps = [b.start - a.end for a, b in pairwise(incidents)]
        assert min(gaps) > 0


def test_volume_share_and_counts_are_as_stated():
    streams = [generate(3, index, MID) for index in range(24)]
    quiet = slice(0, FIRST)
    volume = np.median([stream.comments[quiet].sum() / 14 for stream in streams])
    assert volume == pytest.approx(MID.comments, rel=0.5)
    dark = sum(stream.negative[quiet].sum() for stream in streams)
    total = sum(stream.comments[quiet].sum() for stream in streams)
    normal = protocol.HIT_RATE * 0.15 + protocol.FALSE_LABEL_RATE * 0.85
    assert dark / total == pytest.approx(normal, abs=0.04)
    for stream in streams:
        assert (stream.negative + stream.positive <= stream.comments).all()
        assert (stream.negative >= 0).all()


def test_a_post_decays_as_stated():
    share = kernel()
    assert share.sum() == pytest.approx(1)
    assert share[0] == share[5]
    assert share[1000] / share[500] == pytest.approx(2**-protocol.KERNEL_EXPONENT)


def test_shapes():
    rng = np.random.default_rng(0)
    flash = shapes.flash(rng, 10.0)
    assert flash.minutes == 370
    assert flash.rate.max() == pytest.approx(10.0)
    assert 0.60 <= flash.negative <= 0.85
    after = shapes.aftershock(rng, 10.0)
    wave = after.rate[371:]
    assert wave.max() == pytest.approx(7.0)
    slow = shapes.slow(rng, 10.0)
    assert slow.rate[18 * 60] == pytest.approx(0.35 * 10 / 2)
    small, large = shapes.brigade(rng, MID, 1.0), shapes.brigade(rng, protocol.TIERS[4], 1.0)
    assert 75 <= small.rate.sum() <= 600
    assert 25 * 75 <= large.rate.sum() <= 25 * 600


def test_the_limit_is_where_the_ratio_passes():
    ones = np.ones(600)
    n, k = np.full(600, 10), np.full(600, 6)
    delay = limit_delay(n, k, 10 * ones, 1.5 * ones, 10 * ones, 7 * ones)
    called0 = 0.75 * 1.5 + 0.08 * 8.5
    called1 = 0.75 * 7 + 0.08 * 3
    step = 6 * np.log(called1 / called0) + 4 * np.log((10 - called1) / (10 - called0))
    assert delay == np.ceil(TEN_WEEKS / step)
    assert limit_delay(n, k, 10 * ones, 1.5 * ones, 10 * ones, 1.5 * ones) is None


CRISIS = SimulatedIncident("flash", True, FIRST + 1000, FIRST + 1370, 3.0)
VIRAL = SimulatedIncident("viral", False, FIRST + 9000, FIRST + 9360, None)


def test_a_page_in_the_window_hits_and_others_are_false_by_cause():
    at = [500, FIRST + 1012, FIRST + 1100, FIRST + 1400, FIRST + 9100, FIRST + 20000]
    outcome = judge(flat(CRISIS, VIRAL), at, [(FIRST + 1012, FIRST + 1390)])
    (crisis,) = outcome.caught
    assert crisis.delay == 12
    assert crisis.pages == 3
    assert crisis.resolve_error == 20
    assert [page.cause for page in outcome.false] == ["tail", "viral", "normal"]


def test_an_aftershock_is_reported_without_a_page():
    end = CRISIS.end
    waves = [end + 60, end + 24 * 60 + 1]
    outcome = judge(flat(CRISIS), [CRISIS.start + 5], [], waves)
    assert (outcome.caught[0].pages, outcome.caught[0].aftershocks) == (1, 1)
    assert outcome.false == ()
    missed = judge(flat(CRISIS), [], [], waves)
    assert missed.caught[0].aftershocks == 0


def test_a_page_before_the_onset_is_no_hit():
    outcome = judge(flat(CRISIS), [CRISIS.start])
    assert outcome.caught[0].delay is None
    assert len(outcome.false) == 1


def test_recall_and_delay_count_misses_as_a_day():
    base = {"kol": "a", "tier": "mid", "kind": "flash", "pages": 1, "aftershocks": 0, "limit": 3.0}
    crises = [Caught(delay=10.0, **base), Caught(delay=None, **base)]
    assert recall(crises) == 0.5
    assert delays(crises)[0] == (10 + 1440) / 2


def test_bootstrap_is_by_kol():
    base = {"kol": "a", "tier": "mid", "kind": "flash", "pages": 1, "aftershocks": 0, "limit": 3.0}
    hit, miss = Caught(delay=1.0, **base), Caught(delay=None, **base)
    outcomes = [KolOutcome((hit, hit), ())] * 10 + [KolOutcome((miss, miss), ())] * 10
    low, high = interval(outcomes)["recall"]
    assert low < 0.4 < 0.6 < high


def test_peers_page_once_until_they_rest():
    score = np.zeros(2000)
    score[[100, 101, 300, 1000]] = 5.0
    assert peers.pages(score, 4.0) == [101, 1001]
    assert peers.pages(score, 6.0) == []


def test_every_peer_scores_every_minute_and_sees_a_storm():
    stream = generate(11, 0, MICRO)
    flash = slice(60_000, 60_300)
    stream.comments[flash] += 10
    stream.negative[flash] += 8
    for peer in peers.PEERS:
        score = peer.score(stream)
        assert score.shape == (protocol.MINUTES,)
        assert np.isfinite(score).all(), peer.name
        assert score[flash].max() > peer.grid[0], peer.name


def test_calibration_takes_the_lowest_threshold_that_keeps_the_budget():
    stream = flat(CRISIS)
    noisy = judge(stream, [FIRST + 20_000 + 900 * i for i in range(12)])
    calm = judge(stream, [FIRST + 20_000])

    class Result:
        def __init__(self, outcomes):
            self.peers = {"p": outcomes}

    assert calibrate([Result([noisy, calm])], "p", 1.0) == 1
    assert calibrate([Result([noisy, calm])], "p", 3.0) == 0


def test_the_engine_detects_a_storm_of_the_protocol():
    stream = generate(17, 0, MICRO)
    result = run(stream, policy_for(0.1))
    outcome = judge(stream, result.pages, result.resolutions)
    assert sum(crisis.delay is not None for crisis in outcome.caught) >= 1
    assert len(outcome.false) <= 3
    assert result.state_bytes < 16 * 1024
