"""Temperatures, so that a probability of 0.8 is right eight times in ten.

One a head (Guo et al. 2017), and one for each language with enough rows, drawn towards the head's,
where rows that they were not fitted on bear out that this is better.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from model.backend import soften
from model.language import UNKNOWN
from training.evaluate import Scored, halves, pooled
from training.metrics import Labels, Probabilities, Reliability, reliability

_LEAST = 1e-9
_LOWEST, _HIGHEST = 0.25, 4.0
_SPREAD = 0.2  # expected of the logarithms of the languages' temperatures around the head's
_MIN_ROWS = 200
_SURE = 2.0  # standard errors
_DECIMALS = 4

Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Temperatures:
    """The temperature of a head, and those of the languages that have their own."""

    head: float = 1.0
    languages: Mapping[str, float] = field(default_factory=dict)

    def soften(self, part: Scored) -> Scored:
        """A set of the head, scored at temperature 1, at these temperatures."""
        each = np.array([self.languages.get(lang, self.head) for lang in part.told])
        return replace(part, probabilities=soften(part.probabilities, each.reshape(-1, 1)))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The temperatures of a head and how well they do on rows that they were not fitted on.

    Attributes:
        temperatures: fitted on all rows; with languages only where that paid.
        before: at temperature 1.
        one: at one temperature, each half of the rows at that fitted on the other half.
        own: the same with temperatures for languages.
        gain: nats of log-loss a row that languages' temperatures save on rows that they were not
            fitted on.
        gain_error: standard error of that.
        languages: of each that was tried: its rows as ``one`` and as ``own`` has them.
    """

    temperatures: Temperatures
    before: Reliability
    one: Reliability
    own: Reliability
    gain: float
    gain_error: float
    languages: Mapping[str, tuple[Reliability, Reliability]]

    def as_dict(self) -> dict[str, Any]:
        """For a manifest: expected calibration errors, and what is expected of them by chance."""
        kept = self.own if self.temperatures.languages else self.one
        return {
            "held_out_error_before": round(self.before.error, _DECIMALS),
            "held_out_error": round(kept.error, _DECIMALS),
            "held_out_floor": round(kept.floor, _DECIMALS),
            "language_gain": round(self.gain, 6),
            "language_gain_error": round(self.gain_error, 6),
            "languages": {
                lang: {
                    "rows": one.rows,
                    "held_out_error_one": round(one.error, _DECIMALS),
                    "held_out_error_own": round(own.error, _DECIMALS),
                    "floor": round(own.floor, _DECIMALS),
                }
                for lang, (one, own) in self.languages.items()
            },
        }


def calibrate(scored: Sequence[Scored]) -> Calibration | None:
    """Fit the temperatures of a head, those of languages only if they save log-loss on rows that
    they were not fitted on, by more than twice the standard error.

    Args:
        scored: sets of one head with sound labels, scored at temperature 1.

    Returns:
        ``None`` without any rows.
    """
    parts = [part for part in scored if len(part.split)]
    if not parts:
        return None
    languages = _countable(parts)
    one, own = _crossed(parts, []), _crossed(parts, languages)
    saved = _losses(*pooled(one)) - _losses(*pooled(own))
    gain, gain_error = float(saved.mean()), float(saved.std() / np.sqrt(len(saved)))
    told = np.concatenate([np.array(part.told) for part in parts])
    return Calibration(
        fit(parts, languages if gain > _SURE * gain_error else []),
        reliability(*pooled(parts)),
        reliability(*pooled(one)),
        reliability(*pooled(own)),
        gain,
        gain_error,
        {lang: (_of(one, told == lang), _of(own, told == lang)) for lang in languages},
    )


def fit(
    scored: Sequence[Scored], languages: Sequence[str] = (), rows: Sequence[Rows] | None = None
) -> Temperatures:
    """The temperatures with the least log-loss.

    For the head's, sets count alike, however many rows they have, so that the largest does not
    decide for all. A language's is drawn towards it as if its logarithm came from a normal
    distribution around the head's with a standard deviation of 0.2.

    Args:
        scored: sets of one head, scored at temperature 1.
        languages: to give one of their own, going by what the classifier tells.
        rows: of each set, to fit on; all if ``None``.
    """
    if rows is None:
        rows = [np.ones(len(part.split), np.bool_) for part in scored]
    truths = [part.split.labels[some] for part, some in zip(scored, rows, strict=True)]
    shares = [part.probabilities[some] for part, some in zip(scored, rows, strict=True)]
    tolds = [np.array(part.told)[some] for part, some in zip(scored, rows, strict=True)]
    filled = [(t, p) for t, p in zip(truths, shares, strict=True) if len(t)]
    if not filled:
        return Temperatures()
    head = _best(lambda log: np.mean([_losses(t, p, log).mean() for t, p in filled]))
    truth, probabilities = np.concatenate(truths), np.concatenate(shares)
    told = np.concatenate(tolds)
    own = {
        lang: _drawn(truth[told == lang], probabilities[told == lang], head) for lang in languages
    }
    return Temperatures(head, own)


def _drawn(truth: Labels, probabilities: Probabilities, head: float) -> float:
    """The likeliest temperature of rows of which it is known before that it lies near another."""

    def loss(log: float) -> float:
        far = (log - np.log(head)) / _SPREAD
        return float(_losses(truth, probabilities, log).sum() + far**2 / 2)

    return _best(loss)


def _crossed(scored: Sequence[Scored], languages: Sequence[str]) -> list[Scored]:
    """Sets with each half softened by temperatures that were fitted on the other halves."""
    parted = [halves(part) for part in scored]
    firsts, seconds = [first for first, _ in parted], [second for _, second in parted]
    of_first, of_second = fit(scored, languages, firsts), fit(scored, languages, seconds)
    return [
        replace(
            part,
            probabilities=np.where(
                first[:, None],
                of_second.soften(part).probabilities,
                of_first.soften(part).probabilities,
            ),
        )
        for part, first in zip(scored, firsts, strict=True)
    ]


def _countable(scored: Sequence[Scored]) -> list[str]:
    """The languages told of at least 200 rows."""
    told = np.concatenate([np.array(part.told) for part in scored])
    langs, counts = np.unique(told, return_counts=True)
    return [str(lang) for lang in langs[counts >= _MIN_ROWS] if lang != UNKNOWN]


def _of(scored: Sequence[Scored], rows: Rows) -> Reliability:
    truth, probabilities = pooled(scored)
    return reliability(truth[rows], probabilities[rows])


def _best(loss: Callable[[float], Any]) -> float:
    """The temperature at which a loss, given its logarithm, is least."""
    bounds = (np.log(_LOWEST), np.log(_HIGHEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded")
    return round(float(np.exp(found.x)), _DECIMALS)


def _losses(truth: Labels, probabilities: Probabilities, log: float = 0.0) -> Probabilities:
    """Log-loss of each row at a temperature given by its logarithm, (rows,)."""
    softened = soften(probabilities, float(np.exp(log)))
    hit = softened[np.arange(len(truth)), truth]
    return np.asarray(-np.log(np.maximum(hit, _LEAST)), dtype=np.float64)
