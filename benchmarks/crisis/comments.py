"""Real comments for the text level: labelled val texts, scored once by the shipped classifier.

Each simulated KOL has one audience, whose comments are from one labelled set. So the classifier
makes its real errors for that language and kind of comment. Brigades and spammers repeat a few
texts with different endings.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rich.progress import track

from model.classifier import SentimentClassifier

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "sentiment"
CACHE = Path(__file__).parents[2] / "runs" / "crisis_text"
# Sets with all three classes and labels of surface sentiment; the last one has eight languages.
AUDIENCES = (
    "tweeteval_sentiment",
    "goemotions",
    "indonlu_smsa",
    "smp2020_weibo_emo2sent",
    "wisesight",
    "umsab",
)
CLASSES = ("negative", "neutral", "positive")
ENDINGS = ("", "!", "!!!", " 😡", "...", " ??", " @everyone", " 1", " 🤡🤡", " ⁉️")
_REPEATED = 40  # texts per class that can be repeated
_LONG_ENOUGH = 20  # minimum characters of such a text
_CHUNK = 512

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pool:
    """The comments of one audience.

    Attributes:
        name: name of the labelled set.
        texts: all texts, including the repeated ones with each ending.
        scores: negative, neutral and positive probability, shape (texts, 3).
        rows: class → its original texts.
        copies: class → its repeated texts, shape (bases, endings).
    """

    name: str
    texts: tuple[str, ...]
    scores: NDArray[np.float64]
    rows: dict[str, Rows]
    copies: dict[str, Rows]

    @property
    def hit_rate(self) -> float:
        """Mean P(negative) of the negative texts."""
        return float(self.scores[self.rows["negative"], 0].mean())

    @property
    def false_rate(self) -> float:
        """Mean P(negative) of the other texts."""
        others = np.concatenate([self.rows["neutral"], self.rows["positive"]])
        return float(self.scores[others, 0].mean())


def pools(folder: Path = FOLDER, cache: Path = CACHE) -> list[Pool]:
    """One pool per audience, scored by the shipped classifier.

    Caches the scores in `cache`, by model and texts.

    Raises:
        FileNotFoundError: a labelled set is missing.
    """
    classifier = SentimentClassifier.load()
    found = []
    for name in AUDIENCES:
        texts, rows, copies = gather(folder, name)
        scores = _scored(classifier, texts, cache, name)
        found.append(Pool(name, texts, scores, rows, copies))
    return found


def gather(folder: Path, name: str) -> tuple[tuple[str, ...], dict[str, Rows], dict[str, Rows]]:
    """The texts of a set's val split, each class's rows, and the rows of the repeated texts."""
    path = folder / f"{name}.val.parquet"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the text level needs the labelled val splits")
    table = pq.read_table(path, columns=["text", "label"])
    texts: list[str] = table["text"].to_pylist()
    labels = np.array(table["label"].to_pylist())
    rows = {label: np.flatnonzero(labels == label) for label in CLASSES}
    copies = {}
    for label in CLASSES:
        bases = [row for row in rows[label].tolist() if len(texts[row]) >= _LONG_ENOUGH]
        bases = bases[:_REPEATED]
        first = len(texts)
        texts += [texts[row] + ending for row in bases for ending in ENDINGS]
        shape = (len(bases), len(ENDINGS))
        copies[label] = np.arange(first, len(texts)).reshape(shape)
    return tuple(texts), rows, copies


def _scored(
    classifier: SentimentClassifier, texts: tuple[str, ...], cache: Path, name: str
) -> NDArray[np.float64]:
    joined = "\x00".join(texts).encode("utf-8", "surrogatepass")
    mark = hashlib.blake2b(joined, digest_size=8).hexdigest()
    path = cache / f"{name}-{classifier.model_id}-{mark}.npy"
    if path.is_file():
        return np.asarray(np.load(path), dtype=np.float64)
    chunks = range(0, len(texts), _CHUNK)
    predictions = [
        prediction
        for start in track(chunks, f"scoring {name}")
        for prediction in classifier.predict(texts[start : start + _CHUNK])
    ]
    scores = np.array([[p.negative, p.neutral, p.positive] for p in predictions])
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, scores)
    return scores
