"""NAB's rule against cases worked by hand, the tuning, and the files."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.nab.detectors import volume_surge
from benchmarks.nab.scoring import probation, scaled, sigmoid, sweep, worth
from benchmarks.nab.series import Series, load
from benchmarks.nab.tuning import best, tune

SHARED = Path(__file__).parents[2].parent / "shared" / "nab"
ROWS = 4000
WINDOWS = ((1000, 1010), (3000, 3010))


def flags(*rows: int) -> np.ndarray:
    scores = np.zeros(ROWS)
    scores[list(rows)] = 1.0
    return scores


def total(*rows: int) -> float:
    return sweep(flags(*rows), WINDOWS).at(0.5)[0]


def test_flagging_nothing_is_0_and_every_window_at_its_first_row_is_100():
    assert scaled(total(), 2) == 0.0
    assert scaled(total(1000, 3000), 2) == pytest.approx(100.0)


def test_flagging_every_row_costs_more_than_it_finds():
    assert scaled(total(*range(ROWS)), 2) < 0


def test_the_sigmoid_by_hand():
    assert sigmoid(-1.0) == pytest.approx(0.986614, abs=1e-6)
    assert sigmoid(0.0) == 0.0
    assert sigmoid(1.0) == pytest.approx(-0.986614, abs=1e-6)
    assert sigmoid(3.01) == -1.0


def test_a_window_pays_for_its_earliest_row():
    # The last of eleven rows: 1/11 of a window before its end.
    last = (2 / (1 + math.exp(-5 / 11)) - 1) / 0.986614
    assert total(1010) == pytest.approx(last - 1, abs=1e-5)
    # The sixth: 6/11 before the end.
    sixth = (2 / (1 + math.exp(-30 / 11)) - 1) / 0.986614
    assert total(1005, 1010) == pytest.approx(sixth - 1, abs=1e-5)
    assert total(1005, 1006, 1007, 1010) == pytest.approx(total(1005))


def test_a_false_positive_costs_by_its_distance_past_the_last_window():
    nothing = total()
    assert total(900) - nothing == pytest.approx(-0.11)  # no window before it
    # One row past a window of length 11: 0.1 lengths, 2 / (1 + e^0.5) - 1 = -0.244919.
    assert total(1011) - nothing == pytest.approx(-0.11 * 0.244919, abs=1e-6)
    assert total(1020) - nothing == pytest.approx(-0.11 * 0.986614, abs=1e-6)
    assert total(2000) - nothing == pytest.approx(-0.11)
    assert total(900, 901, 2000) - nothing == pytest.approx(-0.33)


def test_the_first_rows_are_not_scored():
    assert probation(ROWS) == 600
    assert probation(15_902) == 750
    assert total(0, 300, 599) == total()
    assert total(600) < total()


def test_every_threshold_equals_the_rule_applied_row_by_row():
    rng = np.random.default_rng(3)
    windows = ((900, 960), (1500, 1530), (1531, 1600))
    scores = np.round(rng.random(2000) ** 4, 2)  # many are equal, some are 0
    value, window = worth(len(scores), windows)
    result = sweep(scores, windows)
    assert len(result.thresholds) == len(np.unique(scores[300:][scores[300:] > 0]))
    for threshold in (0.005, 0.01, 0.5, 0.505, 0.9, 1.0, 2.0):
        flagged = [row for row in range(300, 2000) if scores[row] >= threshold]
        expected = sum(value[row] for row in flagged if window[row] < 0)
        for index in range(3):
            inside = [value[row] for row in flagged if window[row] == index]
            expected += max(inside, default=-1.0)
        found, hits, false = result.at(threshold)
        assert found == pytest.approx(expected)
        assert hits == len({window[row] for row in flagged} - {-1})
        assert false == sum(window[row] < 0 for row in flagged)


def test_leave_one_out_takes_its_threshold_from_the_others():
    loud, quiet = flags(1000, 3000) * 9.0, flags(1000, 3000) * 2.0
    noise = np.zeros(ROWS)
    noise[2000:2050] = 5.0  # above what finds the windows of the quiet one
    sweeps = [sweep(loud + noise, WINDOWS), sweep(quiet, WINDOWS)]
    assert best(sweeps[:1]) == 9.0
    assert best(sweeps[1:]) == 2.0
    tuned = tune(sweeps)
    assert tuned.thresholds == (2.0, 9.0)
    # The first flags 50 false rows at 2, the second finds nothing at 9.
    assert tuned.left_out == pytest.approx(scaled(2 - 50 * 0.11 - 2, 4))
    # Silence on the second costs less than the first's noise.
    assert tuned.threshold == 9.0
    assert tuned.score == pytest.approx(50.0)
    assert (tuned.hits, tuned.false) == ((2, 0), (0, 0))


def test_a_detector_that_never_helps_is_best_silent():
    assert best([sweep(flags(2000, 2001), WINDOWS)]) == math.inf


def test_ours_finds_a_planted_surge_and_says_it_once():
    rng = np.random.default_rng(5)
    values = rng.poisson(20, ROWS)
    values[3000:3020] += 200
    minutes = tuple(range(0, 5 * ROWS, 5))
    windows = ((3000, 3040),)
    scores = volume_surge(Series("planted", minutes, tuple(values.tolist()), windows))
    result = sweep(scores, windows)
    _, hits, false = result.at(9.0)
    assert (hits, false) == (1, 0)
    assert 1 <= np.count_nonzero(scores[3000:] >= 9.0) <= 4


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/nab")
def test_the_files_hold_five_series_and_sixteen_windows():
    series = load(SHARED)
    assert [one.name.rpartition("_")[2] for one in series] == ["AAPL", "CVS", "FB", "IBM", "UPS"]
    assert sum(len(one.windows) for one in series) == 16
    for one in series:
        assert len(one.minutes) == len(one.values) > 15_000
        edges = [row for window in one.windows for row in window]
        assert edges == sorted(edges)
        assert edges[0] >= probation(len(one.values))
        steps = np.diff(one.minutes)
        assert (steps == 5).all()


def test_a_window_that_is_no_row_is_refused(tmp_path):
    if not SHARED.exists():
        pytest.skip("needs ../shared/nab")
    (tmp_path / "Twitter_volume_AAPL.parquet").write_bytes(
        (SHARED / "Twitter_volume_AAPL.parquet").read_bytes()
    )
    (tmp_path / "windows.json").write_text(
        '{"Twitter_volume_AAPL": [["2015-03-03 04:37:54", "2015-03-04 13:37:53"]]}'
    )
    with pytest.raises(ValueError, match="AAPL: a window starts or ends at 2015-03-03 04:37:54"):
        load(tmp_path)
