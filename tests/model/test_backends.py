"""One contract for every backend, the fake one included."""

from pathlib import Path

import numpy as np
import pytest

from model.artifact import ModelArtifact
from model.backend import SENTIMENT, Backend, padded, softmax
from model.fake_backend import FakeBackend
from model.onnx_backend import OnnxBackend
from model.text import normalise
from tests.model.conftest import NASTY

TEXTS = ["good monday train", "awful", "blue table", "idiot 😡", "the worst scam, 최악 tệ"]


@pytest.fixture(params=["fake", "onnx", "torch"])
def backend(request: pytest.FixtureRequest, artifact: Path, transformers_folder: Path) -> Backend:
    if request.param == "fake":
        return FakeBackend()
    if request.param == "onnx":
        return OnnxBackend(ModelArtifact.load(artifact), threads=1)
    from model.torch_backend import TorchBackend

    return TorchBackend.from_pretrained(str(transformers_folder))


def test_is_a_backend(backend: Backend) -> None:
    assert isinstance(backend, Backend)
    assert backend.model_id
    assert backend.window > 0
    assert {"negative", "positive"} <= set(backend.labels[SENTIMENT])


def test_rows_are_probabilities(backend: Backend) -> None:
    windows = [pieces[: backend.window] for pieces in backend.encode(TEXTS)]
    found = backend.probabilities(windows)
    assert set(found) == set(backend.labels)
    for head, values in found.items():
        assert values.shape == (len(TEXTS), len(backend.labels[head]))
        assert np.all((values >= 0) & (values <= 1))
        assert values.sum(axis=1) == pytest.approx(1.0, abs=1e-9)


def test_company_in_the_batch_changes_nothing(backend: Backend) -> None:
    windows = [pieces[: backend.window] for pieces in backend.encode(TEXTS)]
    together = backend.probabilities(windows)
    for row, window in enumerate(windows):
        alone = backend.probabilities([window])
        for head, values in alone.items():
            assert values[0] == pytest.approx(together[head][row], abs=1e-5)


def test_same_question_same_answer(backend: Backend) -> None:
    windows = [pieces[: backend.window] for pieces in backend.encode(TEXTS)]
    first, second = backend.probabilities(windows), backend.probabilities(windows)
    assert all(np.array_equal(first[head], second[head]) for head in first)


def test_full_window_is_read(backend: Backend) -> None:
    pieces = backend.encode(["good table " * 200])[0][: backend.window]
    assert len(pieces) == backend.window
    assert backend.probabilities([pieces])[SENTIMENT].shape[0] == 1


def test_any_text_is_cut(backend: Backend) -> None:
    texts = [normalise(text) for text in NASTY]
    encoded = backend.encode(texts)
    assert len(encoded) == len(texts)
    for pieces in encoded:
        assert all(isinstance(piece, int) for piece in pieces[:5])


def test_softmax_temperature() -> None:
    sharp = softmax(np.array([[2.0, 0.0]]))
    soft = softmax(np.array([[2.0, 0.0]]), temperature=2.0)
    assert sharp[0, 0] == pytest.approx(1 / (1 + np.exp(-2)))
    assert soft[0, 0] == pytest.approx(1 / (1 + np.exp(-1)))
    assert softmax(np.array([[1e4, -1e4]])).tolist() == [[1.0, 0.0]]


def test_padding() -> None:
    ids, mask = padded([[7, 8], [9]], [0], [2], 1)
    assert ids.tolist() == [[0, 7, 8, 2], [0, 9, 2, 1]]
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]


def test_temperature_of_the_manifest_is_used(artifact: Path, tmp_path: Path) -> None:
    from tests.model.graph import write_artifact

    plain = OnnxBackend(ModelArtifact.load(artifact))
    soft = OnnxBackend(ModelArtifact.load(write_artifact(tmp_path, temperature=3.0)))
    windows = plain.encode(["awful"])
    a, b = plain.probabilities(windows), soft.probabilities(windows)
    assert a[SENTIMENT][0, 0] > b[SENTIMENT][0, 0] > 1 / 3
    assert np.array_equal(a["offensive"], b["offensive"])


def test_fake_reads_three_languages() -> None:
    fake = FakeBackend()
    found = fake.probabilities(fake.encode(["I love it", "tệ quá", "최악", "hello there"]))
    assert [row.argmax() for row in found[SENTIMENT]] == [2, 0, 0, 1]
