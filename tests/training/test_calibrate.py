"""Temperatures: found where they are known, and languages' only where they pay."""

from dataclasses import replace

import numpy as np
import pytest

from model.backend import soften
from tests.training.honest import scored
from training.calibrate import Temperatures, calibrate, fit
from training.evaluate import halves, pooled
from training.metrics import reliability

SURE = {"en": 2.0, "ko": 2.0}


def test_softening_is_what_the_logits_would_give() -> None:
    logits = np.array([[0.3, -1.0, 2.0], [5.0, 0.0, 0.0]])
    powers = np.exp(logits)
    cooler = np.exp(logits / 1.7)
    softened = soften(powers / powers.sum(axis=1, keepdims=True), 1.7)
    assert softened == pytest.approx(cooler / cooler.sum(axis=1, keepdims=True))
    assert soften(np.array([0.0, 0.2, 0.8]), 2.0)[0] == 0.0


def test_one_temperature_undoes_overconfidence() -> None:
    found = calibrate([scored(4000, SURE)])
    assert found is not None
    assert found.temperatures.head == pytest.approx(2.0, rel=0.1)
    assert found.one.error < 0.03 < found.before.error


def test_languages_that_do_not_differ_get_none_of_their_own() -> None:
    found = calibrate([scored(4000, SURE)])
    assert found is not None
    assert found.languages.keys() == {"en", "ko"}
    assert found.gain < 2 * found.gain_error
    assert found.temperatures.languages == {}
    assert found.as_dict()["held_out_error"] == round(found.one.error, 4)


def test_a_language_that_is_surer_than_it_should_be_gets_its_own() -> None:
    part = scored(12_000, {"ko": 2.0})
    found = calibrate([part])
    assert found is not None
    own = found.temperatures.languages
    assert own["ko"] == pytest.approx(2.0, rel=0.1)
    assert own["en"] == pytest.approx(1.0, rel=0.1)
    for one, each in found.languages.values():
        assert each.error < 0.04 < one.error
    assert found.as_dict()["held_out_error"] == round(found.own.error, 4)
    korean = np.array(part.languages) == "ko"
    softened = found.temperatures.soften(part)
    assert softened.probabilities[korean] == pytest.approx(
        soften(part.probabilities[korean], own["ko"])
    )


def test_few_rows_stay_nearer_the_heads_temperature() -> None:
    many = fit([scored(6000, {"ko": 2.0})], ["ko"])
    few = fit([scored(6000, {"ko": 2.0}, ("en",) * 99 + ("ko",))], ["ko"])
    assert few.head < few.languages["ko"] < 0.9 * many.languages["ko"]


def test_rare_and_unknown_languages_are_not_tried() -> None:
    found = calibrate([scored(1500, None, ("en",) * 8 + ("und", "ko"))])
    assert found is not None
    assert found.languages.keys() == {"en"}


def test_rows_are_judged_by_the_other_half() -> None:
    part = scored(4000)
    first, second = halves(part)
    mixed = np.where(first[:, None], soften(part.probabilities, 0.5), part.probabilities)
    part = replace(part, probabilities=mixed)
    assert fit([part], rows=[first]).head == pytest.approx(2.0, rel=0.1)
    assert fit([part], rows=[second]).head == pytest.approx(1.0, rel=0.1)
    found = calibrate([part])
    assert found is not None
    assert found.one.error > 0.04
    right = [
        Temperatures(fit([part], rows=[rows]).head).soften(part).probabilities[rows]
        for rows in (first, second)
    ]
    truth = np.concatenate([part.split.labels[first], part.split.labels[second]])
    assert reliability(truth, np.concatenate(right)).error < 0.03


def test_sets_count_alike() -> None:
    large, small = scored(6000, SURE), scored(600)
    alike = fit([large, small]).head
    assert fit([small]).head < alike < fit([large]).head
    assert fit([large, small, small]).head < alike


def test_nothing_to_fit_on() -> None:
    assert calibrate([]) is None
    assert fit([]) == Temperatures(1.0)
    part = scored(300)
    nothing = fit([part], ["ko"], [np.zeros(300, dtype=np.bool_)])
    assert nothing.soften(part).probabilities == pytest.approx(pooled([part])[1])
