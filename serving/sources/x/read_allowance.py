"""Posts that may be read, because they are already counted against the cap.

X bills each post that it sends. What a request can bring is spent before it is sent, in the
store of quotas, so that a kill at any instant leaves more spent than read, never less.
"""

import asyncio

from serving.sources.faults import QuotaSpent
from serving.sources.quota import Quota


class ReadAllowance:
    """Units of the cap that are spent and not used yet.

    Attributes:
        unused: how many. What is left of an answer serves the next request; it ends with the
            process.
    """

    def __init__(self, quota: Quota) -> None:
        self.unused = 0
        self._quota = quota
        self._spending = asyncio.Lock()

    async def take(self, posts: int) -> None:
        """Take units out, for a request that can bring so many; `give_back` what it did not bring.

        Raises:
            QuotaSpent: the cap does not have them; nothing may be asked.
        """
        async with self._spending:
            missing = max(posts - self.unused, 0)
            if missing:
                try:
                    await self._quota.spend(missing)
                except QuotaSpent as fault:
                    raise _until_new_month(fault) from None
            self.unused += missing - posts

    def give_back(self, posts: int) -> None:
        """Keep units of an answer that brought less than was taken for it."""
        self.unused += max(posts, 0)


def _until_new_month(fault: QuotaSpent) -> QuotaSpent:
    day = "" if fault.until is None else f"; X is read again on {fault.until:%d %B %Y} (UTC)"
    return QuotaSpent(
        f"{fault}{day}",
        remedy="raise monthly_posts and monthly_spend in the source's settings, or wait for the"
        " new month",
        retry_after=fault.retry_after,
        until=fault.until,
    )
