"""A volume higher than normal at its hour, than its own tail and than the last day.

Three questions, each answered from the KOL's own stream. How much more than normal at this hour: a
moving average of the count over the normal one, as a log ratio. How rare is that: above a high
quantile, ratios are taken to be exponential, and both the quantile (Robbins and Monro 1951, at the
step that is asymptotically best) and the mean excess are learnt; this is the exponential case of
the peaks-over-threshold method (Siffer et al. 2017). And is it news: only a ratio that tops what
the last 24 hours brought says anything, so the plateau and the tail of a surge are silent.
"""

import math
from typing import Annotated

import msgspec

STEP = 5  # minutes a bin
_PER_HOUR = 60 // STEP
_PER_DAY = 24 * _PER_HOUR
_FEW = 3.0  # comments added to both sides of a ratio: none against one is no surge
_WILDEST = 5.0  # mean excesses at which one excess is cut before it is learnt
_CAUTION = 10.0  # excesses that the first guess of their mean counts for


_Mean = tuple[float, float]  # a faded sum and its weight


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


class VolumeSurge:
    """Surge of comments, of whatever mood.

    Minutes are gathered in bins of `STEP` minutes; the open bin is judged as it fills. Minutes that
    are left out count as empty.

    Attributes:
        name: the detector's name in evidence.
        state: what it has seen and learnt.

    Args:
        span: bins the moving average covers (its centre of mass is half of that).
        memory: days that the normal volume and the tail remember.
        margin: how far a ratio must top the last 24 hours', in log units; 0.3 is a third louder.
        tail: share of the bins that lie in the tail, in (0, 1).
        state: what an earlier one saw; None starts afresh.
    """

    name = "volume_surge"
    __slots__ = ("_decay", "_gain", "_margin", "_remembered", "_tail", "state")

    def __init__(
        self,
        span: int = 18,
        memory: float = 7.0,
        margin: float = 0.3,
        tail: float = 0.02,
        state: VolumeSurgeState | None = None,
    ) -> None:
        self._gain = 2.0 / (span + 1)
        self._remembered = int(memory * _PER_DAY)
        # The mean of all bins, and that of one hour of the day, which meets _PER_HOUR bins a day.
        self._decay = (1.0 - 1.0 / self._remembered, 1.0 - 1.0 / (memory * _PER_HOUR))
        self._margin = margin
        self._tail = tail
        self.state = VolumeSurgeState() if state is None else state

    def learn_one(self, minute: int, n: int, k: float = 0.0, excess: float = 0.0) -> None:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC; later than every one before.
            n: comments in it.
            k: sum of the probability that matters; volume does not ask.
            excess: comments beyond the normal volume; learnt here on its own.
        """
        state = self.state
        at = minute // STEP
        if state.bin is None:
            state.bin = at
        elif at > state.bin:
            self._close(state.bin, state.count)
            for empty in range(max(state.bin + 1, at - self._remembered), at):
                self._close(empty, 0)
            state.bin, state.count = at, 0
        state.count += n
        state.ratio = self._ratio(at, state.count)
        state.score = self._judge(at // _PER_HOUR)

    def score_one(self) -> float:
        """Rarity of the open bin in nats, -log of the share of bins as loud; 0 where it is no news.

        Nothing is said before a day has been seen.
        """
        return self.state.score

    def _ratio(self, at: int, count: int) -> float:
        return math.log((self._average(count) + _FEW) / (self._normal(at) + _FEW))

    def _average(self, count: int) -> float:
        state = self.state
        level = state.level
        return float(count) if level is None else level + self._gain * (count - level)

    def _normal(self, at: int) -> float:
        """Normal count of a bin at this hour, shrunk to that of any hour by one day's bins."""
        state = self.state
        total, weight = state.overall
        if weight == 0.0:
            return float(state.count)
        hour_total, hour_weight = state.hours[at // _PER_HOUR % 24]
        return (hour_total + _PER_HOUR * total / weight) / (hour_weight + _PER_HOUR)

    def _judge(self, hour: int) -> float:
        state = self.state
        self._expire(hour)
        if state.seen < _PER_DAY or state.ratio <= state.quantile or not self._news(state.ratio):
            return 0.0
        return (state.ratio - state.quantile) / state.excess - math.log(self._tail)

    def _news(self, ratio: float) -> bool:
        state = self.state
        return not state.tops or ratio > state.tops[0][1] + self._margin

    def _expire(self, hour: int) -> None:
        state = self.state
        while state.tops and state.tops[0][0] <= hour - 24:
            state.tops.pop(0)

    def _close(self, at: int, count: int) -> None:
        """Learn a bin that is over."""
        state = self.state
        ratio = self._ratio(at, count)
        self._remember(at // _PER_HOUR, ratio)
        self._learn_tail(ratio)
        state.level = self._average(count)
        hour, (keep, keep_hour) = at // _PER_HOUR % 24, self._decay
        state.overall = _faded(state.overall, keep, count)
        state.hours[hour] = _faded(state.hours[hour], keep_hour, count)
        state.seen += 1

    def _remember(self, hour: int, ratio: float) -> None:
        """Keep what later ratios must top.

        A ratio above the last top, but not by the margin, is no news and raises no bar: otherwise
        a surge that grows slowly would never be reported.
        """
        state = self.state
        self._expire(hour)
        if state.tops and state.tops[0][1] < ratio <= state.tops[0][1] + self._margin:
            return
        while state.tops and state.tops[-1][1] <= ratio:
            state.tops.pop()
        if not state.tops or state.tops[-1][0] != hour:
            state.tops.append((hour, ratio))

    def _learn_tail(self, ratio: float) -> None:
        state = self.state
        above = ratio > state.quantile
        beyond = ratio - state.quantile
        # The density at the quantile of an exponential tail is tail / excess.
        step = state.excess / self._tail / (min(state.seen, self._remembered) + 5 * _CAUTION)
        state.quantile += step * (above - self._tail)
        if above:
            state.over += 1
            weight = min(state.over, self._remembered * self._tail) + _CAUTION
            state.excess += (min(beyond, _WILDEST * state.excess) - state.excess) / weight


def _faded(mean: _Mean, keep: float, count: int) -> _Mean:
    total, weight = mean
    return total * keep + count, weight * keep + 1.0
