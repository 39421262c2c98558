"""A volume higher than normal, than its own tail and, if asked, than the last day.

Three questions, each answered from the KOL's own stream. How much more than normal: a moving
average of the count over the normal one, as a log ratio. How rare is that: above a high
quantile, ratios are taken to be exponential, and both the quantile (Robbins and Monro 1951, at the
step that is asymptotically best) and the mean excess are learnt; this is the exponential case of
the peaks-over-threshold method (Siffer et al. 2017). And is it news: with a margin, only a ratio
that tops what the last 24 hours brought says anything, so the plateau and the tail of a surge are
silent. A monitor that keeps an alert open needs no margin: the alert is what is said once.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import msgspec

from monitoring.detectors.base import Normal
from monitoring.detectors.registry import DetectorType, register
from monitoring.errors import PolicyError
from monitoring.hours import Hour
from monitoring.kinds import AlertFamily
from monitoring.stretch import Stretch

_WILDEST = 5.0  # mean excesses at which one excess is cut before it is learnt
_CAUTION = 10.0  # excesses that the first guess of their mean counts for
_TEN = 10.0  # comments that a bin may always teach
_ONSET = 2.0  # times the normal count: bins above it belong to the stretch of a surge


_Mean = tuple[float, float]  # a faded sum and its weight
_Bin = tuple[int, float]  # its comments, and the sum of what matters


@dataclass(frozen=True, slots=True)
class VolumeSurgeSettings:
    """What a detector of surges looks for.

    Attributes:
        step: minutes a bin; divides an hour.
        span: bins the moving average covers (its centre of mass is half of that).
        memory: days that the normal volume and the tail remember.
        margin: how far a ratio must top the last 24 hours', in log units; 0.3 is a third louder.
            None: no ratio has to, and the bins of one surge teach the tail as one bin.
        tail: share of the bins that lie in the tail, in (0, 1).
        most: times the normal count, and ten comments more, as which a bin is learnt at most.
        few: comments added to both sides of a ratio: none against one is no surge.
        by_hour: compare with what is normal at this hour, and not with the mean of all hours; a
            span of a day needs no hour.
        warm_up: days before anything is said.
        threshold: nats at which a ratio is rare enough for an alert.
    """

    step: int = 5
    span: int = 18
    memory: float = 7.0
    margin: float | None = 0.3
    tail: float = 0.02
    most: float = math.inf
    few: float = 3.0
    by_hour: bool = True
    warm_up: int = 1
    threshold: float = 9.0

    def __post_init__(self) -> None:
        if self.step < 1 or 60 % self.step:
            raise PolicyError(f"step must divide an hour, not be {self.step}")
        if not 0 < self.tail < 1:
            raise PolicyError(f"tail must be between 0 and 1, not {self.tail}")
        for name in ("span", "memory", "most", "few", "warm_up", "threshold"):
            if getattr(self, name) <= 0:
                raise PolicyError(f"{name} must be positive, not {getattr(self, name)}")


_DEFAULTS = VolumeSurgeSettings()
# A day and not an hour and a half: attention that lasts. Chosen on the calibration streams of the
# crisis benchmark; the NAB benchmark, whose surges last hours, keeps the defaults above.
ATTENTION = VolumeSurgeSettings(
    step=60,
    span=24,
    memory=28.0,
    margin=None,
    most=6.0,
    few=0.5,
    by_hour=False,
    warm_up=7,
    threshold=6.0,
)


class VolumeSurgeState(msgspec.Struct, array_like=True):
    """What a detector of surges has seen and learnt.

    Attributes:
        bin: the open bin; None before the first minute.
        count: comments in it.
        ratio: log of its moving average over what is normal at this hour.
        score: its rarity, in nats.
        seen: bins closed.
        level: moving average of their counts; None before the first closed.
        overall: mean count of a bin.
        hours: the same for each hour of the day, UTC.
        quantile: the ratio above which the tail lies.
        excess: mean excess of the ratios in the tail.
        over: bins in the tail.
        tops: the hours of the last day that brought a ratio to top, with it, falling.
        k: sum of what matters in the open bin.
        recent: the last bins closed, as many as the moving average covers.
    """

    bin: int | None = None
    count: int = 0
    ratio: float = 0.0
    score: float = 0.0
    seen: int = 0
    level: float | None = None
    overall: _Mean = (0.0, 0.0)
    hours: Annotated[list[_Mean], msgspec.Meta(min_length=24, max_length=24)] = msgspec.field(
        default_factory=lambda: [(0.0, 0.0)] * 24
    )
    quantile: float = 0.0
    excess: float = 0.5
    over: int = 0
    tops: list[tuple[int, float]] = msgspec.field(default_factory=list)
    k: float = 0.0
    recent: list[_Bin] = msgspec.field(default_factory=list)


class VolumeSurge:
    """Surge of comments, of whatever mood.

    Minutes are gathered in bins; the open bin is judged as it fills. Minutes that are left out
    count as empty.

    Attributes:
        state: what it has seen and learnt.

    Args:
        settings: what it looks for.
        state: what an earlier one saw; None starts afresh.
    """

    __slots__ = ("_decay", "_gain", "_per_day", "_per_hour", "_remembered", "_settings", "state")

    def __init__(
        self,
        settings: VolumeSurgeSettings = _DEFAULTS,
        state: VolumeSurgeState | None = None,
    ) -> None:
        self._settings = settings
        self._per_hour = 60 // settings.step
        self._per_day = 24 * self._per_hour
        self._gain = 2.0 / (settings.span + 1)
        memory = settings.memory
        self._remembered = int(memory * self._per_day)
        # The mean of all bins, and that of one hour of the day, which meets so many bins a day.
        self._decay = (1.0 - 1.0 / self._remembered, 1.0 - 1.0 / (memory * self._per_hour))
        self.state = VolumeSurgeState() if state is None else state

    def expect(self, normal: Normal) -> None:
        """Nothing: what is normal of a share says nothing of volume, which is learnt here."""

    def threshold(self, _normal: Normal, _sensitivity: float) -> float:
        """The same whatever the sensitivity: attention pages nobody."""
        return self._settings.threshold

    def learn_one(self, minute: int, n: int, k: float = 0.0, excess: float = 0.0) -> None:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC; later than every one before.
            n: comments in it.
            k: sum of the probability that matters; shown in the stretch, and not judged.
            excess: comments beyond the normal volume; learnt here on its own.
        """
        state = self.state
        at = minute // self._settings.step
        if state.bin is None:
            state.bin = at
        elif at > state.bin:
            self._close(state.bin, state.count, state.k)
            for empty in range(max(state.bin + 1, at - self._remembered), at):
                self._close(empty, 0, 0.0)
            state.bin, state.count, state.k = at, 0, 0.0
        state.count += n
        state.k += k
        state.ratio = self._ratio(at, state.count)
        state.score = self._judge(at // self._per_hour)

    def score_one(self) -> float:
        """Rarity of the open bin in nats, -log of the share of bins as loud; 0 where it is no news.

        Nothing is said before the days of the warm-up have been seen.
        """
        return self.state.score

    def inputs(self) -> dict[str, float]:
        """What the value can be recomputed from; empty where there is none."""
        state = self.state
        if not state.score:
            return {}
        return {
            "ratio": state.ratio,
            "quantile": state.quantile,
            "excess": state.excess,
            "tail": self._settings.tail,
        }

    def scale_minutes(self, now: int) -> float:
        """Length of the stretch judged, up to minute `now` since 1970 UTC; 0 if there is none."""
        found = self.stretch(now, lambda *_: 0.0)
        return 0.0 if found is None else float(now - found.start)

    def stretch(self, now: int, expected: Callable[[int, int], float]) -> Stretch | None:
        """The bins since the onset: those that are furthest above twice their normal count, summed.

        None where nothing scored. The onset lies in the bins that the moving average covers.
        """
        state, step = self.state, self._settings.step
        if not state.score or state.bin is None:
            return None
        n, k = state.count, state.k
        most = above = n - _ONSET * self._normal(state.bin)
        start, found = state.bin, (n, k)
        for at, (more, matters) in zip(
            range(state.bin - 1, -1, -1), reversed(state.recent), strict=False
        ):
            n, k = n + more, k + matters
            above += more - _ONSET * self._normal(at)
            if above > most:
                most, start, found = above, at, (n, k)
        return Stretch(start * step, now, *found, expected(start * step, now))

    def stretches(
        self, now: int, _hour: Hour, expected: Callable[[int, int], float]
    ) -> list[Stretch]:
        """The stretch judged, if there is one."""
        found = self.stretch(now, expected)
        return [] if found is None else [found]

    def reset(self) -> None:
        """Start again from the normal level, as after an incident; what was learnt stays."""
        state = self.state
        total, weight = state.overall
        state.level = total / weight if weight else None
        state.count, state.k, state.ratio, state.score = 0, 0.0, 0.0, 0.0
        state.tops.clear()
        state.recent.clear()

    def _ratio(self, at: int, count: int) -> float:
        few = self._settings.few
        return math.log((self._average(count) + few) / (self._normal(at) + few))

    def _average(self, count: int) -> float:
        state = self.state
        level = state.level
        return float(count) if level is None else level + self._gain * (count - level)

    def _normal(self, at: int) -> float:
        """Normal count of a bin; that at this hour is shrunk to that of any by one day's bins."""
        state = self.state
        total, weight = state.overall
        if weight == 0.0:
            return float(state.count)
        if not self._settings.by_hour:
            return total / weight
        hour_total, hour_weight = state.hours[at // self._per_hour % 24]
        return (hour_total + self._per_hour * total / weight) / (hour_weight + self._per_hour)

    def _judge(self, hour: int) -> float:
        state, settings = self.state, self._settings
        self._expire(hour)
        if state.seen < settings.warm_up * self._per_day or not self._news(state.ratio):
            return 0.0
        return self._rarity(state.ratio)

    def _rarity(self, ratio: float) -> float:
        state = self.state
        if ratio <= state.quantile:
            return 0.0
        return (ratio - state.quantile) / state.excess - math.log(self._settings.tail)

    def _news(self, ratio: float) -> bool:
        tops, margin = self.state.tops, self._settings.margin
        return margin is None or not tops or ratio > tops[0][1] + margin

    def _expire(self, hour: int) -> None:
        state = self.state
        while state.tops and state.tops[0][0] <= hour - 24:
            state.tops.pop(0)

    def _close(self, at: int, count: int, k: float) -> None:
        """Learn a bin that is over."""
        state, settings = self.state, self._settings
        ratio = self._ratio(at, count)
        if settings.margin is not None:
            self._remember(at // self._per_hour, ratio, settings.margin)
        self._learn_tail(ratio)
        state.level = self._average(count)
        bounded = min(float(count), settings.most * self._normal(at) + _TEN)
        hour, (keep, keep_hour) = at // self._per_hour % 24, self._decay
        state.overall = _faded(state.overall, keep, bounded)
        state.hours[hour] = _faded(state.hours[hour], keep_hour, bounded)
        state.seen += 1
        state.recent.append((count, k))
        if len(state.recent) >= settings.span:
            state.recent.pop(0)

    def _remember(self, hour: int, ratio: float, margin: float) -> None:
        """Keep what later ratios must top.

        A ratio above the last top, but not by the margin, is no news and raises no bar: otherwise
        a surge that grows slowly would never be reported.
        """
        state = self.state
        self._expire(hour)
        if state.tops and state.tops[0][1] < ratio <= state.tops[0][1] + margin:
            return
        while state.tops and state.tops[-1][1] <= ratio:
            state.tops.pop()
        if not state.tops or state.tops[-1][0] != hour:
            state.tops.append((hour, ratio))

    def _learn_tail(self, ratio: float) -> None:
        state, settings = self.state, self._settings
        above = ratio > state.quantile
        beyond = ratio - state.quantile
        # The density at the quantile of an exponential tail is tail / excess.
        step = state.excess / settings.tail / (min(state.seen, self._remembered) + 5 * _CAUTION)
        # Without a margin the bins of one surge hold the same comments, so each counts as a part
        # of one: or days of attention would hide the next surge for months.
        surge = settings.margin is None and self._rarity(ratio) >= settings.threshold
        part = 1.0 / settings.span if surge else 1.0
        state.quantile += step * part * (above - settings.tail)
        if above:
            state.over += 1
            weight = min(state.over, self._remembered * settings.tail) + _CAUTION
            change = min(beyond, _WILDEST * state.excess) - state.excess
            state.excess += part * change / weight


def _faded(mean: _Mean, keep: float, count: float) -> _Mean:
    total, weight = mean
    return total * keep + count, weight * keep + 1.0


register(
    DetectorType(
        name="volume_surge",
        family=AlertFamily.ATTENTION,
        state=VolumeSurgeState,
        minutes=partial(VolumeSurge, ATTENTION),
    )
)
