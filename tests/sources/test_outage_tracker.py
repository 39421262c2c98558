"""When a source counts as blind, and when it sees again."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serving.sources.faults import (
    BadAnswer,
    PlatformBusy,
    PlatformUnavailable,
    QuotaSpent,
    SourceFault,
    SubscriptionLost,
    TokenExpired,
)
from serving.sources.outage_tracker import OutageTracker
from serving.storage.database import Database
from serving.storage.outage_store import OutageStore
from serving.storage.source_record import SourceRecord

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def record() -> SourceRecord:
    return SourceRecord("s1", "toy", "Robot", "lena", "toy", {}, None, "t", 1, None, "mai", NOW)


@pytest.fixture
async def store(empty: Path, tmp_path: Path) -> AsyncIterator[OutageStore]:
    database = Database(f"sqlite:///{shutil.copy(empty, tmp_path / 'test.db')}")
    yield OutageStore(database)
    await database.close()


@pytest.mark.parametrize("fault", [TokenExpired("x"), QuotaSpent("x"), SubscriptionLost("x")])
async def test_what_does_not_pass_is_reported_at_once(
    store: OutageStore, fault: SourceFault
) -> None:
    tracker = OutageTracker(record(), store)
    await tracker.succeeded("poll", NOW)
    await tracker.failed("poll", fault, NOW + 20 * SECOND)
    (outage,) = await store.page(before=None, limit=10)
    assert (outage.kind, outage.since, outage.ended_at) == (fault.kind, NOW, None)
    assert outage.remedy == fault.remedy


@pytest.mark.parametrize("fault", [PlatformUnavailable("x"), PlatformBusy("x"), BadAnswer("x")])
async def test_what_may_pass_is_reported_once_it_lasts(
    store: OutageStore, fault: SourceFault
) -> None:
    tracker = OutageTracker(record(), store)
    await tracker.succeeded("poll", NOW)
    await tracker.failed("poll", fault, NOW + SECOND)
    await tracker.look(NOW + 60 * SECOND)
    assert await store.page(before=None, limit=10) == []
    await tracker.look(NOW + 61 * SECOND)  # also if nobody tried again
    (outage,) = await store.page(before=None, limit=10)
    assert outage.opened_at - outage.since < timedelta(minutes=2)


async def test_it_ends_once_every_part_works_and_counts_what_came_late(
    store: OutageStore,
) -> None:
    tracker = OutageTracker(record(), store)
    await tracker.succeeded("poll", NOW)
    await tracker.failed("poll", TokenExpired("x"), NOW + 20 * SECOND)
    await tracker.failed("subscription", SubscriptionLost("y"), NOW + 30 * SECOND)
    await tracker.succeeded("poll", NOW + 40 * SECOND)
    assert tracker.outage is not None
    assert tracker.fault is not None
    await tracker.succeeded("subscription", NOW + 50 * SECOND)
    assert tracker.outage is None
    await tracker.brought([NOW - SECOND, NOW + SECOND, NOW + 49 * SECOND, NOW + 51 * SECOND])
    (outage,) = await store.page(before=None, limit=10)
    assert (outage.ended_at, outage.caught_up) == (NOW + 50 * SECOND, 2)
    assert await store.page(before=None, limit=10, open_only=True) == []
    assert await store.between(NOW + 49 * SECOND, NOW + 60 * SECOND, "lena") == [outage]
    assert await store.between(NOW + 50 * SECOND, NOW + 60 * SECOND, "lena") == []
    assert await store.between(NOW, NOW + 60 * SECOND, "mina") == []


async def test_it_lasts_over_a_restart_and_its_cause_may_change(store: OutageStore) -> None:
    await OutageTracker(record(), store).failed("poll", TokenExpired("x"), NOW)
    later = OutageTracker(record(), store)
    await later.failed("poll", QuotaSpent("y"), NOW + 20 * SECOND)
    (outage,) = await store.page(before=None, limit=10)
    assert (outage.kind, outage.opened_at) == ("quota_spent", NOW)
    await OutageTracker(record(), store).succeeded("poll", NOW + 40 * SECOND)
    (outage,) = await store.page(before=None, limit=10)
    assert outage.ended_at == NOW + 40 * SECOND


async def test_the_first_batch_after_it_counts_too(store: OutageStore) -> None:
    """It is committed before its success ends the outage."""
    tracker = OutageTracker(record(), store)
    await tracker.succeeded("poll", NOW)
    await tracker.failed("poll", TokenExpired("the token is gone"), NOW + timedelta(minutes=5))
    await tracker.brought([NOW - timedelta(minutes=1), NOW + timedelta(minutes=2)])
    await tracker.succeeded("poll", NOW + timedelta(minutes=10))
    await tracker.brought([NOW + timedelta(minutes=9), NOW + timedelta(minutes=11)])
    (outage,) = await store.page(before=None, limit=2)
    assert outage.caught_up == 2
