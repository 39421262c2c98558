"""What an incident adds to a KOL's stream, per minute since its start."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.crisis.protocol import Tier

Rates = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Added:
    """Comments an incident adds, and what it does to those that come anyway.

    Attributes:
        rate: added comments a minute over the mean rate, one value per minute.
        negative: their true negative share.
        positive: their true positive share.
        turn: per minute, the share the usual comments are turned to and how far they are on the
            way, in [0, 1]; None where they stay as they are.
        volume: factor on the usual comments.
    """

    rate: Rates
    negative: float
    positive: float
    turn: tuple[float, Rates] | None = None
    volume: float = 1.0

    @property
    def minutes(self) -> int:
        """Length of the incident."""
        return len(self.rate)


def flash(rng: np.random.Generator, peak: float) -> Added:
    """Ten minutes up, six hours down, 60 to 85% negative."""
    wave = np.concatenate([np.arange(10) / 10, np.linspace(1, 0, 360)])
    return Added(peak * wave, rng.uniform(0.60, 0.85), 0.05)


def aftershock(rng: np.random.Generator, peak: float) -> Added:
    """A flash, and 12 to 30 hours later another of 0.7 its size."""
    first = flash(rng, peak)
    lag = int(rng.uniform(12, 30) * 60)
    rate = np.zeros(lag + first.minutes)
    rate[: first.minutes] += first.rate
    rate[lag:] += 0.7 * first.rate
    return Added(rate, first.negative, first.positive)


def slow(rng: np.random.Generator, peak: float, scale_hours: float = 4.0) -> Added:
    """Logistic growth centred at 18 hours, 36 hours long, 0.35 of the peak, 65% negative."""
    hours = np.arange(36 * 60) / 60
    return Added(0.35 * peak / (1 + np.exp(-(hours - 18) / scale_hours)), 0.65, 0.1)


def flip(rng: np.random.Generator) -> Added:
    """Usual comments turn to 50 to 60% negative over three hours and stay so for a day."""
    minutes = 24 * 60
    way = np.minimum(np.arange(minutes) / 180, 1)
    turn = (float(rng.uniform(0.50, 0.60)), way)
    return Added(np.zeros(minutes), 0.0, 0.0, turn=turn, volume=1.15)


def brigade(rng: np.random.Generator, tier: Tier, per_minute: float) -> Added:
    """15 to 40 accounts with 5 to 15 near-duplicates each within one or two hours."""
    comments = rng.integers(15, 41) * rng.uniform(5, 15) * tier.brigade
    minutes = int(rng.uniform(60, 120))
    return Added(np.full(minutes, comments / minutes / per_minute), 0.95, 0.0)


def praise(rng: np.random.Generator, peak: float) -> Added:
    """As loud as a flash, and kind."""
    wave = flash(rng, peak * rng.uniform(0.5, 1))
    return Added(wave.rate, 0.03, 0.9)


def spam(rng: np.random.Generator, tier: Tier, per_minute: float) -> Added:
    """A few accounts repeat a neutral text."""
    comments = rng.integers(3, 9) * rng.uniform(15, 40) * tier.brigade
    minutes = int(rng.uniform(60, 120))
    return Added(np.full(minutes, comments / minutes / per_minute), 0.02, 0.05)


def giveaway(rng: np.random.Generator, peak: float) -> Added:
    """Hours of entries to a prize draw."""
    minutes = int(rng.uniform(4, 12) * 60)
    level = rng.uniform(0.1, 0.4) * peak
    ramp = np.minimum(np.arange(minutes) / 15, 1)
    return Added(level * ramp, 0.03, 0.5)
