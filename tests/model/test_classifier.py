from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from model.backend import OFFENSIVE, SENTIMENT, Pieces, Probabilities
from model.classifier import MAX_WINDOWS, SentimentClassifier, split_windows
from model.errors import BackendError
from model.fake_backend import FakeBackend
from model.types import Sentiment
from tests.model.conftest import NASTY


class Recorder(FakeBackend):
    """The fake, noting the batches it is given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def probabilities(self, windows: Sequence[Pieces]) -> dict[str, Probabilities]:
        self.batches.append([len(window) for window in windows])
        return super().probabilities(windows)


@pytest.fixture(params=["fake", "onnx"])
def classifier(request: pytest.FixtureRequest, artifact: Path) -> SentimentClassifier:
    if request.param == "fake":
        return SentimentClassifier.from_backend(FakeBackend())
    return SentimentClassifier.load(artifact)


def test_any_text_is_scored(classifier: SentimentClassifier) -> None:
    for said, text in zip(classifier.predict(NASTY), NASTY, strict=True):
        total = said.negative + said.neutral + said.positive
        assert total == pytest.approx(1.0, abs=1e-6), text[:20]
        assert min(said.negative, said.neutral, said.positive) >= 0
        if not said.empty:
            assert said.offensive is not None
            assert 0 <= said.offensive <= 1


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\u200d", "\x00\x01", "\ud800", "\ufe0f"])
def test_empty_text_is_neutral_and_says_so(classifier: SentimentClassifier, text: str) -> None:
    said = classifier.predict([text])[0]
    assert said.empty
    assert (said.negative, said.neutral, said.positive) == (0.0, 1.0, 0.0)
    assert said.offensive is None
    assert said.windows == 0
    assert said.label is Sentiment.NEUTRAL


def test_no_texts(classifier: SentimentClassifier) -> None:
    assert classifier.predict([]) == []


def test_order_is_kept_across_length_buckets(classifier: SentimentClassifier) -> None:
    texts = ["awful", "good " * 40, "", "table", "bad " * 25, "great"]
    together = classifier.predict(texts)
    for text, said in zip(texts, together, strict=True):
        alone = classifier.predict([text])[0]
        assert said.negative == pytest.approx(alone.negative, abs=1e-6)
        assert said.windows == alone.windows


def test_long_text_is_the_average_of_its_windows() -> None:
    classifier = SentimentClassifier.from_backend(FakeBackend())
    window = FakeBackend.window
    said = classifier.predict(["awful table " * (window // 2) + "love it " * (window // 2)])[0]
    first, second = classifier.predict(["awful table " * (window // 2), "love it " * (window // 2)])
    assert said.windows == 2
    assert said.negative == pytest.approx((first.negative + second.negative) / 2)
    assert said.positive == pytest.approx((first.positive + second.positive) / 2)


def test_megabytes_are_read_in_a_bounded_number_of_windows() -> None:
    backend = Recorder()
    said = SentimentClassifier.from_backend(backend).predict(["table good awful " * 200_000])[0]
    assert said.windows == MAX_WINDOWS
    assert sum(map(len, backend.batches)) == MAX_WINDOWS


def test_batches_hold_texts_of_like_length_within_a_budget() -> None:
    backend = Recorder()
    SentimentClassifier.from_backend(backend).predict(["word " * (1 + i % 60) for i in range(500)])
    assert sum(map(len, backend.batches)) == 500
    assert all(len(batch) * max(batch) <= 2048 and len(batch) <= 64 for batch in backend.batches)
    longest = [max(batch) for batch in backend.batches]
    assert longest == sorted(longest)


@pytest.mark.parametrize("pieces", [0, 1, 10, 11, 25, 319, 321, 10_000])
def test_windows(pieces: int) -> None:
    parts = split_windows(list(range(pieces)), 10)
    assert all(1 <= len(part) <= 10 for part in parts)
    assert len(parts) == min(-(-pieces // 10), MAX_WINDOWS)
    if pieces <= 320:
        assert [piece for part in parts for piece in part] == list(range(pieces))
        assert np.ptp([len(part) for part in parts] or [0]) <= 1
    else:
        assert parts[0][0] == 0
        assert parts[-1][-1] == pieces - 1


def test_a_language_with_a_temperature_of_its_own() -> None:
    texts = ["I love this so much", "정말 최악이에요 멍청이", "최악"]
    plain = SentimentClassifier.from_backend(FakeBackend()).predict(texts)
    own = {SENTIMENT: {"ko": 2.0}, OFFENSIVE: {"ko": 4.0}}
    said = SentimentClassifier(FakeBackend(), relative_temperatures=own).predict(texts)
    assert [one.language for one in said] == ["en", "ko", "und"]
    assert [said[0], said[2]] == [plain[0], plain[2]]
    before, after = plain[1], said[1]
    assert after.label is before.label
    assert after.negative / after.neutral == pytest.approx(
        (before.negative / before.neutral) ** 0.5, rel=0.01
    )
    assert before.offensive is not None
    assert after.offensive is not None
    odds = before.offensive / (1 - before.offensive)
    assert after.offensive / (1 - after.offensive) == pytest.approx(odds**0.25, rel=0.01)
    alone = SentimentClassifier(FakeBackend(), relative_temperatures=own).predict(texts[1:2])
    assert alone == said[1:2]


class TwoWays(FakeBackend):
    """A backend without a neutral class, its labels the other way round."""

    labels: Mapping[str, tuple[str, ...]] = {SENTIMENT: ("positive", "negative")}

    def probabilities(self, windows: Sequence[Pieces]) -> dict[str, Probabilities]:
        return {SENTIMENT: np.array([[0.3, 0.7]] * len(windows))}


def test_backend_without_neutral_or_offensive() -> None:
    said = SentimentClassifier.from_backend(TwoWays()).predict(["anything"])[0]
    assert (said.negative, said.neutral, said.positive) == pytest.approx((0.7, 0.0, 0.3))
    assert said.offensive is None


def test_backend_with_other_labels_is_refused() -> None:
    class Stars(FakeBackend):
        labels: Mapping[str, tuple[str, ...]] = {SENTIMENT: ("1 star", "5 stars")}

    with pytest.raises(BackendError, match="1 star"):
        SentimentClassifier.from_backend(Stars())
