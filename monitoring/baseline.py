"""What is normal for one KOL: volume at this hour, negative share, and how much both wander."""

import math
from collections.abc import Callable
from typing import Any

from monitoring.hours import Hour

_HOUR_DECAY = 0.5 ** (1 / (14 * 24))  # half-life of what was learnt: 14 days
_PRIOR_SHARE = 0.18
_PRIOR_POSITIVE = 0.35
_PRIOR_SHARE_WEIGHT = 2.0  # comments: KOLs differ much, so little is borrowed
_REBASED = 40.0  # most effective comments that a new usual is believed for
_KNOWN = 10.0  # effective comments learnt before anything is judged
# Correlation of the comments of one hour: under one loud post, and in a calm hour of many posts.
_PRIOR_RHO = (1 / 80, 1 / 300)
_PRIOR_RHO_HOURS = 10.0
_LEAST_RHO = (1 / 80, 1 / 1500)
# Probabilities scatter less than zeros and ones: by the factor phi, learnt minute by minute.
_PRIOR_MINUTES = 60.0
_LEAST_PHI = 0.2
_LOUD, _CALM = 0.6, 0.25  # shares of excess comments from and to which an hour is either
_OUTLIER = 9.0  # squared deviations beyond this many times the expected one are cut
_PRIOR_PER_HOUR = 1.0
_PRIOR_PER_HOUR_WEIGHT = 2.0  # hours
_HOUR_KEEP = 0.95
_DAY_KEEP = 0.95 ** (1 / 24)
_PROFILE_WEIGHT = 2.0  # an hour of day is believed after about this many of its kind


class Baseline:
    """Learns from closed hours outside incidents; answers what to expect.

    Negative share: a beta-binomial. Comments under one post agree, so the more of a stretch is
    excess over the usual volume (one new post, mostly), the more its share may stray: its
    correlation is rho = loud * excess² + calm, where both parts are learnt by the method of
    moments. The mean is learnt with weights n / (1 + (n - 1) rho), the effective number of
    comments at the correlation presumed, so that a new level is not doubted away. Sums of
    probabilities scatter less than counts, by a factor phi that is learnt too. Volume: mean per
    hour times a profile over the 24 hours (UTC) and the seven days, each shrunk to 1. Everything
    forgets with a half-life of 14 days.

    Attributes:
        share: expected negative share, in (0, 1).
        positive: expected positive share, in (0, 1).
        rho: the loud and the calm part of the correlation.
        phi: variance of a comment's P(negative) over that of a 0 or 1 of the same mean, in (0, 1].
        bright: expected share of positives among the comments that are not negative, in (0, 1).
        bright_phi: as ``phi``, for P(positive) among them.
        doubt: correlation of a calm stretch, with the doubt about the mean added.
        weight: effective comments the share was learnt from.
        hours: effective hours learnt.
        active: share of the minutes that hold a comment, in (0, 1].
    """

    __slots__ = (
        "_active_sum",
        "_bright_scatter",
        "_day_sum",
        "_day_weight",
        "_hour_sum",
        "_hour_weight",
        "_k",
        "_pos",
        "_rho_sum",
        "_rho_weight",
        "_scatter",
        "_volume",
        "active",
        "bright",
        "bright_phi",
        "doubt",
        "hours",
        "mean_per_hour",
        "phi",
        "positive",
        "rho",
        "share",
        "weight",
    )

    def __init__(self) -> None:
        self.weight = 0.0
        self._k = 0.0
        self._pos = 0.0
        self._rho_sum = [0.0, 0.0]
        self._rho_weight = [0.0, 0.0]
        self.hours = 0.0
        self._volume = 0.0
        self._active_sum = 0.0
        self._scatter = 0.0
        self._bright_scatter = 0.0
        self._hour_sum = [0.0] * 24
        self._hour_weight = [0.0] * 24
        self._day_sum = [0.0] * 7
        self._day_weight = [0.0] * 7
        self._refresh()

    def learn_hour(self, hour: Hour) -> None:
        """Learn one closed hour that belongs to no incident."""
        n = hour.comments
        decay = _HOUR_DECAY
        self.weight *= decay
        self._k *= decay
        self._pos *= decay
        self.hours = self.hours * decay + 1.0
        usual = self.expected(hour.number)
        bounded = min(float(n), 6.0 * usual + 10.0)
        self._volume = self._volume * decay + bounded
        self._active_sum = self._active_sum * decay + hour.active
        self._scatter = self._scatter * decay + hour.scatter
        self._bright_scatter = self._bright_scatter * decay + hour.bright_scatter
        self._refresh()
        slot, day = hour.number % 24, (hour.number // 24) % 7
        # The profile is relative to the mean: worth little while the mean is hardly known.
        trust = min(self.hours / 48, 1.0)
        relative = bounded / max(self.mean_per_hour, 1e-9) * trust
        self._hour_sum[slot] = self._hour_sum[slot] * _HOUR_KEEP + relative
        self._hour_weight[slot] = self._hour_weight[slot] * _HOUR_KEEP + trust
        self._day_sum[day] = self._day_sum[day] * _DAY_KEEP + relative / 24
        self._day_weight[day] = self._day_weight[day] * _DAY_KEEP + trust / 24
        if n > 0:
            fraction = min(hour.excess / n, 1.0)
            rho = self.rho[0] * fraction * fraction + self.rho[1]
            if n > 1 and not _CALM < fraction < _LOUD:
                self._learn_rho(n, hour.negative, rho, fraction)
            w = n / (1 + (n - 1) * (_PRIOR_RHO[0] * fraction * fraction + _PRIOR_RHO[1]))
            self.weight += w
            self._k += w * hour.negative / n
            self._pos += w * hour.positive / n
        self._refresh()

    def _learn_rho(self, n: int, k: float, rho: float, fraction: float) -> None:
        inflation = 1 + (n - 1) * rho
        z2 = (k - n * self.share) ** 2 / (self.share * (1 - self.share) * n)
        z2 = min(z2, _OUTLIER * inflation)
        part = 0 if fraction >= _LOUD else 1
        # Weight of this hour's estimate, relative to an hour of very many comments.
        weight = ((n - 1) * rho / inflation) ** 2
        estimate = (z2 - self.phi) / (n - 1)
        if part == 0:
            estimate = (estimate - self.rho[1]) / (fraction * fraction)
        keep = _HOUR_DECAY
        self._rho_sum[part] = self._rho_sum[part] * keep + weight * estimate
        self._rho_weight[part] = self._rho_weight[part] * keep + weight

    def _refresh(self) -> None:
        total = self.weight + _PRIOR_SHARE_WEIGHT
        self.share = (self._k + _PRIOR_SHARE * _PRIOR_SHARE_WEIGHT) / total
        self.share = min(max(self.share, 0.005), 0.995)
        self.positive = (self._pos + _PRIOR_POSITIVE * _PRIOR_SHARE_WEIGHT) / total
        self.positive = min(max(self.positive, 0.005), 0.995)
        loud, calm = (
            min(
                max(
                    (self._rho_sum[part] + _PRIOR_RHO[part] * _PRIOR_RHO_HOURS)
                    / (self._rho_weight[part] + _PRIOR_RHO_HOURS),
                    _LEAST_RHO[part],
                ),
                0.2,
            )
            for part in (0, 1)
        )
        self.rho = (loud, calm)
        self.doubt = calm + 1 / total
        hours = self.hours + _PRIOR_PER_HOUR_WEIGHT
        self.mean_per_hour = (
            self._volume + _PRIOR_PER_HOUR * _PRIOR_PER_HOUR_WEIGHT * math.exp(-self.hours)
        ) / (self.hours + _PRIOR_PER_HOUR_WEIGHT * math.exp(-self.hours))
        self.phi = self._thinned(self._scatter)
        self.bright = min(self.positive / (1 - self.share), 0.995)
        self.bright_phi = self._thinned(self._bright_scatter)
        self.active = (self._active_sum + 1.0) / (60.0 * hours)

    def _thinned(self, scatter: float) -> float:
        phi = (scatter + _PRIOR_MINUTES) / (self._active_sum + _PRIOR_MINUTES)
        return min(max(phi, _LEAST_PHI), 1.0)

    @property
    def known(self) -> bool:
        """Whether enough has been learnt for anything to be judged by it."""
        return self.weight >= _KNOWN

    def concentration(self, fraction: float) -> float:
        """Beta concentration of a stretch's share, with the doubt about the mean in it.

        Args:
            fraction: share of the stretch's comments beyond the usual volume, in [0, 1].
        """
        return 1.0 / (self.rho[0] * fraction * fraction + self.doubt)

    def expected(self, hour: int) -> float:
        """Comments expected in the hour `hour` (hours since 1970 UTC)."""
        slot, day = hour % 24, (hour // 24) % 7
        by_hour = (self._hour_sum[slot] + _PROFILE_WEIGHT) / (
            self._hour_weight[slot] + _PROFILE_WEIGHT
        )
        by_day = (self._day_sum[day] + 1.0) / (self._day_weight[day] + 1.0)
        return self.mean_per_hour * by_hour * by_day

    def assured(self, hour: int) -> float:
        """Comments to be counted on in the hour `hour`: `expected`, shrunk to none instead of the
        mean. An hour of the day or a day of the week that was never seen promises nothing.
        """
        slot, day = hour % 24, (hour // 24) % 7
        by_hour = self._hour_sum[slot] / (self._hour_weight[slot] + _PROFILE_WEIGHT)
        by_day = self._day_sum[day] / (self._day_weight[day] + 1.0)
        return self.mean_per_hour * by_hour * by_day

    def expected_between(self, start: int, end: int) -> float:
        """Comments expected from minute `start` up to minute `end` (minutes since 1970 UTC)."""
        return _between(self.expected, start, end)

    def assured_between(self, start: int, end: int) -> float:
        """Comments to be counted on from minute `start` up to minute `end`."""
        return _between(self.assured, start, end)

    def loosen(self) -> None:
        """The usual has moved: let what was learnt of the share count a quarter."""
        self.weight *= 0.25
        self._k *= 0.25
        self._pos *= 0.25
        self._refresh()

    def rebase(self, share: float) -> None:
        """Take `share` as the usual one: an incident lasted so long that it is normal now."""
        weight = min(self.weight, _REBASED)
        if self.weight:
            self._pos *= weight / self.weight
        self.weight = weight
        self._k = share * weight
        self._refresh()

    def state(self) -> dict[str, Any]:
        """Everything learnt, as JSON-able values."""
        return {
            "share": [self.weight, self._k, self._pos],
            "rho": [self._rho_sum, self._rho_weight],
            "volume": [self.hours, self._volume, self._active_sum],
            "scatter": [self._scatter, self._bright_scatter],
            "hours": [self._hour_sum, self._hour_weight],
            "days": [self._day_sum, self._day_weight],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Become what `state` returned."""
        self.weight, self._k, self._pos = state["share"]
        self._rho_sum, self._rho_weight = (list(part) for part in state["rho"])
        self.hours, self._volume, self._active_sum = state["volume"]
        self._scatter, self._bright_scatter = state["scatter"]
        self._hour_sum, self._hour_weight = (list(part) for part in state["hours"])
        self._day_sum, self._day_weight = (list(part) for part in state["days"])
        self._refresh()


def _between(per_hour: Callable[[int], float], start: int, end: int) -> float:
    total = 0.0
    hour = start // 60
    while hour * 60 < end:
        overlap = min(end, hour * 60 + 60) - max(start, hour * 60)
        total += per_hour(hour) * overlap / 60
        hour += 1
    return total
