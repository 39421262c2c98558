"""Measures a model, through the same code that serves."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.artifact import LANGUAGE_POOL
from model.backend import OFFENSIVE, SENTIMENT
from model.classifier import SentimentClassifier
from training.data import Corpus, Split, fraction, read_frame
from training.errors import DataError
from training.evaluation import evaluation_splits
from training.metrics import (
    Labels,
    Probabilities,
    accuracy,
    macro_f1,
    macro_recall,
    reliability,
    restrict,
)

_RESAMPLES = 200
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Scored:
    """A split and a model's predictions for it.

    Attributes:
        split: the rows.
        probabilities: (rows, labels), over the classes of the set.
        languages: the language that the classifier identified in each text, or ``und``.
    """

    split: Split
    probabilities: Probabilities
    languages: Sequence[str]


@dataclass(frozen=True, slots=True)
class Measured:
    """Metrics of one group of rows, each in [0, 1].

    Attributes:
        name: the set, ``set/language``, or ``language en`` for all sets together.
        head: the head that answers.
        rows: number of texts.
        macro_f1: its 95% bootstrap interval is ``low`` to ``high``.
        macro_recall: mean recall over the classes.
        accuracy: share of correct predictions.
        calibration_error: see :attr:`training.metrics.Reliability.error`.
        calibration_floor: the error of a perfectly calibrated model on as many rows; see
            :func:`training.metrics.calibration_floor`.
        noisy: the labels are too unreliable to select models by.
        kind: ``set``, ``part`` of a set in one language, ``pool`` of several sets, or
            ``evaluation`` for evaluation-only texts; see :mod:`training.evaluation`.
    """

    name: str
    head: str
    rows: int
    macro_f1: float
    low: float
    high: float
    macro_recall: float
    accuracy: float
    calibration_error: float
    calibration_floor: float
    noisy: bool = False
    kind: str = "set"

    def as_dict(self) -> dict[str, Any]:
        """For a manifest, rounded to four decimals."""
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}


def score(classifier: SentimentClassifier, splits: Sequence[Split]) -> Iterator[Scored]:
    """Score the splits whose head the model has, one after the other."""
    for split in splits:
        sentiment = split.data.head == SENTIMENT
        if not sentiment and split.data.head != OFFENSIVE:
            continue
        rows: list[list[float]] = []
        languages: list[str] = []
        for start in range(0, len(split), _CHUNK):
            for said in classifier.predict(split.texts[start : start + _CHUNK]):
                languages.append(said.language)
                if sentiment:
                    rows.append([said.negative, said.neutral, said.positive])
                else:
                    offensive = 0.0 if said.offensive is None else said.offensive
                    rows.append([1 - offensive, offensive])
        shares = restrict(np.array(rows).reshape(len(split), -1), split.allowed)
        yield Scored(split, shares, languages)


def measure_all(scored: Sequence[Scored], apart: Sequence[Scored] = ()) -> list[Measured]:
    """Measure each set, each language of a multilingual set, and each language over all sets with
    reliable sentiment labels.

    Args:
        scored: the val sets.
        apart: evaluation sets: measured as sets and languages, but not part of the totals.
    """
    found: list[Measured] = []
    for part in scored:
        data = part.split.data
        truth, probabilities = part.split.labels, part.probabilities
        found.append(measure(data.name, data.head, truth, probabilities, noisy=data.noisy))
        langs = np.array(part.split.langs)
        if len(set(langs)) > 1 and not data.noisy:
            found.extend(
                measure(f"{data.name}/{lang}", data.head, truth[langs == lang], chosen, kind="part")
                for lang in sorted(set(langs))
                if len(chosen := probabilities[langs == lang])
            )
    for part in apart:
        data, truth = part.split.data, part.split.labels
        found.append(measure(data.name, data.head, truth, part.probabilities, kind="evaluation"))
    judged = sound(scored, SENTIMENT)
    known = {lang for part in judged for lang in part.split.langs}
    for lang, (truth, probabilities) in by_language([*judged, *apart]).items():
        kind = "pool" if lang in known else "evaluation"
        found.append(measure(LANGUAGE_POOL + lang, SENTIMENT, truth, probabilities, kind=kind))
    if judged:
        found.append(measure("all sentiment sets", SENTIMENT, *pooled(judged), kind="pool"))
    return found


def sound(scored: Sequence[Scored], head: str) -> list[Scored]:
    """The sets of a head with reliable labels."""
    return [p for p in scored if p.split.data.head == head and not p.split.data.noisy]


def pooled(scored: Sequence[Scored]) -> tuple[Labels, Probabilities]:
    """Labels (rows,) and probabilities (rows, labels) of several sets of one head, concatenated."""
    return (
        np.concatenate([part.split.labels for part in scored]),
        np.concatenate([part.probabilities for part in scored]),
    )


def by_language(scored: Sequence[Scored]) -> dict[str, tuple[Labels, Probabilities]]:
    """Language → labels and probabilities of its rows in all sets, in alphabetical order."""
    found = {}
    for lang in sorted({lang for part in scored for lang in part.split.langs}):
        chosen = [(part, np.array(part.split.langs) == lang) for part in scored]
        found[lang] = (
            np.concatenate([part.split.labels[rows] for part, rows in chosen]),
            np.concatenate([part.probabilities[rows] for part, rows in chosen]),
        )
    return found


def measure(
    name: str,
    head: str,
    truth: Labels,
    probabilities: Probabilities,
    *,
    noisy: bool = False,
    kind: str = "set",
) -> Measured:
    """Metrics of one group of rows; the interval is from 200 resamples with a fixed seed."""
    guess = probabilities.argmax(axis=1).astype(np.int64)
    classes = probabilities.shape[1]
    generator = np.random.default_rng(len(truth))
    draws = [generator.integers(0, len(truth), len(truth)) for _ in range(_RESAMPLES)]
    samples = [macro_f1(truth[draw], guess[draw], classes) for draw in draws]
    calibrated = reliability(truth, probabilities)
    return Measured(
        name=name,
        head=head,
        rows=len(truth),
        macro_f1=macro_f1(truth, guess, classes),
        low=float(np.quantile(samples, 0.025)),
        high=float(np.quantile(samples, 0.975)),
        macro_recall=macro_recall(truth, guess, classes),
        accuracy=accuracy(truth, guess),
        calibration_error=calibrated.error,
        calibration_floor=calibrated.floor,
        noisy=noisy,
        kind=kind,
    )


def halves(scored: Scored) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two halves of the rows, by a hash of the text: to fit a calibration and to measure it."""
    first = np.array([fraction("half " + text) < 0.5 for text in scored.split.texts], np.bool_)
    return first, ~first


def measure_stream(classifier: SentimentClassifier, path: Path) -> Measured:
    """Metrics on a stream of comments with the columns text and label.

    Raises:
        DataError: the file is not readable or lacks these columns.
    """
    frame = read_frame(path)
    if not {"text", "label"} <= set(frame.columns):
        raise DataError(f"{path.name} needs the columns text and label")
    order = ("negative", "neutral", "positive")
    unknown = sorted(set(frame["label"]) - set(order))
    if unknown:
        raise DataError(f"{path.name}, column label: {unknown[:3]} are not sentiments")
    truth = np.array([order.index(label) for label in frame["label"]], dtype=np.int64)
    texts = frame["text"].tolist()
    said = [
        p for i in range(0, len(texts), _CHUNK) for p in classifier.predict(texts[i : i + _CHUNK])
    ]
    probabilities = np.array([[p.negative, p.neutral, p.positive] for p in said])
    return measure(path.stem, SENTIMENT, truth, probabilities)


def evaluate(classifier: SentimentClassifier, corpus: Corpus) -> list[Measured]:
    """Score and measure all val splits of a corpus and the evaluation sets."""
    return measure_all(
        list(score(classifier, corpus.val)), list(score(classifier, evaluation_splits()))
    )
