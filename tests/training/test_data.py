from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training import tiny
from training.data import Split, hold_out, load_corpus, load_split
from training.errors import DataError
from training.recipe import DataSet, load_recipe

LABELS = ("negative", "neutral", "positive")
MOODS = DataSet("moods", "moods", "sentiment", {label: label for label in LABELS})


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"text": ["fine", "bad"], "label": ["neutral", "negative"], **columns})


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        (frame(label=["neutral", "angry"]), ["column label", "row 1", "'angry'"]),
        (frame(text=["fine", None]), ["column text", "row 1"]),
        (frame().drop(columns="label"), ["column label"]),
        (frame(lang=["en", None]), ["column lang", "row 1"]),
        (frame(text=[1, 2]), ["column text"]),
    ],
)
def test_fault_names_file_row_and_column(
    rows: pd.DataFrame, parts: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "moods.train.parquet"
    rows.to_parquet(path)
    with pytest.raises(DataError) as caught:
        load_split(path, MOODS, LABELS)
    for part in ["moods.train.parquet", *parts]:
        assert part in str(caught.value)


def test_truncated_parquet(tmp_path: Path) -> None:
    path = tmp_path / "moods.train.parquet"
    frame().to_parquet(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="not readable"):
        load_split(path, MOODS, LABELS)


def test_texts_are_normalised_and_empty_ones_dropped(tmp_path: Path) -> None:
    path = tmp_path / "moods.train.csv"
    tiny.write_rows(path, [("a &amp; b @kim99", "neutral"), ("\u200b", "negative")])
    split = load_split(path, MOODS, LABELS)
    assert split.texts == ["a & b @user"]
    assert split.labels.tolist() == [1]
    assert split.langs == ["und"]


def test_set_without_neutral_allows_two_classes(tmp_path: Path) -> None:
    tiny.write_rows(tmp_path / "stars.csv", [("a", "5"), ("b", "1")])
    stars = DataSet("stars", "stars", "sentiment", {"1": "negative", "5": "positive"})
    split = load_split(tmp_path / "stars.csv", stars, LABELS)
    assert split.allowed.tolist() == [True, False, True]
    assert split.labels.tolist() == [2, 0]


def test_held_out_rows_depend_on_the_text_alone(tmp_path: Path) -> None:
    rows = [(f"comment {i}", "neutral") for i in range(1000)]
    tiny.write_rows(tmp_path / "a.csv", rows)
    tiny.write_rows(tmp_path / "b.csv", rows[::-1])
    rest, held = hold_out(load_split(tmp_path / "a.csv", MOODS, LABELS), 0.1)
    _, again = hold_out(load_split(tmp_path / "b.csv", MOODS, LABELS), 0.1)
    assert set(held.texts) == set(again.texts)
    assert not set(held.texts) & set(rest.texts)
    assert 60 < len(held) < 140
    assert len(held) + len(rest) == 1000


def test_corpus_reads_sets_and_hashes_files(tmp_path: Path) -> None:
    data = tiny.write_sets(tmp_path / "data")
    corpus = load_corpus(load_recipe("smoke"), data)
    assert [split.data.name for split in corpus.train] == ["moods", "stars", "insults"]
    assert [split.data.name for split in corpus.val] == ["moods", "stars", "insults"]
    assert set(corpus.hashes) == {path.name for path in data.iterdir()}
    before = corpus.hashes["moods.val.csv"]
    tiny.write_rows(data / "moods.val.csv", [("good", "positive")])
    again = load_corpus(load_recipe("smoke"), data, train=False)
    assert again.train == ()
    assert again.hashes["moods.val.csv"] != before


def test_a_language_can_be_kept_from_training_and_stays_in_val(tmp_path: Path) -> None:
    rows = pd.DataFrame({"text": ["a", "b", "c"], "label": "neutral", "lang": ["en", "hi", "en"]})
    for split in ("train", "val"):
        rows.to_csv(tmp_path / f"moods.{split}.csv", index=False)
    plan = load_recipe("smoke")
    without = replace(plan, sets=(replace(MOODS, without=("hi",)),))
    corpus = load_corpus(without, tmp_path)
    assert corpus.train[0].texts == ["a", "c"]
    assert corpus.train[0].labels.tolist() == [1, 1]
    assert corpus.val[0].texts == ["a", "b", "c"]


def test_missing_set_is_named(tmp_path: Path) -> None:
    data = tiny.write_sets(tmp_path / "data")
    (data / "insults.train.csv").unlink()
    (data / "insults.val.csv").unlink()
    with pytest.raises(DataError, match="insults"):
        load_corpus(load_recipe("smoke"), data)


def test_labels_become_those_of_the_head() -> None:
    recipe = load_recipe("groundswell")
    hate = next(data for data in recipe.sets if data.name == "kocohub_hate")
    assert hate.labels == {
        "none": "not-offensive",
        "offensive": "offensive",
        "hate": "offensive",
    }
    assert np.isclose(next(d for d in recipe.sets if d.name == "nsmc").holdout, 0.1)


def test_rare_class_weighs_more_and_the_mean_is_one() -> None:
    split = load_split_of(labels=[0] * 8 + [2] * 2)
    assert split.row_weights(0.0).tolist() == pytest.approx([1.0] * 10)
    even = split.row_weights(1.0)
    assert even.mean() == pytest.approx(1.0)
    assert even[:8].sum() == pytest.approx(even[8:].sum())
    half = split.row_weights(0.5)
    assert half[8] / half[0] == pytest.approx(2.0)  # a quarter as common


def load_split_of(labels: list[int]) -> Split:
    rows = len(labels)
    everything = np.ones(3, dtype=np.bool_)
    return Split(MOODS, ["a"] * rows, np.array(labels), ["en"] * rows, everything)
