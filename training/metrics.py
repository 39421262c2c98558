"""Figures of merit. All take NumPy arrays and know nothing of files or models."""

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]


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


def calibration_error(truth: Labels, probabilities: Probabilities, bins: int = 15) -> float:
    """Expected calibration error: how far the likeliest class's probability is from how often it
    is right, over bins of equal width, weighted by rows (Naeini et al. 2015).

    Args:
        truth: (rows,).
        probabilities: (rows, classes), rows summing to 1.
        bins: of the likeliest class's probability.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    which = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    error = 0.0
    for index in range(bins):
        chosen = which == index
        if chosen.any():
            error += chosen.mean() * abs(confidence[chosen].mean() - right[chosen].mean())
    return float(error)


def restrict(probabilities: Probabilities, allowed: NDArray[np.bool_]) -> Probabilities:
    """Probabilities given that the answer is one of the allowed classes, (rows, classes)."""
    kept = np.where(allowed, probabilities, 0.0)
    total = kept.sum(axis=1, keepdims=True)
    shares: Probabilities = np.where(
        total > 0, kept / np.maximum(total, 1e-12), allowed / allowed.sum()
    )
    return shares
