"""Fits temperatures, so that a probability of 0.8 is right eight times in ten.

One temperature per head (Guo et al. 2017), and one per language with enough rows, shrunk towards
the head's, if held-out rows show that this is better.
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
_SPREAD = 0.2  # prior standard deviation of the logarithms of the languages' temperatures
_MIN_ROWS = 200
_SURE = 2.0  # standard errors
_DECIMALS = 4

Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Temperatures:
    """The temperature of a head, and of the languages that have their own."""

    head: float = 1.0
    languages: Mapping[str, float] = field(default_factory=dict)

    def soften(self, part: Scored) -> Scored:
        """Apply these temperatures to a set of the head that was scored at temperature 1."""
        each = np.array([self.languages.get(lang, self.head) for lang in part.languages])
        return replace(part, probabilities=soften(part.probabilities, each.reshape(-1, 1)))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The temperatures of a head, and how well they do on held-out rows.

    Attributes:
        temperatures: fitted on all rows; per language only if that is better.
        before: reliability at temperature 1.
        one: with one temperature; each half of the rows uses the fit of the other half.
        own: the same, with temperatures per language.
        gain: held-out log-loss that temperatures per language save, in nats per row.
        gain_error: standard error of ``gain``.
        languages: language → reliability of its rows under ``one`` and under ``own``.
    """

    temperatures: Temperatures
    before: Reliability
    one: Reliability
    own: Reliability
    gain: float
    gain_error: float
    languages: Mapping[str, tuple[Reliability, Reliability]]

    def as_dict(self) -> dict[str, Any]:
        """For a manifest: expected calibration errors and their floors by chance."""
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
    """Fit the temperatures of a head. Languages get their own only if these save more held-out
    log-loss than twice its standard error.

    Args:
        scored: sets of one head with sound labels, scored at temperature 1.

    Returns:
        ``None`` if there are no rows.
    """
    parts = [part for part in scored if len(part.split)]
    if not parts:
        return None
    languages = _countable(parts)
    one, own = _crossed(parts, []), _crossed(parts, languages)
    saved = _losses(*pooled(one)) - _losses(*pooled(own))
    gain, gain_error = float(saved.mean()), float(saved.std() / np.sqrt(len(saved)))
    found = np.concatenate([np.array(part.languages) for part in parts])
    return Calibration(
        fit(parts, languages if gain > _SURE * gain_error else []),
        reliability(*pooled(parts)),
        reliability(*pooled(one)),
        reliability(*pooled(own)),
        gain,
        gain_error,
        {lang: (_of(one, found == lang), _of(own, found == lang)) for lang in languages},
    )


def fit(
    scored: Sequence[Scored], languages: Sequence[str] = (), rows: Sequence[Rows] | None = None
) -> Temperatures:
    """The temperatures with the least log-loss.

    For the head, all sets have the same weight, whatever their size. The logarithm of a language's
    temperature has a normal prior around the head's with a standard deviation of 0.2.

    Args:
        scored: sets of one head, scored at temperature 1.
        languages: identified languages that get their own temperature.
        rows: the rows of each set to fit on; all if ``None``.
    """
    if rows is None:
        rows = [np.ones(len(part.split), np.bool_) for part in scored]
    truths = [part.split.labels[some] for part, some in zip(scored, rows, strict=True)]
    shares = [part.probabilities[some] for part, some in zip(scored, rows, strict=True)]
    langs = [np.array(part.languages)[some] for part, some in zip(scored, rows, strict=True)]
    filled = [(t, p) for t, p in zip(truths, shares, strict=True) if len(t)]
    if not filled:
        return Temperatures()
    head = _best(lambda log: np.mean([_losses(t, p, log).mean() for t, p in filled]))
    truth, probabilities = np.concatenate(truths), np.concatenate(shares)
    found = np.concatenate(langs)
    own = {
        lang: _shrunk(truth[found == lang], probabilities[found == lang], head)
        for lang in languages
    }
    return Temperatures(head, own)


def _shrunk(truth: Labels, probabilities: Probabilities, head: float) -> float:
    """The most likely temperature of some rows, with the prior around the head's."""

    def loss(log: float) -> float:
        far = (log - np.log(head)) / _SPREAD
        return float(_losses(truth, probabilities, log).sum() + far**2 / 2)

    return _best(loss)


def _crossed(scored: Sequence[Scored], languages: Sequence[str]) -> list[Scored]:
    """Cross-fit: soften each half of the sets by temperatures fitted on the other halves."""
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
    """The languages that were identified in at least 200 rows."""
    found = np.concatenate([np.array(part.languages) for part in scored])
    langs, counts = np.unique(found, return_counts=True)
    return [str(lang) for lang in langs[counts >= _MIN_ROWS] if lang != UNKNOWN]


def _of(scored: Sequence[Scored], rows: Rows) -> Reliability:
    truth, probabilities = pooled(scored)
    return reliability(truth[rows], probabilities[rows])


def _best(loss: Callable[[float], Any]) -> float:
    """The temperature that minimises a loss, which takes the temperature's logarithm."""
    bounds = (np.log(_LOWEST), np.log(_HIGHEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded")
    return round(float(np.exp(found.x)), _DECIMALS)


def _losses(truth: Labels, probabilities: Probabilities, log: float = 0.0) -> Probabilities:
    """Log-loss of each row at a temperature, given as its logarithm, (rows,)."""
    softened = soften(probabilities, float(np.exp(log)))
    hit = softened[np.arange(len(truth)), truth]
    return np.asarray(-np.log(np.maximum(hit, _LEAST)), dtype=np.float64)
