import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import f1_score, recall_score

from tests.training.honest import scored
from training.evaluate import measure_all
from training.metrics import calibration_floor, macro_f1, macro_recall, reliability, restrict


def test_as_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    truth, guess = draw.integers(0, 3, 500), draw.integers(0, 3, 500)
    assert macro_f1(truth, guess, 3) == pytest.approx(f1_score(truth, guess, average="macro"))
    assert macro_recall(truth, guess, 3) == pytest.approx(
        recall_score(truth, guess, average="macro")
    )


def test_class_that_does_not_occur_is_not_averaged() -> None:
    truth = np.array([0, 2, 2, 0])
    assert macro_f1(truth, truth, 3) == 1.0
    assert macro_recall(truth, truth, 3) == 1.0


def test_calibration_error_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1]] * 10 + [[0.3, 0.7]] * 30)
    truth = np.array([0] * 7 + [1] * 3 + [1] * 27 + [0] * 3)
    figures = reliability(truth, probabilities)
    assert figures.counts.tolist() == [0] * 10 + [30, 0, 0, 10, 0]
    assert figures.accuracy[[10, 13]] == pytest.approx([0.9, 0.7])
    assert figures.confidence[[10, 13]] == pytest.approx([0.7, 0.9])
    assert figures.error == pytest.approx(0.2)


def test_restrict() -> None:
    allowed = np.array([True, False, True])
    shares = restrict(np.array([[0.2, 0.4, 0.4], [0.0, 1.0, 0.0]]), allowed)
    assert shares[0].tolist() == pytest.approx([1 / 3, 0, 2 / 3])
    assert shares[1].tolist() == pytest.approx([0.5, 0, 0.5])


def test_calibration_floor_is_the_mean_deviation_of_a_binomial() -> None:
    for rows in (20, 400):
        sure = np.array([[0.8, 0.2]] * rows)
        hits = np.arange(rows + 1)
        expected = binom.pmf(hits, rows, 0.8) @ abs(hits - 0.8 * rows) / rows
        assert calibration_floor(sure) == pytest.approx(expected, rel=0.15)
    assert calibration_floor(np.eye(3)) == 0.0


def test_honest_probabilities_err_as_chance_has_it() -> None:
    part = scored(4000)
    figures = reliability(part.split.labels, part.probabilities)
    assert figures.rows == 4000
    assert 0.5 * figures.floor < figures.error < 1.5 * figures.floor
    few = reliability(part.split.labels[:300], part.probabilities[:300])
    assert few.floor > 2 * figures.floor


def test_languages_are_measured_apart_and_together() -> None:
    names = {m.name: m for m in measure_all([scored(400)])}
    assert set(names) == {
        "moods", "moods/en", "moods/ko", "language en", "language ko", "all sentiment sets",
    }  # fmt: skip
    assert names["moods/en"].rows + names["moods/ko"].rows == names["moods"].rows
    assert names["moods"].low < names["moods"].macro_f1 < names["moods"].high
