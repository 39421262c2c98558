"""Detectors of others, re-created from their help pages, as scores per minute.

Each peer returns one score per minute; higher is worse. A page is the first minute above the
threshold after `REARM` minutes below it. Thresholds are fitted on the calibration seeds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from river.anomaly import HalfSpaceTrees, StandardAbsoluteDeviation

from benchmarks.crisis.protocol import FALSE_LABEL_RATE, HIT_RATE, MINUTES_PER_DAY
from benchmarks.crisis.stream import Stream

Scores = NDArray[np.float64]
REARM = 6 * 60
_NORMAL_SHARE = (
    HIT_RATE * 0.15 + FALSE_LABEL_RATE * 0.85
)  # predicted negative share at the mean mood
_BIN = 15  # minutes per update of the river detectors


@dataclass(frozen=True, slots=True)
class Peer:
    """A detector for comparison.

    Attributes:
        name: shown in the tables.
        score: stream → one score per minute.
        grid: thresholds to try, ascending.
    """

    name: str
    score: Callable[[Stream], Scores]
    grid: tuple[float, ...]


def pages(score: Scores, threshold: float) -> list[int]:
    """Ends of the minutes with a page: above the threshold after `REARM` minutes below it."""
    over = np.flatnonzero(score > threshold)
    if not len(over):
        return []
    first = np.concatenate([[True], np.diff(over) > REARM])
    return [int(minute) + 1 for minute in over[first]]


def trailing(values: NDArray[np.int64], minutes: int) -> Scores:
    """Sum of the last `minutes` values, including each minute itself."""
    total = np.concatenate([[0], np.cumsum(values)]).astype(float)
    ends = np.arange(1, len(values) + 1)
    return total[ends] - total[np.maximum(ends - minutes, 0)]


def shifted(values: Scores, minutes: int) -> Scores:
    """The values `minutes` ago; before the start of the stream, its first value."""
    return np.concatenate([np.full(minutes, values[0]), values[:-minutes]])


def prometheus(values: NDArray[np.int64]) -> Scores:
    """Rate over 5 minutes divided by the rate over an hour, if that has at least 10 comments."""
    short, long = trailing(values, 5), trailing(values, 60)
    ratio = (short / 5) / np.maximum(long / 60, 1e-9)
    return np.where(long >= 10, ratio, 0.0)


def meltwater(values: NDArray[np.int64]) -> Scores:
    """The last hour divided by the mean of the 12 hours before, yesterday and last week."""
    hour = trailing(values, 60)
    past = (trailing(values, 13 * 60) - hour) / 12
    normal = (past + shifted(hour, MINUTES_PER_DAY) + shifted(hour, 7 * MINUTES_PER_DAY)) / 3
    return np.where(hour >= 5, hour / (normal + 1), 0.0)


def socialmetrix(values: NDArray[np.int64]) -> Scores:
    """Z of the last 24 hours against the 24-hour sums of 7 days, at full hours."""
    day = trailing(values, MINUTES_PER_DAY)[59::60]
    score = np.zeros(len(day))
    for hour in range(192, len(day)):
        past = day[hour - 192 : hour - 24]
        score[hour] = (day[hour] - past.mean()) / (past.std() + 1)
    out = np.zeros(len(values))
    out[59::60] = score
    return out


def ewma_z(values: NDArray[np.int64]) -> Scores:
    """Z of each minute's negatives against an exponential mean and variance (1 day)."""
    alpha = 2 / (MINUTES_PER_DAY + 1)
    mean, variance = 0.0, 1e-4
    out = np.zeros(len(values))
    for minute, value in enumerate(values.tolist()):
        gap = value - mean
        out[minute] = gap / (variance + 1e-4) ** 0.5
        mean += alpha * gap
        variance = (1 - alpha) * (variance + alpha * gap * gap)
    return out


def share_z(stream: Stream) -> Scores:
    """Z of the last hour's negative share against that of the 14 days before."""
    n, k = trailing(stream.comments, 60), trailing(stream.negative, 60)
    return _share_z(n, k, *_long(stream))


def _long(stream: Stream) -> tuple[Scores, Scores]:
    days = 14 * MINUTES_PER_DAY
    n = shifted(trailing(stream.comments, days), MINUTES_PER_DAY)
    k = shifted(trailing(stream.negative, days), MINUTES_PER_DAY)
    return n, k


def _share_z(n: Scores, k: Scores, long_n: Scores, long_k: Scores) -> Scores:
    normal = (long_k + 20 * _NORMAL_SHARE) / (long_n + 20)
    spread = np.sqrt(normal * (1 - normal) * (1 / np.maximum(n, 1) + 1 / 80))
    return np.where(k >= 4, (k / np.maximum(n, 1) - normal) / spread, 0.0)


def several_scales(stream: Stream) -> Scores:
    """Maximum, over spans of 5 minutes to a day, of the smaller z of count and share."""
    long_n, long_k = _long(stream)
    per_minute = (long_k + 0.01) / (14 * MINUTES_PER_DAY)
    best = np.zeros(len(stream.comments))
    for minutes in (5, 15, 60, 240, 1440):
        n, k = trailing(stream.comments, minutes), trailing(stream.negative, minutes)
        mean = per_minute * minutes
        count = (k - mean) / np.sqrt(mean + (0.5 * mean) ** 2 + 1)
        best = np.maximum(best, np.minimum(count, _share_z(n, k, long_n, long_k)))
    return best


def _features(stream: Stream) -> tuple[Scores, Scores]:
    """Log ratio of the last hour's negatives to normal, and their share, per bin."""
    n, k = trailing(stream.comments, 60), trailing(stream.negative, 60)
    long_n, long_k = _long(stream)
    normal = (long_k + 1) / (14 * 24)
    share = (k + 4 * (long_k + 20 * _NORMAL_SHARE) / (long_n + 20)) / (n + 4)
    return np.log((k + 1) / (normal + 1))[_BIN - 1 :: _BIN], share[_BIN - 1 :: _BIN]


def _spread_out(score: Scores, minutes: int) -> Scores:
    out = np.zeros(minutes)
    out[_BIN - 1 :: _BIN] = score
    return out


def half_space_trees(stream: Stream) -> Scores:
    """River HalfSpaceTrees on count and share of the last hour, every 15 minutes."""
    count, share = _features(stream)
    model = HalfSpaceTrees(
        n_trees=10, height=6, window_size=288, limits={"c": (-4, 6), "s": (0, 1)}, seed=7
    )
    out = np.zeros(len(count))
    for at, (one, other) in enumerate(zip(count.tolist(), share.tolist(), strict=True)):
        x = {"c": one, "s": other}
        score = model.score_one(x)
        model.learn_one(x)
        out[at] = score * max(one, 0.0) * (other > 0.25)
    return _spread_out(out, len(stream.comments))


def absolute_deviation(stream: Stream) -> Scores:
    """River StandardAbsoluteDeviation on the log negatives of the last hour."""
    count, _ = _features(stream)
    model = StandardAbsoluteDeviation()
    out = np.zeros(len(count))
    for at, one in enumerate(count.tolist()):
        out[at] = model.score_one(None, one) * (one > 0)
        model.learn_one(None, one)
    return _spread_out(out, len(stream.comments))


def _grid(low: float, high: float, steps: int = 60) -> tuple[float, ...]:
    return tuple(np.geomspace(low, high, steps).tolist())


PEERS = (
    Peer("Prometheus 5m/1h, all", lambda s: prometheus(s.comments), _grid(1.5, 12)),
    Peer("Prometheus 5m/1h, negatives", lambda s: prometheus(s.negative), _grid(1.5, 12)),
    Peer("Meltwater-like, volume", lambda s: meltwater(s.comments), _grid(1.5, 300)),
    Peer("Meltwater-like, negatives", lambda s: meltwater(s.negative), _grid(1.5, 300)),
    Peer("Socialmetrix-like, negatives", lambda s: socialmetrix(s.negative), _grid(1, 300)),
    Peer("EWMA z on negatives", lambda s: ewma_z(s.negative), _grid(2, 300)),
    Peer("river StandardAbsoluteDeviation", absolute_deviation, _grid(1, 100)),
    Peer("river HalfSpaceTrees", half_space_trees, _grid(0.1, 10)),
    Peer("60-min share z", share_z, _grid(1, 20)),
    Peer("several scales, count and share", several_scales, _grid(1, 20)),
)
