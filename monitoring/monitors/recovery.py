"""Whether an incident is over: what an open alert watches."""

import math
from typing import Any

_SHRINK = 8.0  # comments at the usual share that a young incident is diluted with
_LEAK = 1.0  # most evidence, in nats, that one minute may bring
_BACK = 5.0  # nats at which the share is back at its usual
_CALM = 3.0  # nats at which the volume of what matters is back


class Recovery:
    """Two sums of evidence for "it is over": by the share of comments, and by their absence.

    The share's CUSUM sets the usual share against the one half-way (in log-odds) to the
    incident's. The absence compares, hour by hour, Poisson counts at the usual rate with half the
    incident's mean rate, so that silence ends an incident of a KOL whose comments stop. Minutes
    that were not heard count for neither.
    """

    __slots__ = ("_absence", "_hit", "_k", "_miss", "_n", "_share", "_start", "_until", "_usual")

    def __init__(self) -> None:
        self._share = 0.0
        self._absence = 0.0
        self._hit = 0.0
        self._miss = 0.0
        self._n = 0
        self._k = 0.0
        self._start = 0
        self._until = 0
        self._usual = 0.5

    def begin(self, start: int, n: int, k: float, usual: float) -> None:
        """An incident was declared.

        Args:
            start: minute of its onset.
            n: comments since.
            k: of which matter.
            usual: the share that is normal.
        """
        self._usual = usual
        self._share = 0.0
        self._absence = 0.0
        self._start, self._n, self._k = start, n, k
        self._until = 0
        self._aim()

    def _aim(self) -> None:
        """Set the half-way share from what the incident has shown so far."""
        usual = self._usual
        fit = (self._k + _SHRINK * usual) / (self._n + _SHRINK)
        fit = min(max(fit, usual + 0.02), 0.98)
        middle = (math.log(usual / (1 - usual)) + math.log(fit / (1 - fit))) / 2
        half = 1 / (1 + math.exp(-middle))
        self._hit = math.log(usual / half)
        self._miss = math.log((1 - usual) / (1 - half))

    def learn_one(self, n: int, k: float) -> None:
        """Take one minute with comments."""
        self._n += n
        self._k += k
        step = k * self._hit + (n - k) * self._miss
        self._share = max(0.0, self._share + min(max(step, -_LEAK), _LEAK))

    def learn_hour(
        self, hour_end: int, k: float, usual: float, observed_span: tuple[int, int]
    ) -> None:
        """Take one closed hour.

        Args:
            hour_end: its end, in minutes since 1970 UTC.
            k: comments that matter in it.
            usual: how many are usual.
            observed_span: minutes from and up to which nothing was missed: this hour, mostly, less
                a silence at its end that is doubted, and with an earlier one that no longer is.
        """
        self._aim()
        since, until = observed_span
        if self._until and since > self._until:  # nobody knows what the minutes between held
            self._start += since - self._until
        self._until = until
        listened = max(until - max(since, min(self._start, hour_end - 60)), 0) / 60
        hours = max((hour_end - self._start) / 60, 1.0)
        high = self._k / hours / 2
        low = max(1.3 * usual, 0.2 * high)
        if high > low:
            self._absence = max(
                0.0, self._absence + (high - low) * listened - k * math.log(high / low)
            )

    @property
    def complete(self) -> bool:
        """Whether the stream is back at its usual."""
        return self._share >= _BACK or self._absence >= _CALM

    @property
    def share(self) -> float:
        """Share of the comments that matter since the incident began, in [0, 1]."""
        return self._k / self._n if self._n else 0.0

    def state(self) -> list[Any]:
        """Everything it knows, as JSON-able values."""
        return [
            self._share,
            self._absence,
            self._hit,
            self._miss,
            self._n,
            self._k,
            self._start,
            self._until,
            self._usual,
        ]

    def load(self, state: list[Any]) -> None:
        """Become what `state` returned."""
        (
            self._share,
            self._absence,
            self._hit,
            self._miss,
            self._n,
            self._k,
            self._start,
            self._until,
            self._usual,
        ) = state
