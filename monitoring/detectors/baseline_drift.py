"""Has the normal share itself moved? A slow drift of the share, too small for an alert.

river's Page-Hinkley test (Page 1954; Mouss et al. 2004) reads one number a day: how far the day's
share lies from the learnt one, in standard deviations. When it fires, what was learnt counts less
and the baseline follows within days instead of weeks. It never alerts.
"""

import math
from typing import Any

import msgspec
from river.drift import PageHinkley

_DELTA = 0.25  # standard deviations a day that are no drift
_THRESHOLD = 9.0
_MINIMUM_DAYS = 7
_REMEMBERED = 90  # days after which the test starts again
_WIDEST = 4.0
_UNITS = 1000  # of a residual's standard deviation: whole numbers are cheap to store


class DriftState(msgspec.Struct, array_like=True):
    """What a drift test has seen.

    Attributes:
        n: comments of this day so far …
        k: … and the sum of P(negative) over them.
        residuals: the daily residuals since the test began, in thousandths of a standard deviation.
    """

    n: int = 0
    k: float = 0.0
    residuals: list[int] = msgspec.field(default_factory=list)


class BaselineDrift:
    """Page-Hinkley test on daily residuals of the share, both ways.

    Its state is the residuals themselves: restored, they are fed to a fresh test, which so reaches
    the same place. They take a fifth of the bytes that a pickled test does.
    """

    __slots__ = ("_test", "state")

    def __init__(self, state: DriftState | None = None) -> None:
        self.state = DriftState() if state is None else state
        self._test = _page_hinkley()
        for residual in self.state.residuals:
            self._test.update(residual / _UNITS)

    def learn_hour(self, hour: int, n: int, k: float, share: float, rho: float) -> bool:
        """Take one hour outside incidents; whether the normal share has moved.

        Args:
            hour: hours since 1970 UTC; the day ends with hour 23.
            n: comments.
            k: sum of P(negative).
            share: normal negative share, in (0, 1).
            rho: correlation of the comments of a day.
        """
        state = self.state
        state.n += n
        state.k += k
        if hour % 24 != 23 or state.n == 0:
            return False
        variance = state.n * share * (1 - share) * (1 + (state.n - 1) * rho)
        residual = (state.k - state.n * share) / math.sqrt(variance)
        state.n, state.k = 0, 0.0
        thousandths = round(round(min(max(residual, -_WIDEST), _WIDEST), 3) * _UNITS)
        state.residuals.append(thousandths)
        self._test.update(thousandths / _UNITS)
        moved = bool(self._test.drift_detected)
        if moved or len(state.residuals) >= _REMEMBERED:
            state.residuals = []
            self._test = _page_hinkley()
        return moved


def _page_hinkley() -> Any:  # river's methods carry no types
    return PageHinkley(
        min_instances=_MINIMUM_DAYS, delta=_DELTA, threshold=_THRESHOLD, alpha=1.0, mode="both"
    )
