"""Hours that are too many and too dark: the slow burn that no single minute shows."""

import math
from collections import deque
from typing import Any

from monitoring.baseline import Baseline
from monitoring.detectors.likelihood import beta_binomial_llr

SCALES = (2, 4, 8, 16, 24)  # hours
_COUNT_CAP = 7.0  # nats: volume alone never pages, viral posts are loud too
_PRIOR_SPREAD = 0.3  # variance of log(observed / expected) of a stretch
_PRIOR_WEIGHT = 4.0  # hours
_KEEP = 0.9985  # an hour; half-life about 19 days
_LEARN_AFTER = 24  # hours
_MINIMUM_SHARE = 1.3  # nats the share must bring
_MINIMUM_NEGATIVE = 7.0  # negative comments
_LEAST_RISE = 0.03  # of the share, in points


class HourScan:
    """Scan of the last 24 closed hours at five lengths, for share and count together.

    For each length the share is judged by a beta-binomial ratio against its own best fit, and the
    count of negatives by z²/2 of log(observed / expected), whose variance is learnt per KOL and
    length: a KOL whose posts come in bursts needs more than one whose days are alike.

    Attributes:
        name: the detector's name in evidence.
        scale: the length that scored best, in hours; 0 where none did.
    """

    name = "hour_scan"
    __slots__ = ("_best", "_ring", "_spread", "_waiting", "_weight", "scale")

    def __init__(self) -> None:
        # Per hour: comments, sum of P(negative), expected comments, excess comments.
        self._ring: deque[tuple[int, float, float, float]] = deque(maxlen=24)
        self._spread = [_PRIOR_SPREAD * _PRIOR_WEIGHT for _ in SCALES]
        self._weight = [_PRIOR_WEIGHT for _ in SCALES]
        # What the last hours would add to the spread, held back as the baseline's hours are.
        self._waiting: deque[list[float | None]] = deque()
        self._best = 0.0
        self.scale = 0

    def learn_hour(
        self, n: int, k: float, excess: float, expected: float, base: Baseline, quiet: bool
    ) -> None:
        """Take one closed hour.

        Args:
            n: comments.
            k: sum of P(negative).
            excess: comments beyond the usual volume.
            expected: comments expected.
            base: what is usual.
            quiet: no incident is open, so the spread may be learnt.
        """
        share = base.share
        self._ring.append((n, k, expected, excess))
        self._best = 0.0
        self.scale = 0
        hours = list(self._ring)
        wander: list[float | None] = [None] * len(SCALES)
        for index, scale in enumerate(SCALES):
            if len(hours) < scale:
                break
            part = hours[-scale:]
            total = sum(hour[0] for hour in part)
            dark = sum(hour[1] for hour in part)
            usual = sum(hour[2] for hour in part) * share
            ratio = math.log((dark + 1.0) / (usual + 1.0))
            # Spread of such stretches, chance, and doubt about what is usual.
            chance = 1.0 / (usual + 1.0) + 2.0 / (base.hours + 1.0)
            variance = self._spread[index] / self._weight[index] + chance
            wander[index] = round(max(min(ratio * ratio, 9.0 * variance) - chance, 0.0), 4)
            if dark < _MINIMUM_NEGATIVE or ratio <= 0 or dark <= (share + _LEAST_RISE) * total:
                continue
            count = min(ratio * ratio / variance / 2, _COUNT_CAP)
            fit = min(dark / total, 0.995)
            kappa = base.concentration(sum(hour[3] for hour in part) / total)
            tone = beta_binomial_llr(total / base.phi, dark / base.phi, share, fit, kappa)
            if tone >= _MINIMUM_SHARE and tone + count > self._best:
                self._best = tone + count
                self.scale = scale
        if quiet:
            self._waiting.append(wander)
            if len(self._waiting) > _LEARN_AFTER:
                self._learn_spread(self._waiting.popleft())

    def _learn_spread(self, wander: list[float | None]) -> None:
        for index, value in enumerate(wander):
            if value is not None:
                self._spread[index] = self._spread[index] * _KEEP + value
                self._weight[index] = self._weight[index] * _KEEP + 1.0

    def score_one(self) -> float:
        """Largest sum of the two ratios over the five lengths, in nats."""
        return self._best

    def totals(self) -> tuple[int, float, float]:
        """Comments, sum of P(negative) and expected comments of the best-scoring stretch."""
        part = list(self._ring)[-self.scale :] if self.scale else []
        return (
            sum(hour[0] for hour in part),
            sum(hour[1] for hour in part),
            sum(hour[2] for hour in part),
        )

    def forget(self) -> None:
        """Start again, as after an incident; the spread stays, its last hours are dropped."""
        self._ring.clear()
        self._waiting.clear()
        self._best = 0.0
        self.scale = 0

    def state(self) -> dict[str, Any]:
        """Everything it knows, as JSON-able values."""
        return {
            "ring": [list(hour) for hour in self._ring],
            "spread": [self._spread, self._weight],
            "waiting": [list(hour) for hour in self._waiting],
            "best": [self._best, self.scale],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Become what `state` returned."""
        self._ring = deque(
            ((n, k, expected, excess) for n, k, expected, excess in state["ring"]), maxlen=24
        )
        self._spread, self._weight = (list(part) for part in state["spread"])
        self._waiting = deque(list(hour) for hour in state["waiting"])
        self._best, self.scale = state["best"]
