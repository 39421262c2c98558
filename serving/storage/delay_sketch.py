"""How late comments arrive, as a histogram that forgets: small enough to store with every step."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

HORIZON = 7 * 24 * 3600.0  # seconds; a comment that is older when it arrives is history
_RATIO = 1.2  # of a bin's upper edge to its lower; the first bin ends at one second
_MEMORY = 3 * 24.0  # hours after which a weight is 1/e; after a week it is less than a tenth
_KNOWN = 2.5  # three hours of receipt, a little faded
_LEAST = 1e-4  # a smaller weight is dropped
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class DelaySketch:
    """Delays by bin. Each hour in which comments arrive weighs the same.

    So a history that is sent in one go says no more than a single poll, and a busy evening no more
    than a quiet morning.

    Attributes:
        hour: the last hour of receipt, since 1970.
        counts: the comments that arrived in that hour, by bin.
        weights: the share of each bin in the hours before, faded and summed.
    """

    hour: int = 0
    counts: Mapping[int, int] = field(default_factory=dict)
    weights: Mapping[int, float] = field(default_factory=dict)

    def with_delays(self, hour: int, seconds: Iterable[float]) -> "DelaySketch":
        """The sketch after comments arrived.

        Args:
            hour: in which they arrived, since 1970; one before `self.hour` counts as that.
            seconds: their delays.
        """
        counts = Counter(_bin(one) for one in seconds)
        if hour <= self.hour:
            return DelaySketch(self.hour, Counter(self.counts) + counts, self.weights)
        return DelaySketch(hour, counts, self._faded(hour))

    @property
    def known(self) -> bool:
        """Whether enough hours were seen to call a delay usual."""
        return sum(self.weights.values()) + bool(self.counts) >= _KNOWN

    def quantile(self, share: float) -> float:
        """The delay, in seconds, that this share of the comments does not exceed; 0 if empty.

        Args:
            share: between 0 and 1.
        """
        shares = sorted(self._shares())
        missing = share * sum(weight for _, weight in shares)
        for number, weight in shares:
            if weight >= missing:
                lower, upper = _edges(number)
                return lower + (upper - lower) * missing / weight
            missing -= weight
        return _edges(shares[-1][0])[1] if shares else 0.0

    def _shares(self) -> Iterator[tuple[int, float]]:
        """The weight of each bin, with the last hour weighing as much as any other."""
        total = sum(self.counts.values())
        for number in self.weights.keys() | self.counts.keys():
            share = self.counts[number] / total if number in self.counts else 0.0
            yield number, self.weights.get(number, 0.0) + share

    def _faded(self, hour: int) -> dict[int, float]:
        """The weights at the beginning of a later hour."""
        fading = math.exp(-(hour - self.hour) / _MEMORY)
        weights = {number: round(share * fading, _DIGITS) for number, share in self._shares()}
        return {number: weight for number, weight in weights.items() if weight >= _LEAST}


def _bin(seconds: float) -> int:
    if seconds < 1:
        return 0
    return 1 + int(math.log(min(seconds, HORIZON)) / math.log(_RATIO))


def _edges(number: int) -> tuple[float, float]:
    return (0.0, 1.0) if number == 0 else (_RATIO ** (number - 1), _RATIO**number)
