"""Real comments for the text level: held-out labelled ones, scored once by the shipped classifier.

Every simulated KOL is read by one audience, which writes what one labelled set holds; so the
classifier's errors are those it makes in that language and on that kind of comment, and come in the
same posts. Brigades and spammers repeat a few texts with other endings.
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
# Sets with all three classes and labels of surface sentiment; the last has eight languages.
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
_REPEATED = 40  # texts of a class that may be repeated
_LONG_ENOUGH = 20  # characters of such a text
_CHUNK = 512

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pool:
    """The comments of one audience.

    Attributes:
        name: of the labelled set.
        texts: every text, the repeated ones with each ending included.
        scores: negative, neutral and positive probability, shape (texts, 3).
        rows: per class the texts that people wrote.
        copies: per class the texts that are repeated, shape (bases, endings).
    """

    name: str
    texts: tuple[str, ...]
    scores: NDArray[np.float64]
    rows: dict[str, Rows]
    copies: dict[str, Rows]

    @property
    def hit_rate(self) -> float:
        """Mean P(negative) of the truly negative."""
        return float(self.scores[self.rows["negative"], 0].mean())

    @property
    def false_rate(self) -> float:
        """Mean P(negative) of the others."""
        others = np.concatenate([self.rows["neutral"], self.rows["positive"]])
        return float(self.scores[others, 0].mean())


def pools(folder: Path = FOLDER, cache: Path = CACHE) -> list[Pool]:
    """One pool for each audience, scored by the shipped classifier.

    Scores are kept under `cache` by model and texts, so the next run reads them.

    Raises:
        FileNotFoundError: the labelled sets are not there.
    """
    classifier = SentimentClassifier.load()
    found = []
    for name in AUDIENCES:
        texts, rows, copies = gather(folder, name)
        scores = _scored(classifier, texts, cache, name)
        found.append(Pool(name, texts, scores, rows, copies))
    return found


def gather(folder: Path, name: str) -> tuple[tuple[str, ...], dict[str, Rows], dict[str, Rows]]:
    """Texts of a set's val split, the rows of each class, and the repeated texts' rows."""
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
