"""Metrics. All take NumPy arrays and are independent of files and models."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]

_BINS = 15
_DRAWS = 200


@dataclass(frozen=True, slots=True)
class Reliability:
    """Rows in bins of equal width, by the probability of the most likely class.

    Attributes:
        counts: rows in each bin, (bins,).
        confidence: mean probability of the most likely class in each bin, (bins,); 0 if empty.
        accuracy: how often that class is correct in each bin, (bins,); 0 if empty.
        floor: see :func:`calibration_floor`.
    """

    counts: Labels
    confidence: Probabilities
    accuracy: Probabilities
    floor: float

    @property
    def rows(self) -> int:
        """Rows in all bins."""
        return int(self.counts.sum())

    @property
    def error(self) -> float:
        """Expected calibration error (Naeini et al. 2015): the mean distance of confidence from
        accuracy, weighted by rows, in [0, 1].
        """
        return float(self.counts @ np.abs(self.confidence - self.accuracy) / self.rows)


def macro_f1(truth: Labels, guess: Labels, classes: int) -> float:
    """Mean, over the classes in ``truth``, of the harmonic mean of precision and recall."""
    scores = []
    for label in range(classes):
        if not np.any(truth == label):
            continue
        hits = np.sum((truth == label) & (guess == label))
        scores.append(2 * hits / (np.sum(truth == label) + np.sum(guess == label)))
    return float(np.mean(scores))


def macro_recall(truth: Labels, guess: Labels, classes: int) -> float:
    """Mean recall over the classes that occur in ``truth``."""
    present = [label for label in range(classes) if np.any(truth == label)]
    return float(np.mean([np.mean(guess[truth == label] == label) for label in present]))


def accuracy(truth: Labels, guess: Labels) -> float:
    """Share of correct rows."""
    return float(np.mean(truth == guess))


def reliability(truth: Labels, probabilities: Probabilities, bins: int = _BINS) -> Reliability:
    """How often the most likely class is correct, by its probability.

    Args:
        truth: (rows,), at least one.
        probabilities: (rows, classes), rows summing to 1.
        bins: number of bins.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    which = _bins_of(confidence, bins)
    counts = np.bincount(which, minlength=bins)
    rows = np.maximum(counts, 1)
    return Reliability(
        counts,
        np.bincount(which, confidence, bins) / rows,
        np.bincount(which, right, bins) / rows,
        calibration_floor(probabilities, bins),
    )


def calibration_floor(probabilities: Probabilities, bins: int = _BINS) -> float:
    """The calibration error that a perfectly calibrated model with these probabilities shows by
    chance: the mean of 200 simulations with a fixed seed, in [0, 1].

    An error close to it is no evidence of miscalibration. It is higher with fewer rows (the bias
    that Kumar et al. 2019 describe).

    Args:
        probabilities: (rows, classes), rows summing to 1, at least one.
        bins: number of bins.
    """
    confidence = probabilities.max(axis=1)
    which = _bins_of(confidence, bins)
    generator = np.random.default_rng(len(confidence))
    off = np.zeros(_DRAWS)
    for index in np.unique(which):
        chosen = confidence[which == index]
        right = (generator.random((_DRAWS, len(chosen))) < chosen).sum(axis=1)
        off += np.abs(chosen.sum() - right)
    return float(off.mean() / len(confidence))


def _bins_of(confidence: Probabilities, bins: int) -> Labels:
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def restrict(probabilities: Probabilities, allowed: NDArray[np.bool_]) -> Probabilities:
    """Probabilities conditional on the allowed classes, (rows, classes)."""
    kept = np.where(allowed, probabilities, 0.0)
    total = kept.sum(axis=1, keepdims=True)
    shares: Probabilities = np.where(
        total > 0, kept / np.maximum(total, 1e-12), allowed / allowed.sum()
    )
    return shares
