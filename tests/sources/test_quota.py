"""A budget can never be passed, whatever happens between two requests."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from serving.clock import TestClock
from serving.sources.faults import QuotaSpent
from serving.sources.quota import MemoryQuotaStore, Quota, QuotaBudget
from serving.sources.quota_period import PeriodLength, QuotaPeriod
from serving.storage.database import Database
from serving.storage.source_store import SourceStore
from tests.serving.conftest import NewUrl

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)


async def test_a_budget_is_never_passed_and_survives_a_restart(new_url: NewUrl) -> None:
    url, clock = new_url(), TestClock(NOW)
    budget = QuotaBudget(10, QuotaPeriod())
    database = Database(url)
    quota = Quota("s1", budget, SourceStore(database), clock)
    await asyncio.gather(*(quota.spend(3) for _ in range(3)))
    assert quota.left == 1
    await database.close()
    again = Database(url)
    quota = Quota("s1", budget, SourceStore(again), clock)
    assert await quota.remaining() == 1
    with pytest.raises(QuotaSpent) as found:
        await quota.spend(2)  # all or nothing
    assert found.value.until == NOW.replace(day=1, month=12, hour=0)
    assert found.value.retry_after == timedelta(hours=10).total_seconds()
    await quota.spend(1)
    with pytest.raises(QuotaSpent):
        await quota.spend()
    with pytest.raises(QuotaSpent):
        await Quota("s2", budget, SourceStore(again), clock).spend(11)
    clock.advance(timedelta(hours=10))
    await quota.spend(10)
    assert await quota.remaining() == 0
    await again.close()


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        (QuotaPeriod(), "2026-11-30T00:00Z", "2026-12-01T00:00Z"),
        (QuotaPeriod(PeriodLength.HOUR), "2026-11-30T14:00Z", "2026-11-30T15:00Z"),
        (QuotaPeriod(PeriodLength.MONTH), "2026-11-01T00:00Z", "2026-12-01T00:00Z"),
        (
            QuotaPeriod(timezone="America/Los_Angeles"),
            "2026-11-30T08:00Z",
            "2026-12-01T08:00Z",
        ),
    ],
)
def test_a_period_is_that_of_the_platform(period: QuotaPeriod, start: str, end: str) -> None:
    expected = (datetime.fromisoformat(start), datetime.fromisoformat(end))
    assert period.around(NOW + timedelta(minutes=7)) == expected


async def test_without_a_budget_the_platform_says_what_is_left() -> None:
    quota = Quota("s1", None, MemoryQuotaStore(), TestClock(NOW))
    await quota.spend(1_000_000)
    quota.observe(42)
    assert quota.left == 42
