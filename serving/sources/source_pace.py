"""How often a platform may be asked so that the quota lasts until its period ends."""

from datetime import timedelta

from serving.clock import Clock
from serving.sources.quota import Quota

_SPARE = 0.3  # of the units that history and old threads leave for what is new
_SHARE = 0.5  # of the units left that one kind of request may plan with
_LONGEST = timedelta(minutes=10)


class SourcePace:
    """Spreads what is left of a quota over what is left of its period."""

    def __init__(self, quota: Quota, clock: Clock) -> None:
        """Prepare.

        Args:
            quota: of the source.
            clock: for the time.
        """
        self._quota = quota
        self._clock = clock

    async def has_spare(self) -> bool:
        """Whether there are units for what can wait until tomorrow."""
        budget, left = self._quota.budget, await self._quota.remaining()
        return budget is None or left is None or left > budget.units * _SPARE

    async def interval(
        self, least: timedelta, cost: int, *, within: timedelta = timedelta(days=1)
    ) -> timedelta:
        """The shortest interval at which the quota lasts.

        Args:
            least: the shortest one wanted.
            cost: units of a request.
            within: how long it will go on at most, such as a live chat.
        """
        budget, left = self._quota.budget, await self._quota.remaining()
        if budget is None or not left:
            return least
        _, end = budget.period.around(self._clock.now())
        lasts = min(end - self._clock.now(), within) * cost / (left * _SHARE)
        return min(max(least, lasts), _LONGEST)
