"""One temperature per head, so that a probability of 0.8 is right eight times in ten."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar

from training.evaluate import Scored, halves
from training.metrics import Labels, Probabilities, calibration_error, restrict

_FLOOR = 1e-9


def soften(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Probabilities as the same logits would give at another temperature, (rows, classes).

    A probability of 0, as of a class that a set does not have, stays 0.
    """
    powers = np.where(
        probabilities > 0, np.maximum(probabilities, _FLOOR) ** (1 / temperature), 0.0
    )
    return restrict(powers, np.ones(probabilities.shape[1], dtype=np.bool_))


def fit_temperature(scored: Sequence[Scored]) -> float:
    """The temperature with the least log-loss on the first half of each set.

    Sets count alike, however many rows they have, so that the largest does not decide for all.

    Args:
        scored: sets of one head, scored at temperature 1.
    """
    parts = [
        (part.split.labels[first], part.probabilities[first])
        for part in scored
        if (first := halves(part)[0]).any()
    ]
    if not parts:
        return 1.0

    def loss(log_temperature: float) -> float:
        return float(np.mean([_log_loss(t, p, float(np.exp(log_temperature))) for t, p in parts]))

    found = minimize_scalar(loss, bounds=(np.log(0.25), np.log(4.0)), method="bounded")
    return float(np.exp(found.x))


def held_out_error(scored: Sequence[Scored], temperature: float) -> float:
    """Calibration error over the second half of each set, which the temperature has not seen.

    Args:
        scored: sets of one head, scored at temperature 1.
        temperature: to judge.
    """
    truth: list[Labels] = []
    confidence: list[Probabilities] = []
    for part in scored:
        second = halves(part)[1]
        truth.append(part.split.labels[second])
        confidence.append(soften(part.probabilities[second], temperature))
    return calibration_error(np.concatenate(truth), np.concatenate(confidence))


def _log_loss(truth: Labels, probabilities: Probabilities, temperature: float) -> float:
    softened = soften(probabilities, temperature)
    hit = softened[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(hit, _FLOOR)).mean())
