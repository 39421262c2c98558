"""What is normal for one KOL: volume at this hour, negative share, and how much both vary."""

import math
from collections.abc import Callable
from typing import Annotated

import msgspec

from monitoring.hours import Hour

_HOUR_DECAY = 0.5 ** (1 / (14 * 24))  # half-life of what was learnt: 14 days
_PRIOR_SHARE = 0.18
_PRIOR_POSITIVE = 0.35
_PRIOR_SHARE_WEIGHT = 2.0  # comments: KOLs differ much, so little is borrowed
_REBASED = 40.0  # most effective comments that a new normal share counts for
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


_Loud = Annotated[list[float], msgspec.Meta(min_length=2, max_length=2)]
_HourOfDay = Annotated[list[float], msgspec.Meta(min_length=24, max_length=24)]
_DayOfWeek = Annotated[list[float], msgspec.Meta(min_length=7, max_length=7)]


class BaselineState(msgspec.Struct, array_like=True):
    """All that a baseline has learnt: faded sums and their weights.

    Attributes:
        weight: effective comments the shares were learnt from.
        k: effective negative comments among them.
        positive: effective positive comments among them.
        rho: sums of the two parts of the correlation, loud and calm …
        rho_weight: … and their weights.
        hours: effective hours.
        volume: comments.
        active: minutes that held a comment.
        scatter: squared deviations of the negative share, see `Hour.scatter`.
        bright_scatter: the same of `Hour.bright_scatter`.
        hour_sum: per hour of the day, its volume over the mean …
        hour_weight: … and their weights.
        day_sum: per day of the week, the same …
        day_weight: … and their weights.
    """

    weight: float = 0.0
    k: float = 0.0
    positive: float = 0.0
    rho: _Loud = msgspec.field(default_factory=lambda: [0.0] * 2)
    rho_weight: _Loud = msgspec.field(default_factory=lambda: [0.0] * 2)
    hours: float = 0.0
    volume: float = 0.0
    active: float = 0.0
    scatter: float = 0.0
    bright_scatter: float = 0.0
    hour_sum: _HourOfDay = msgspec.field(default_factory=lambda: [0.0] * 24)
    hour_weight: _HourOfDay = msgspec.field(default_factory=lambda: [0.0] * 24)
    day_sum: _DayOfWeek = msgspec.field(default_factory=lambda: [0.0] * 7)
    day_weight: _DayOfWeek = msgspec.field(default_factory=lambda: [0.0] * 7)


class Baseline:
    """Learns from closed hours outside incidents; answers what to expect.

    Negative share: a beta-binomial. Comments under one post agree, so the more of a stretch is
    excess over the normal volume (one new post, mostly), the more its share may stray: its
    correlation is rho = loud * excess² + calm, where both parts are learnt by the method of
    moments. The mean is learnt with weights n / (1 + (n - 1) rho), the effective number of
    comments at the presumed correlation, so that a new level is not discounted. Sums of
    probabilities scatter less than counts, by a factor phi that is learnt too. Volume: mean per
    hour times a profile over the 24 hours (UTC) and the seven days, each shrunk to 1. Everything
    learnt has a half-life of 14 days.

    Attributes:
        share: expected negative share, in (0, 1).
        positive: expected positive share, in (0, 1).
        rho: the loud and the calm part of the correlation.
        phi: variance of a comment's P(negative) over that of a 0 or 1 of the same mean, in (0, 1].
        bright: expected share of positives among the comments that are not negative, in (0, 1).
        bright_phi: as ``phi``, for P(positive) among them.
        doubt: correlation of a calm stretch, with the doubt about the mean added.
        mean_per_hour: expected comments of a mean hour.
        active: share of the minutes that hold a comment, in (0, 1].
        state: the sums behind them.
    """

    __slots__ = (
        "active",
        "bright",
        "bright_phi",
        "doubt",
        "mean_per_hour",
        "phi",
        "positive",
        "rho",
        "share",
        "state",
    )

    def __init__(self, state: BaselineState | None = None) -> None:
        self.state = BaselineState() if state is None else state
        self._refresh()

    def learn_hour(self, hour: Hour) -> None:
        """Learn one closed hour that belongs to no incident."""
        state = self.state
        n = hour.comments
        decay = _HOUR_DECAY
        state.weight *= decay
        state.k *= decay
        state.positive *= decay
        state.hours = state.hours * decay + 1.0
        usual = self.expected(hour.number)
        bounded = min(float(n), 6.0 * usual + 10.0)
        state.volume = state.volume * decay + bounded
        state.active = state.active * decay + hour.active
        state.scatter = state.scatter * decay + hour.scatter
        state.bright_scatter = state.bright_scatter * decay + hour.bright_scatter
        self._refresh()
        slot, day = hour.number % 24, (hour.number // 24) % 7
        # The profile is relative to the mean: worth little while the mean is hardly known.
        trust = min(state.hours / 48, 1.0)
        relative = bounded / max(self.mean_per_hour, 1e-9) * trust
        state.hour_sum[slot] = state.hour_sum[slot] * _HOUR_KEEP + relative
        state.hour_weight[slot] = state.hour_weight[slot] * _HOUR_KEEP + trust
        state.day_sum[day] = state.day_sum[day] * _DAY_KEEP + relative / 24
        state.day_weight[day] = state.day_weight[day] * _DAY_KEEP + trust / 24
        if n > 0:
            fraction = min(hour.excess / n, 1.0)
            rho = self.rho[0] * fraction * fraction + self.rho[1]
            if n > 1 and not _CALM < fraction < _LOUD:
                self._learn_rho(n, hour.negative, rho, fraction)
            w = n / (1 + (n - 1) * (_PRIOR_RHO[0] * fraction * fraction + _PRIOR_RHO[1]))
            state.weight += w
            state.k += w * hour.negative / n
            state.positive += w * hour.positive / n
        self._refresh()

    def _learn_rho(self, n: int, k: float, rho: float, fraction: float) -> None:
        state = self.state
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
        state.rho[part] = state.rho[part] * keep + weight * estimate
        state.rho_weight[part] = state.rho_weight[part] * keep + weight

    def _refresh(self) -> None:
        state = self.state
        total = state.weight + _PRIOR_SHARE_WEIGHT
        self.share = (state.k + _PRIOR_SHARE * _PRIOR_SHARE_WEIGHT) / total
        self.share = min(max(self.share, 0.005), 0.995)
        self.positive = (state.positive + _PRIOR_POSITIVE * _PRIOR_SHARE_WEIGHT) / total
        self.positive = min(max(self.positive, 0.005), 0.995)
        loud, calm = (
            min(
                max(
                    (state.rho[part] + _PRIOR_RHO[part] * _PRIOR_RHO_HOURS)
                    / (state.rho_weight[part] + _PRIOR_RHO_HOURS),
                    _LEAST_RHO[part],
                ),
                0.2,
            )
            for part in (0, 1)
        )
        self.rho = (loud, calm)
        self.doubt = calm + 1 / total
        hours = state.hours + _PRIOR_PER_HOUR_WEIGHT
        self.mean_per_hour = (
            state.volume + _PRIOR_PER_HOUR * _PRIOR_PER_HOUR_WEIGHT * math.exp(-state.hours)
        ) / (state.hours + _PRIOR_PER_HOUR_WEIGHT * math.exp(-state.hours))
        self.phi = self._thinned(state.scatter)
        self.bright = min(self.positive / (1 - self.share), 0.995)
        self.bright_phi = self._thinned(state.bright_scatter)
        self.active = (state.active + 1.0) / (60.0 * hours)

    def _thinned(self, scatter: float) -> float:
        phi = (scatter + _PRIOR_MINUTES) / (self.state.active + _PRIOR_MINUTES)
        return min(max(phi, _LEAST_PHI), 1.0)

    @property
    def weight(self) -> float:
        """Effective comments the share was learnt from."""
        return self.state.weight

    @property
    def hours(self) -> float:
        """Effective hours learnt."""
        return self.state.hours

    @property
    def known(self) -> bool:
        """Whether enough has been learnt for anything to be judged by it."""
        return self.state.weight >= _KNOWN

    def concentration(self, fraction: float) -> float:
        """Beta concentration of a stretch's share, with the doubt about the mean in it.

        Args:
            fraction: share of the stretch's comments beyond the normal volume, in [0, 1].
        """
        return 1.0 / (self.rho[0] * fraction * fraction + self.doubt)

    def expected(self, hour: int) -> float:
        """Comments expected in the hour `hour` (hours since 1970 UTC)."""
        state = self.state
        slot, day = hour % 24, (hour // 24) % 7
        by_hour = (state.hour_sum[slot] + _PROFILE_WEIGHT) / (
            state.hour_weight[slot] + _PROFILE_WEIGHT
        )
        by_day = (state.day_sum[day] + 1.0) / (state.day_weight[day] + 1.0)
        return self.mean_per_hour * by_hour * by_day

    def assured(self, hour: int) -> float:
        """Comments reliably expected in the hour `hour`: `expected`, shrunk to none instead of the
        mean. An hour of the day or a day of the week that was never seen counts as none.
        """
        state = self.state
        slot, day = hour % 24, (hour // 24) % 7
        by_hour = state.hour_sum[slot] / (state.hour_weight[slot] + _PROFILE_WEIGHT)
        by_day = state.day_sum[day] / (state.day_weight[day] + 1.0)
        return self.mean_per_hour * by_hour * by_day

    def expected_between(self, start: int, end: int) -> float:
        """Comments expected from minute `start` up to minute `end` (minutes since 1970 UTC)."""
        return _between(self.expected, start, end)

    def assured_between(self, start: int, end: int) -> float:
        """Comments reliably expected from minute `start` up to minute `end`."""
        return _between(self.assured, start, end)

    def loosen(self) -> None:
        """The normal share has moved: let what was learnt of the share count a quarter."""
        state = self.state
        state.weight *= 0.25
        state.k *= 0.25
        state.positive *= 0.25
        self._refresh()

    def rebase(self, share: float) -> None:
        """Take `share` as normal: an incident lasted so long that it is normal now."""
        state = self.state
        weight = min(state.weight, _REBASED)
        if state.weight:
            state.positive *= weight / state.weight
        state.weight = weight
        state.k = share * weight
        self._refresh()


def _between(per_hour: Callable[[int], float], start: int, end: int) -> float:
    hour = start // 60
    if end <= hour * 60 + 60:
        return per_hour(hour) * max(end - start, 0) / 60
    total = 0.0
    while hour * 60 < end:
        overlap = min(end, hour * 60 + 60) - max(start, hour * 60)
        total += per_hour(hour) * overlap / 60
        hour += 1
    return total
