"""Has the usual itself moved? A slow drift of the share, too small for an alert.

river's Page-Hinkley test (Page 1954; Mouss et al. 2004) reads one number a day: how far the day's
share lies from the learnt one, in standard deviations. When it fires, what was learnt counts less
and the baseline follows within days instead of weeks. It never alerts.
"""

import math
from typing import Any

from river.drift import PageHinkley

_DELTA = 0.25  # standard deviations a day that are no drift
_THRESHOLD = 9.0
_MINIMUM_DAYS = 7
_REMEMBERED = 90  # days after which the test starts again
_WIDEST = 4.0


class BaselineDrift:
    """Page-Hinkley test on daily residuals of the share, both ways.

    Its state is the residuals themselves: on `load` they are fed to a fresh test, which so reaches
    the same place.
    """

    __slots__ = ("_k", "_n", "_residuals", "_test")

    def __init__(self) -> None:
        self._residuals: list[float] = []
        self._test = _page_hinkley()
        self._n = 0
        self._k = 0.0

    def learn_hour(self, hour: int, n: int, k: float, share: float, rho: float) -> bool:
        """Take one hour outside incidents; whether the usual has moved.

        Args:
            hour: hours since 1970 UTC; the day ends with hour 23.
            n: comments.
            k: sum of P(negative).
            share: usual negative share, in (0, 1).
            rho: correlation of the comments of a day.
        """
        self._n += n
        self._k += k
        if hour % 24 != 23 or self._n == 0:
            return False
        variance = self._n * share * (1 - share) * (1 + (self._n - 1) * rho)
        residual = (self._k - self._n * share) / math.sqrt(variance)
        self._n, self._k = 0, 0.0
        residual = round(min(max(residual, -_WIDEST), _WIDEST), 3)
        self._residuals.append(residual)
        self._test.update(residual)
        moved = bool(self._test.drift_detected)
        if moved or len(self._residuals) >= _REMEMBERED:
            self._residuals = []
            self._test = _page_hinkley()
        return moved

    def state(self) -> list[Any]:
        """Everything it knows, as JSON-able values."""
        return [self._n, self._k, list(self._residuals)]

    def load(self, state: list[Any]) -> None:
        """Become what `state` returned."""
        self._n, self._k, residuals = state
        self._residuals = list(residuals)
        self._test = _page_hinkley()
        for residual in self._residuals:
            self._test.update(residual)


def _page_hinkley() -> Any:  # river's methods carry no types
    return PageHinkley(
        min_instances=_MINIMUM_DAYS, delta=_DELTA, threshold=_THRESHOLD, alpha=1.0, mode="both"
    )
