"""Comments with given probabilities: texts of made-up words, and a scorer that looks them up.

The model's part is given, so that nothing but the service decides how alerts differ. A text is
scored as the protocol's classifier would score it: right as often, and each time alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.crisis import protocol
from benchmarks.crisis.comments import CLASSES, ENDINGS, Pool
from model.types import Prediction

_TEXTS = 3_000  # per class
_REPEATED = 40  # of them, texts that campaigns repeat
_WORDS = 2_000
_SHORT = 0.2  # share of texts of one to three words, which are never near-duplicates
_LETTERS = "abdeghiklmnoprstuvyz"
_SURE, _UNSURE = 0.86, 0.05  # probability of the predicted class and of the opposite one


def pool(seed: int) -> Pool:
    """An audience. Equal seeds give equal ones."""
    rng = np.random.default_rng([seed, 8])
    lengths = rng.integers(3, 9, _WORDS).tolist()
    words = ["".join(rng.choice(list(_LETTERS), length)) for length in lengths]
    texts, scores = list[str](), list[tuple[float, float, float]]()
    known = set[str]()
    rows, copies = {}, {}
    for label in CLASSES:
        first = len(texts)
        while len(texts) < first + _TEXTS:
            short = rng.random() < _SHORT
            length = int(rng.integers(1, 4) if short else rng.integers(5, 15))
            text = " ".join(words[place] for place in rng.integers(0, _WORDS, length).tolist())
            text = f"{label[:3]} {text}"
            if text not in known:
                known.add(text)
                texts.append(text)
                scores.append(_score(label, rng))
        rows[label] = np.arange(first, len(texts))
        long = [row for row in rows[label].tolist() if len(texts[row].split()) > 5][:_REPEATED]
        first = len(texts)
        texts += [texts[row] + ending for row in long for ending in ENDINGS]
        scores += [scores[row] for row in long for _ in ENDINGS]
        copies[label] = np.arange(first, len(texts)).reshape(len(long), len(ENDINGS))
    return Pool("made up", tuple(texts), np.array(scores), rows, copies)


def _score(label: str, rng: np.random.Generator) -> tuple[float, float, float]:
    """Negative, neutral and positive probability."""
    negative = label == "negative"
    chance = protocol.HIT_RATE if negative else protocol.FALSE_LABEL_RATE
    sure, unsure = _SURE, _UNSURE
    middle = round(1 - sure - unsure, 4)
    if rng.random() < chance:
        return sure, middle, unsure
    if label == "positive":
        return unsure, middle, sure
    return unsure, sure, middle


@dataclass(frozen=True, slots=True)
class GivenScorer:
    """Scores texts as given.

    Attributes:
        predictions: by text.
    """

    predictions: dict[str, Prediction]

    @classmethod
    def of(cls, pool: Pool) -> "GivenScorer":
        """Scores the texts of a pool."""
        pairs = zip(pool.texts, pool.scores.tolist(), strict=True)
        return cls({text: Prediction(*scores) for text, scores in pairs})

    async def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The given predictions.

        Raises:
            KeyError: a text is not of the pool.
        """
        return [self.predictions[text] for text in texts]
