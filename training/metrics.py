"""Figures of merit. All take NumPy arrays and know nothing of files or models."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]

_BINS = 15
_DRAWS = 200


@dataclass(frozen=True, slots=True)
class Reliability:
    """Rows binned by the likeliest class's probability, bins of equal width from 0 to 1.

    Attributes:
        counts: rows in each bin, (bins,).
        confidence: mean probability of the likeliest class in each, (bins,); 0 where empty.
        accuracy: share in which that class is right, (bins,); 0 where empty.
        floor: see :func:`calibration_floor`.
    """

    counts: Labels
    confidence: Probabilities
    accuracy: Probabilities
    floor: float

    @property
    def rows(self) -> int:
        """In all bins."""
        return int(self.counts.sum())

    @property
    def error(self) -> float:
        """Expected calibration error: how far confidence is from accuracy, weighted by rows
        (Naeini et al. 2015), in [0, 1].
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
    """Mean over the classes that occur in ``truth`` of the share that was found."""
    present = [label for label in range(classes) if np.any(truth == label)]
    return float(np.mean([np.mean(guess[truth == label] == label) for label in present]))


def accuracy(truth: Labels, guess: Labels) -> float:
    """Share of rows guessed right."""
    return float(np.mean(truth == guess))


def reliability(truth: Labels, probabilities: Probabilities, bins: int = _BINS) -> Reliability:
    """How often the likeliest class is right, by how likely it was said to be.

    Args:
        truth: (rows,), at least one.
        probabilities: (rows, classes), rows summing to 1.
        bins: how many.
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
    """The calibration error to expect, by chance alone, of a model that is perfectly calibrated and
    says just these probabilities: the mean of 200 simulations with a fixed seed, in [0, 1].

    An error near it is no evidence of a fault; the fewer the rows, the higher it lies (the bias
    that Kumar et al. 2019 describe).

    Args:
        probabilities: (rows, classes), rows summing to 1, at least one.
        bins: how many.
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
    """Probabilities given that the answer is one of the allowed classes, (rows, classes)."""
    kept = np.where(allowed, probabilities, 0.0)
    total = kept.sum(axis=1, keepdims=True)
    shares: Probabilities = np.where(
        total > 0, kept / np.maximum(total, 1e-12), allowed / allowed.sum()
    )
    return shares
