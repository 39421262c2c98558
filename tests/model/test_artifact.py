import json
import shutil
from pathlib import Path

import pytest

from model.artifact import GRAPH, MANIFEST, TOKENIZER, ModelArtifact
from model.classifier import SentimentClassifier
from model.errors import ArtifactError, ArtifactTamperedError


@pytest.fixture
def folder(artifact: Path, tmp_path: Path) -> Path:
    return shutil.copytree(artifact, tmp_path / "copy")


def test_verified(folder: Path) -> None:
    found = ModelArtifact.load(folder)
    found.verify()
    assert found.model_id == "by-hand-1"
    assert found.labels["offensive"] == ("not-offensive", "offensive")


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER])
def test_changed_file_is_refused(folder: Path, name: str) -> None:
    raw = bytearray((folder / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / name).write_bytes(raw)
    with pytest.raises(ArtifactTamperedError, match=name):
        SentimentClassifier.load(folder)


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=name):
        SentimentClassifier.load(folder)


def test_languages_are_read_at_their_own_temperature(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["max_tokens"] = 64  # one window: the mean over several is softened as a whole
    texts = ["this train was awful and she is bad", "awful"]

    def said(head: float, languages: dict[str, float]) -> list[float]:
        manifest["temperatures"]["sentiment"] = head
        manifest["language_temperatures"] = {"sentiment": languages}
        (folder / MANIFEST).write_text(json.dumps(manifest))
        return [one.negative for one in SentimentClassifier.load(folder).predict(texts)]

    assert ModelArtifact.load(folder).relative_temperatures == {}
    cool, warm, mixed = said(1.5, {}), said(3.0, {}), said(1.5, {"en": 3.0})
    assert ModelArtifact.load(folder).relative_temperatures == {"sentiment": {"en": 2.0}}
    assert mixed == pytest.approx([warm[0], cool[1]], abs=1e-4)
    assert abs(warm[0] - cool[0]) > 0.01
    assert abs(warm[1] - cool[1]) > 0.01


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=MANIFEST):
        ModelArtifact.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"layout": 99}, {"labels": None}, {"max_tokens": "many"}, {"special": {}}, {"files": 3}],
)
def test_manifest_that_cannot_be_used(folder: Path, change: dict[str, object]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, **change}))
    with pytest.raises(ArtifactError, match=MANIFEST):
        ModelArtifact.load(folder)


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_manifest_that_is_no_object(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(ArtifactError, match=MANIFEST):
        ModelArtifact.load(folder)


def test_graph_that_is_none(folder: Path) -> None:
    from model.artifact import sha256_of

    (folder / GRAPH).write_bytes(b"not a graph")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][GRAPH] = sha256_of(folder / GRAPH)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="cannot be loaded"):
        SentimentClassifier.load(folder)
