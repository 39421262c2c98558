"""How often something may be done.

It counts on the monotonic clock: a limit that counts on the host's clock refuses for hours after
that clock was ahead for a moment.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class RateLimiter:
    """A token bucket for each name: all of a minute's tokens at once, then as they come back.

    The names that were not used for longest are dropped first; one that is dropped starts anew.
    """

    def __init__(
        self,
        per_minute: int,
        *,
        most_names: int = 10_000,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with full buckets.

        Args:
            per_minute: how often each name may do it in a minute.
            most_names: how many names are known at once.
            steady: reads a clock that nobody can set, in seconds.
        """
        self._per_minute = per_minute
        self._most_names = most_names
        self._steady = steady
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str) -> float:
        """Take a token. Returns 0, or the seconds to wait if there is none."""
        bucket = self._refilled(name)
        if bucket.left < 1:
            return (1 - bucket.left) * 60 / self._per_minute
        bucket.left -= 1
        return 0.0

    def _refilled(self, name: str) -> _Bucket:
        now = self._steady()
        bucket = self._buckets.pop(name, None) or _Bucket(self._per_minute, now)
        self._buckets[name] = bucket
        if len(self._buckets) > self._most_names:
            self._buckets.popitem(last=False)
        gained = (now - bucket.at) * self._per_minute / 60
        bucket.left, bucket.at = min(self._per_minute, bucket.left + gained), now
        return bucket
