"""A volume louder than its hour, than its own tail and than the last day.

Three questions, each answered from the KOL's own stream. How much more than usual at this hour: a
moving average of the count over the usual one, as a log ratio. How rare is that: above a high
quantile, ratios are taken to be exponential, and both the quantile (Robbins and Monro 1951, at the
step that is asymptotically best) and the mean excess are learnt; this is the exponential case of
the peaks-over-threshold method (Siffer et al. 2017). And is it news: only a ratio that tops what
the last 24 hours brought says anything, so the plateau and the tail of a surge are silent.
"""

import math
from collections import deque
from typing import Any

STEP = 5  # minutes a bin
_PER_HOUR = 60 // STEP
_PER_DAY = 24 * _PER_HOUR
_FEW = 3.0  # comments added to both sides of a ratio: none against one is no surge
_WILDEST = 5.0  # mean excesses at which one excess is cut before it is learnt
_CAUTION = 10.0  # excesses that the first guess of their mean counts for


class VolumeSurge:
    """Surge of comments, of whatever mood.

    Minutes are gathered in bins of `STEP` minutes; the open bin is judged as it fills. Minutes that
    are left out count as empty.

    Attributes:
        name: the detector's name in evidence.
        ratio: log of the moving average over the usual at this hour, of the open bin.

    Args:
        span: bins the moving average covers (its centre of mass is half of that).
        memory: days that the usual and the tail remember.
        margin: how far a ratio must top the last 24 hours', in log units; 0.3 is a third louder.
        tail: share of the bins that lie in the tail, in (0, 1).
    """

    name = "volume_surge"
    __slots__ = (
        "_bin",
        "_count",
        "_decay",
        "_excess",
        "_gain",
        "_hours",
        "_level",
        "_margin",
        "_over",
        "_overall",
        "_quantile",
        "_remembered",
        "_score",
        "_seen",
        "_tail",
        "_tops",
        "ratio",
    )

    def __init__(
        self, span: int = 18, memory: float = 7.0, margin: float = 0.3, tail: float = 0.02
    ) -> None:
        self._gain = 2.0 / (span + 1)
        self._remembered = int(memory * _PER_DAY)
        # The mean of all bins, and that of one hour of the day, which meets _PER_HOUR bins a day.
        self._decay = (1.0 - 1.0 / self._remembered, 1.0 - 1.0 / (memory * _PER_HOUR))
        self._margin = margin
        self._tail = tail
        self._bin: int | None = None
        self._count = 0
        self._seen = 0
        self._level: float | None = None
        self._overall = [0.0, 0.0]  # faded sum and weight of the bins' counts
        self._hours = [[0.0, 0.0] for _ in range(24)]  # the same for each hour of the day, UTC
        self._quantile = 0.0
        self._excess = 0.5
        self._over = 0
        self._tops: deque[tuple[int, float]] = deque()  # falling ratios and their hours
        self._score = 0.0
        self.ratio = 0.0

    def learn_one(self, minute: int, n: int, k: float = 0.0, excess: float = 0.0) -> None:
        """Take one minute.

        Args:
            minute: minutes since 1970 UTC; later than every one before.
            n: comments in it.
            k: sum of the probability that matters; volume does not ask.
            excess: comments beyond the usual volume; learnt here on its own.
        """
        at = minute // STEP
        if self._bin is None:
            self._bin = at
        elif at > self._bin:
            self._close(self._bin, self._count)
            for empty in range(max(self._bin + 1, at - self._remembered), at):
                self._close(empty, 0)
            self._bin, self._count = at, 0
        self._count += n
        self.ratio = self._ratio(at, self._count)
        self._score = self._judge(at // _PER_HOUR)

    def score_one(self) -> float:
        """Rarity of the open bin in nats, -log of the share of bins as loud; 0 where it is no news.

        Nothing is said before a day has been seen.
        """
        return self._score

    def _ratio(self, at: int, count: int) -> float:
        return math.log((self._average(count) + _FEW) / (self._usual(at) + _FEW))

    def _average(self, count: int) -> float:
        return count if self._level is None else self._level + self._gain * (count - self._level)

    def _usual(self, at: int) -> float:
        """Usual count of a bin at this hour, shrunk to that of any hour by one day's bins."""
        total, weight = self._overall
        if weight == 0.0:
            return float(self._count)
        hour_total, hour_weight = self._hours[at // _PER_HOUR % 24]
        return (hour_total + _PER_HOUR * total / weight) / (hour_weight + _PER_HOUR)

    def _judge(self, hour: int) -> float:
        self._expire(hour)
        if self._seen < _PER_DAY or self.ratio <= self._quantile or not self._news(self.ratio):
            return 0.0
        return (self.ratio - self._quantile) / self._excess - math.log(self._tail)

    def _news(self, ratio: float) -> bool:
        return not self._tops or ratio > self._tops[0][1] + self._margin

    def _expire(self, hour: int) -> None:
        while self._tops and self._tops[0][0] <= hour - 24:
            self._tops.popleft()

    def _close(self, at: int, count: int) -> None:
        """Learn a bin that is over."""
        ratio = self._ratio(at, count)
        self._remember(at // _PER_HOUR, ratio)
        self._learn_tail(ratio)
        self._level = self._average(count)
        hours = self._hours[at // _PER_HOUR % 24]
        for sums, keep in zip((self._overall, hours), self._decay, strict=True):
            sums[0] = sums[0] * keep + count
            sums[1] = sums[1] * keep + 1.0
        self._seen += 1

    def _remember(self, hour: int, ratio: float) -> None:
        """Keep what later ratios must top.

        A ratio above the last top, but not by the margin, is no news and raises no bar: otherwise
        a surge that grows slowly would never be told.
        """
        self._expire(hour)
        if self._tops and self._tops[0][1] < ratio <= self._tops[0][1] + self._margin:
            return
        while self._tops and self._tops[-1][1] <= ratio:
            self._tops.pop()
        if not self._tops or self._tops[-1][0] != hour:
            self._tops.append((hour, ratio))

    def _learn_tail(self, ratio: float) -> None:
        above = ratio > self._quantile
        beyond = ratio - self._quantile
        # The density at the quantile of an exponential tail is tail / excess.
        step = self._excess / self._tail / (min(self._seen, self._remembered) + 5 * _CAUTION)
        self._quantile += step * (above - self._tail)
        if above:
            self._over += 1
            weight = min(self._over, self._remembered * self._tail) + _CAUTION
            self._excess += (min(beyond, _WILDEST * self._excess) - self._excess) / weight

    def state(self) -> dict[str, Any]:
        """Everything it knows, as JSON-able values."""
        return {
            "open": [self._bin, self._count, self.ratio, self._score],
            "level": [self._seen, self._level, *self._overall],
            "hours": [list(hour) for hour in self._hours],
            "tail": [self._quantile, self._excess, self._over],
            "tops": [list(top) for top in self._tops],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Become what `state` returned."""
        self._bin, self._count, self.ratio, self._score = state["open"]
        self._seen, self._level, *overall = state["level"]
        self._overall = list(overall)
        self._hours = [list(hour) for hour in state["hours"]]
        self._quantile, self._excess, self._over = state["tail"]
        self._tops = deque((hour, ratio) for hour, ratio in state["tops"])
