"""A budget of requests that is spent before each is sent, so that it can never be passed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from serving.clock import Clock
from serving.sources.faults import QuotaSpent
from serving.sources.quota_period import QuotaPeriod


@dataclass(frozen=True, slots=True)
class QuotaBudget:
    """How much a source may spend.

    Attributes:
        units: in a period: requests, the platform's own units, posts that are read, or cents.
        period: after which it begins anew.
        unit: what people call a unit, in the plural: "units", "requests", "US cents".
    """

    units: int
    period: QuotaPeriod
    unit: str = "requests"


class QuotaStore(Protocol):
    """Keeps what was spent."""

    async def spend(
        self, source_id: str, units: int, *, most: int, period_start: datetime
    ) -> int | None:
        """Add units to what was spent in a period, and commit that.

        Returns:
            What is left; None, and nothing is added, if it would be more than `most`.
        """
        ...

    async def spent(self, source_id: str, period_start: datetime) -> int:
        """What was spent in a period."""
        ...


class Quota:
    """What one source may spend and has spent; a restart changes nothing of it.

    Attributes:
        budget: how much; None without a bound.
        left: units that are left of the budget, or that the platform says are left; None if
            neither is known yet.
    """

    def __init__(
        self, source_id: str, budget: QuotaBudget | None, store: QuotaStore, clock: Clock
    ) -> None:
        self._source_id = source_id
        self.budget = budget
        self._store = store
        self._clock = clock
        self.left: int | None = None

    async def spend(self, units: int = 1) -> None:
        """Spend units; call it before the request that costs them.

        A request that fails has cost them all the same: platforms count it.

        Raises:
            QuotaSpent: the budget does not have them; nothing may be sent.
        """
        if self.budget is None or units <= 0:
            return
        now = self._clock.now()
        start, end = self.budget.period.around(now)
        left = await self._store.spend(
            self._source_id, units, most=self.budget.units, period_start=start
        )
        if left is None:
            spent = await self._store.spent(self._source_id, start)
            self.left = max(self.budget.units - spent, 0)
            raise QuotaSpent(
                f"the budget of {self.budget.units:,} {self.budget.unit} a"
                f" {self.budget.period.name} is spent",
                until=end,
                retry_after=(end - now).total_seconds(),
            )
        self.left = left

    async def remaining(self) -> int | None:
        """Units that are left of the budget now; None without one."""
        if self.budget is None:
            return self.left
        start, _ = self.budget.period.around(self._clock.now())
        self.left = max(self.budget.units - await self._store.spent(self._source_id, start), 0)
        return self.left

    def observe(self, left: int) -> None:
        """Note what the platform says is left, for those without a budget of their own."""
        if self.budget is None:
            self.left = left


class MemoryQuotaStore:
    """Keeps what was spent in memory; for tests and for previews."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, datetime], int] = {}

    async def spend(
        self, source_id: str, units: int, *, most: int, period_start: datetime
    ) -> int | None:
        """Add units; what is left, or None."""
        spent = self._spent.get((source_id, period_start), 0) + units
        if spent > most:
            return None
        self._spent[source_id, period_start] = spent
        return most - spent

    async def spent(self, source_id: str, period_start: datetime) -> int:
        """What was spent in a period."""
        return self._spent.get((source_id, period_start), 0)
