"""When a prediction says that its text is unlike what the model was measured on."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models

from model.artifact import LANGUAGE_POOL, MANIFEST, ModelArtifact
from model.classifier import MAX_CHARACTERS, MAX_WINDOWS, SentimentClassifier, shipped_weights
from model.fake_backend import FakeBackend
from model.scope import in_scope, unknown_piece
from tests.model.conftest import NASTY
from tests.model.graph import write_artifact
from tests.training import tiny

ENGLISH = "the blue table and the train are good on monday"


@pytest.mark.parametrize(
    ("text", "language", "pieces", "expected"),
    [
        ("good", "und", [7], True),
        ("good day to you", "en", [7, 8, 9], True),
        ("guten tag an alle", "de", [7, 8, 9], False),
        ("😍😍😍", "und", [7], False),
        ("100 % !!!", "und", [7, 8], False),
        ("@user http", "und", [7, 8], False),
        ("@user nice", "und", [7, 8], True),
        ("ᏣᎳᎩ ok", "und", [7, 3, 3, 8], False),
        ("ᏣᎳᎩ ok", "und", [7, 3, 9, 8], True),
    ],
)
def test_table(text: str, language: str, pieces: list[int], expected: bool) -> None:
    assert in_scope(text, language, pieces, unknown=3, measured={"en"}) is expected


def test_where_nobody_says_what_was_measured_language_decides_nothing() -> None:
    assert in_scope("guten tag an alle", "de", [7], unknown=None, measured=None)


def test_unknown_piece() -> None:
    assert unknown_piece(tiny.tokenizer()) == 3
    assert unknown_piece(Tokenizer(models.WordPiece({"a": 0, "[UNK]": 1}))) == 1
    assert unknown_piece(Tokenizer(models.BPE())) is None


@pytest.mark.parametrize(("measured", "expected"), [("en", True), ("ko", False)])
def test_languages_come_from_the_figures_of_the_manifest(
    measured: str, expected: bool, tmp_path: Path
) -> None:
    folder = write_artifact(tmp_path)
    manifest = json.loads((folder / MANIFEST).read_text())
    names = ["moods", f"{LANGUAGE_POOL}{measured}", f"{LANGUAGE_POOL}und"]
    manifest["metrics"] = [{"name": name} for name in names]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    assert ModelArtifact.load(folder).languages == frozenset({measured})
    said = SentimentClassifier.load(folder).predict([ENGLISH, "good"])
    assert [(one.language, one.in_scope) for one in said] == [("en", expected), ("und", True)]


def test_a_model_without_figures_has_no_foreign_language(artifact: Path) -> None:
    assert ModelArtifact.load(artifact).languages is None
    known, strange = SentimentClassifier.load(artifact).predict([ENGLISH, "Ωμέγα ψηφίο"])
    assert known.in_scope
    assert not strange.in_scope  # none of its letters is in the vocabulary


def test_a_text_read_in_parts_is_out_of_scope() -> None:
    classifier = SentimentClassifier.from_backend(FakeBackend())
    whole = "table good awful " * (MAX_WINDOWS * FakeBackend.window // 3)
    spaced = "word" + " " * MAX_CHARACTERS + "word"
    said = classifier.predict([whole, whole + "one more word than the windows hold", spaced, ""])
    assert [one.in_scope for one in said] == [True, False, False, False]
    assert [one.windows for one in said] == [MAX_WINDOWS, MAX_WINDOWS, 1, 0]


@pytest.mark.parametrize("name", ["fake", "onnx"])
def test_company_in_the_batch_changes_nothing(name: str, artifact: Path) -> None:
    fake = SentimentClassifier(FakeBackend(), languages={"en", "ja"})
    classifier = fake if name == "fake" else SentimentClassifier.load(artifact)
    texts = [*NASTY, ENGLISH, "配送が遅すぎます", "Очень плохо, верните деньги", "", "ok"]
    together = classifier.predict(texts)
    for text, said in zip(texts, together, strict=True):
        (alone,) = classifier.predict([text])
        assert (said.language, said.in_scope) == (alone.language, alone.in_scope), text[:20]
        assert said == pytest.approx(alone) if name == "onnx" else said == alone


def test_shipped_model_knows_what_it_was_measured_on() -> None:
    artifact = ModelArtifact.load(shipped_weights())
    assert artifact.languages is not None
    assert {"ar", "de", "en", "es", "fr", "hi", "id", "it", "ko", "pt", "th", "zh"} <= (
        artifact.languages
    )
    texts = {
        "en": "I waited three weeks for this and it arrived broken",
        "ru": "Очень разочарована, больше никогда ничего у вас не куплю",
        "vi": "Chị ơi cho em hỏi cái này giá bao nhiêu vậy ạ",
    }
    said = SentimentClassifier.load(threads=1).predict(list(texts.values()))
    assert [one.language for one in said] == list(texts)
    assert [one.in_scope for one in said] == [code in artifact.languages for code in texts]
