"""Our detector and river's defaults: one score per row, online."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from river.anomaly import HalfSpaceTrees, StandardAbsoluteDeviation
from river.drift import ADWIN
from river.preprocessing import MinMaxScaler

from benchmarks.nab.scoring import Scores
from benchmarks.nab.series import Series
from monitoring.detectors.volume_surge import VolumeSurge, VolumeSurgeSettings

OURS = "Groundswell volume_surge"

# Settings one step around the defaults, to see how much depends on them.
NEIGHBOURS: tuple[dict[str, Any], ...] = tuple(
    {"span": span, "memory": memory, "margin": margin, "tail": tail}
    for span, memory, margin, tail in product((12, 18, 24), (5.0, 7.0, 10.0), (0.2, 0.3), (0.02,))
)


def volume_surge(series: Series, **options: Any) -> Scores:
    """Our volume_surge detector at its defaults, called like by the engine.

    The product's attention surges have settings of their own (`volume_surge.ATTENTION`): it reports
    attention that lasts for hours, NAB asks for the start of every surge.
    """
    detector = VolumeSurge(VolumeSurgeSettings(**options))
    scores = np.zeros(len(series.values))
    for row, (minute, value) in enumerate(zip(series.minutes, series.values, strict=True)):
        detector.learn_one(minute, value)
        scores[row] = detector.score_one()
    return scores


def absolute_deviation(series: Series) -> Scores:
    """River StandardAbsoluteDeviation with default settings."""
    detector = StandardAbsoluteDeviation()
    scores = np.zeros(len(series.values))
    for row, value in enumerate(series.values):
        scores[row] = detector.score_one(None, value)
        detector.learn_one(None, value)
    return scores


def half_space_trees(series: Series) -> Scores:
    """River HalfSpaceTrees with default settings, after a scaler as its documentation says."""
    detector = MinMaxScaler() | HalfSpaceTrees(seed=42)
    scores = np.zeros(len(series.values))
    for row, value in enumerate(series.values):
        x = {"value": value}
        scores[row] = detector.score_one(x)
        detector.learn_one(x)
    return scores


def adwin(series: Series) -> Scores:
    """River ADWIN with default settings: 1 where it detects a drift."""
    detector = ADWIN()
    scores = np.zeros(len(series.values))
    for row, value in enumerate(series.values):
        detector.update(value)
        scores[row] = float(detector.drift_detected)
    return scores


DETECTORS: dict[str, Callable[[Series], Scores]] = {
    OURS: volume_surge,
    "river StandardAbsoluteDeviation": absolute_deviation,
    "river HalfSpaceTrees": half_space_trees,
    "river ADWIN": adwin,
}
