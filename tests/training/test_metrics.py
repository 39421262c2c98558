import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from tests.training.test_data import MOODS
from training.calibrate import fit_temperature, held_out_error, soften
from training.data import Split
from training.evaluate import Scored, measure_all
from training.metrics import calibration_error, macro_f1, macro_recall, restrict


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
    probabilities = np.array([[0.9, 0.1]] * 10)
    truth = np.array([0] * 7 + [1] * 3)
    assert calibration_error(truth, probabilities) == pytest.approx(0.2)


def test_restrict() -> None:
    allowed = np.array([True, False, True])
    shares = restrict(np.array([[0.2, 0.4, 0.4], [0.0, 1.0, 0.0]]), allowed)
    assert shares[0].tolist() == pytest.approx([1 / 3, 0, 2 / 3])
    assert shares[1].tolist() == pytest.approx([0.5, 0, 0.5])


def scored(sharpness: float) -> Scored:
    """Rows whose probabilities are right at sharpness 1 and too sure above it."""
    draw = np.random.default_rng(4)
    honest = draw.dirichlet([1.0, 1.0, 1.0], size=4000)
    truth = np.array([draw.choice(3, p=row) for row in honest])
    shown = soften(honest, 1 / sharpness)
    texts = [f"text {i}" for i in range(len(truth))]
    langs = ["en" if i % 2 else "ko" for i in range(len(truth))]
    split = Split(MOODS, texts, truth, langs, np.ones(3, dtype=np.bool_))
    return Scored(split, shown)


def test_temperature_undoes_overconfidence() -> None:
    sure = scored(2.0)
    temperature = fit_temperature([sure])
    assert temperature == pytest.approx(2.0, rel=0.1)
    assert held_out_error([sure], temperature) < 0.03 < held_out_error([sure], 1.0)


def test_honest_probabilities_are_left_alone() -> None:
    assert fit_temperature([scored(1.0)]) == pytest.approx(1.0, abs=0.1)
    assert fit_temperature([]) == 1.0


def test_languages_are_measured_apart_and_together() -> None:
    names = {m.name: m for m in measure_all([scored(1.0)])}
    assert set(names) == {
        "moods", "moods/en", "moods/ko", "language en", "language ko", "all sentiment sets",
    }  # fmt: skip
    assert names["moods/en"].rows + names["moods/ko"].rows == names["moods"].rows
    assert names["moods"].low < names["moods"].macro_f1 < names["moods"].high
