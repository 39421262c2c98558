"""The comments that incidents add to a KOL's stream, per minute since their start."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.crisis.protocol import Tier

Rates = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Added:
    """The comments that an incident adds, and its effect on the normal comments.

    Attributes:
        rate: added comments as a multiple of the mean rate, one value per minute.
        negative: their true negative share.
        positive: their true positive share.
        turn: the negative share that normal comments turn to, and per minute how far they have
            turned, in [0, 1]; None if they do not change.
        volume: factor on the number of normal comments.
    """

    rate: Rates
    negative: float
    positive: float
    turn: tuple[float, Rates] | None = None
    volume: float = 1.0

    @property
    def minutes(self) -> int:
        """Length in minutes."""
        return len(self.rate)


def flash(rng: np.random.Generator, peak: float) -> Added:
    """Rises for 10 minutes and falls for 6 hours, 60 to 85% negative."""
    wave = np.concatenate([np.arange(10) / 10, np.linspace(1, 0, 360)])
    return Added(peak * wave, rng.uniform(0.60, 0.85), 0.05)


def aftershock(rng: np.random.Generator, peak: float) -> Added:
    """A flash, and 12 to 30 hours later a second one of 0.7 its size."""
    first = flash(rng, peak)
    lag = int(rng.uniform(12, 30) * 60)
    rate = np.zeros(lag + first.minutes)
    rate[: first.minutes] += first.rate
    rate[lag:] += 0.7 * first.rate
    return Added(rate, first.negative, first.positive)


def slow(rng: np.random.Generator, peak: float, scale_hours: float = 4.0) -> Added:
    """Logistic growth over 36 hours, centred at 18, to 0.35 of the peak, 65% negative."""
    hours = np.arange(36 * 60) / 60
    return Added(0.35 * peak / (1 + np.exp(-(hours - 18) / scale_hours)), 0.65, 0.1)


def flip(rng: np.random.Generator) -> Added:
    """Normal comments turn to 50 to 60% negative over 3 hours and stay so for a day."""
    minutes = 24 * 60
    way = np.minimum(np.arange(minutes) / 180, 1)
    turn = (float(rng.uniform(0.50, 0.60)), way)
    return Added(np.zeros(minutes), 0.0, 0.0, turn=turn, volume=1.15)


def brigade(rng: np.random.Generator, tier: Tier, per_minute: float) -> Added:
    """15 to 40 accounts with 5 to 15 near-duplicates each, within 1 to 2 hours."""
    comments = rng.integers(15, 41) * rng.uniform(5, 15) * tier.brigade
    minutes = int(rng.uniform(60, 120))
    return Added(np.full(minutes, comments / minutes / per_minute), 0.95, 0.0)


def praise(rng: np.random.Generator, peak: float) -> Added:
    """A flash of positive comments."""
    wave = flash(rng, peak * rng.uniform(0.5, 1))
    return Added(wave.rate, 0.03, 0.9)


def spam(rng: np.random.Generator, tier: Tier, per_minute: float) -> Added:
    """A few accounts that repeat a neutral text."""
    comments = rng.integers(3, 9) * rng.uniform(15, 40) * tier.brigade
    minutes = int(rng.uniform(60, 120))
    return Added(np.full(minutes, comments / minutes / per_minute), 0.02, 0.05)


def giveaway(rng: np.random.Generator, peak: float) -> Added:
    """Entries to a prize draw, for hours."""
    minutes = int(rng.uniform(4, 12) * 60)
    level = rng.uniform(0.1, 0.4) * peak
    ramp = np.minimum(np.arange(minutes) / 15, 1)
    return Added(level * ramp, 0.03, 0.5)
