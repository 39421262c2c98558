"""Whether an incident is over: the evidence that resolves an open alert."""

import math

import msgspec

_SHRINK = 8.0  # comments at the normal share that a young incident is diluted with
_LEAK = 1.0  # most evidence, in nats, that one minute may bring
_BACK = 5.0  # nats at which the share is back to normal
_CALM = 3.0  # nats at which the volume of what matters is back


class Recovery(msgspec.Struct, array_like=True):
    """Two sums of evidence for "it is over": by the share of comments, and by their absence.

    The share's CUSUM sets the normal share against the one half-way (in log-odds) to the
    incident's. The absence compares, hour by hour, Poisson counts at the normal rate with half the
    incident's mean rate, so that silence ends an incident of a KOL whose comments stop. Minutes
    that were missed count for neither.

    Attributes:
        by_share: evidence, in nats, that the share is back …
        by_absence: … and that the volume is.
        hit: step of the share's CUSUM for a comment that matters …
        miss: … and for one that does not.
        n: comments since the onset …
        k: … and of them what matters.
        start: minute of the onset; later where minutes were missed since.
        until: minute up to which hours were taken; 0 before the first.
        normal: the normal share.
    """

    by_share: float = 0.0
    by_absence: float = 0.0
    hit: float = 0.0
    miss: float = 0.0
    n: int = 0
    k: float = 0.0
    start: int = 0
    until: int = 0
    normal: float = 0.5

    def begin(self, start: int, n: int, k: float, normal: float) -> None:
        """An incident was declared.

        Args:
            start: minute of its onset.
            n: comments since.
            k: of which matter.
            normal: the share that is normal.
        """
        self.normal = normal
        self.by_share = 0.0
        self.by_absence = 0.0
        self.start, self.n, self.k = start, n, k
        self.until = 0
        self._aim()

    def _aim(self) -> None:
        """Set the half-way share from what the incident has shown so far."""
        normal = self.normal
        fit = (self.k + _SHRINK * normal) / (self.n + _SHRINK)
        fit = min(max(fit, normal + 0.02), 0.98)
        middle = (math.log(normal / (1 - normal)) + math.log(fit / (1 - fit))) / 2
        half = 1 / (1 + math.exp(-middle))
        self.hit = math.log(normal / half)
        self.miss = math.log((1 - normal) / (1 - half))

    def learn_one(self, n: int, k: float) -> None:
        """Take one minute with comments."""
        self.n += n
        self.k += k
        step = k * self.hit + (n - k) * self.miss
        self.by_share = max(0.0, self.by_share + min(max(step, -_LEAK), _LEAK))

    def learn_hour(
        self, hour_end: int, k: float, normal: float, observed_span: tuple[int, int]
    ) -> None:
        """Take one closed hour.

        Args:
            hour_end: its end, in minutes since 1970 UTC.
            k: comments that matter in it.
            normal: how many are normal.
            observed_span: minutes from and up to which nothing was missed: this hour, mostly, less
                a silence at its end that is doubted, and with an earlier one that no longer is.
        """
        self._aim()
        since, until = observed_span
        if self.until and since > self.until:  # nobody knows what the minutes between held
            self.start += since - self.until
        self.until = until
        observed = max(until - max(since, min(self.start, hour_end - 60)), 0) / 60
        hours = max((hour_end - self.start) / 60, 1.0)
        high = self.k / hours / 2
        low = max(1.3 * normal, 0.2 * high)
        if high > low:
            self.by_absence = max(
                0.0, self.by_absence + (high - low) * observed - k * math.log(high / low)
            )

    def conclude(self) -> None:
        """The monitor has seen by a rule of its own that the stream is back to normal."""
        self.by_absence = max(self.by_absence, _CALM)

    @property
    def complete(self) -> bool:
        """Whether the stream is back to normal."""
        return self.by_share >= _BACK or self.by_absence >= _CALM

    @property
    def share(self) -> float:
        """Share of the comments that matter since the incident began, in [0, 1]."""
        return self.k / self.n if self.n else 0.0
