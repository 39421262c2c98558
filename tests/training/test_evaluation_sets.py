"""The comments that were written to measure languages without a training set."""

import unicodedata
from collections import Counter
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from model.artifact import ModelArtifact
from model.classifier import SentimentClassifier, shipped_weights
from model.fake_backend import FakeBackend
from model.language import identify
from training.data import Corpus, Split, load_corpus, load_split, read_frame
from training.errors import DataError
from training.evaluate import Scored, evaluate, measure_all
from training.evaluation import SETS, evaluation_hashes, evaluation_splits
from training.export import parity
from training.model_card import model_card
from training.recipe import DataSet, load_recipe

FOLDER = Path(str(files("training") / "evaluation"))
RECIPES = sorted(path.stem for path in (FOLDER.parent / "recipes").glob("*.toml"))
LABELS = ("negative", "neutral", "positive")
NOTHING = Corpus((), (), {})
EXPECTED = {"vietnamese": ("vi", 156), "japanese": ("ja", 66)}


@pytest.fixture(scope="module")
def splits() -> dict[str, Split]:
    return {split.data.name: split for split in evaluation_splits()}


@pytest.mark.parametrize("name", EXPECTED)
def test_set_is_balanced_and_as_large_as_promised(name: str, splits: dict[str, Split]) -> None:
    lang, least = EXPECTED[name]
    split = splits[name]
    assert len(split) == len(read_frame(FOLDER / f"{name}.csv")) >= least
    assert set(split.langs) == {lang}
    assert len(set(Counter(split.labels.tolist()).values())) == 1
    assert len({text.lower() for text in split.texts}) == len(split)


def test_texts_are_of_the_length_and_form_of_comments(splits: dict[str, Split]) -> None:
    words = [len(text.split()) for text in splits["vietnamese"].texts]
    assert min(words) == 3
    assert 30 <= max(words) <= 40
    assert max(len(text) for text in splits["japanese"].texts) > 60
    for name in EXPECTED:
        for text in read_frame(FOLDER / f"{name}.csv")["text"]:
            assert unicodedata.is_normalized("NFC", text), text


@pytest.mark.parametrize("name", EXPECTED)
def test_the_language_is_identified(name: str, splits: dict[str, Split]) -> None:
    found = Counter(identify(text) for text in splits[name].texts)
    lang = EXPECTED[name][0]
    assert found[lang] >= 0.85 * len(splits[name])
    assert found[lang] + found["und"] >= 0.98 * len(splits[name])


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_recipe_can_train_on_them(recipe: str) -> None:
    plan = load_recipe(recipe)
    assert not {data.name for data in SETS} & {data.name for data in plan.sets}
    assert all(data.weight == 0 and data.holdout == 0 for data in SETS)
    with pytest.raises(DataError, match=r"neither .*\.train nor \.val"):
        load_corpus(plan, FOLDER)


def test_naming_one_in_a_recipe_finds_nothing_to_train_on() -> None:
    plan = load_recipe("smoke")
    for path in ("vietnamese", "vietnamese.csv", "japanese"):
        labels = {label: label for label in LABELS}
        named = DataSet("own", path, "sentiment", labels)
        with pytest.raises(DataError, match="neither"):
            load_corpus(replace(plan, sets=(named,)), FOLDER)


def test_evaluate_measures_them_with_intervals() -> None:
    found = {m.name: m for m in evaluate(SentimentClassifier(FakeBackend()), NOTHING)}
    assert set(found) == {"vietnamese", "japanese", "language vi", "language ja"}
    assert {m.kind for m in found.values()} == {"evaluation"}
    assert found["vietnamese"].macro_f1 == found["language vi"].macro_f1
    assert all(m.low < m.macro_f1 < m.high for m in found.values())


def test_they_stay_out_of_the_gate_and_of_the_sum(tmp_path: Path) -> None:
    path = tmp_path / "val.csv"
    path.write_text("text,label,lang\n" + "good,positive,en\nbad,negative,en\nsoso,neutral,vi\n")
    labels = {label: label for label in LABELS}
    val = load_split(path, DataSet("val", "val", "sentiment", labels), LABELS)
    own = evaluation_splits()[0]
    right = [Scored(val, np.eye(3)[val.labels], val.langs)]
    wrong = [Scored(own, np.eye(3)[(own.labels + 1) % 3], own.langs)]
    alone, both = measure_all(right), measure_all(right, wrong)
    assert parity(alone, both) == {"val": 0.0}
    total = {m.name: m for m in both}
    assert total["all sentiment sets"] == next(m for m in alone if m.name == "all sentiment sets")
    assert total["vietnamese"].macro_f1 == 0
    assert (total["language vi"].rows, total["language vi"].kind) == (len(own) + 1, "pool")


def test_card_shows_them_apart() -> None:
    measured = [m.as_dict() for m in evaluate(SentimentClassifier(FakeBackend()), NOTHING)]
    details = dict(ModelArtifact.load(shipped_weights()).details)
    details |= {"metrics": measured, "calibration": {}, "robustness": []}
    card = model_card(details, load_recipe("groundswell"))
    before, after = card.split("Evaluation only", 1)
    for name, (lang, _) in EXPECTED.items():
        for group in (name, f"language {lang}"):
            assert f"| {group} | sentiment |" in after
            assert f"| {group} |" not in before
        assert f"| {name} | sentiment, evaluation only | written for this project" in after


def test_every_file_has_a_hash() -> None:
    assert evaluation_hashes().keys() == {f"{name}.csv" for name in EXPECTED}
    assert len(set(evaluation_hashes().values())) == len(EXPECTED)
