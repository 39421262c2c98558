"""What only a feed has: entries that name a KOL, and KOLs without a name."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from serving.clock import TestClock
from serving.sources.kol_accounts import KolAccount
from serving.sources.registry import source_types
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.rss import FeedServer
from tests.sources.source_contract import comments_of
from tests.sources.source_harness import harness

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
TYPE = source_types()["rss"]
LENA = KolAccount("lena-park", "Lena Park", "lenapark")
MINH = KolAccount("minh-tran", None, None)


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
async def feed(clock: TestClock) -> AsyncIterator[FeedServer]:
    found = FeedServer(clock)
    await found.start()
    found.publish(
        FakeComment("a1", "LENA PARK denies it", NOW),
        FakeComment("a2", "Lena Parker sings", NOW),
        FakeComment("a3", "What @lenapark said", NOW),
        FakeComment("a4", "Rain", NOW),
    )
    yield found
    await found.stop()


async def test_entries_count_for_the_kols_that_they_name(
    feed: FeedServer, clock: TestClock
) -> None:
    options = {"only_named": True}
    async with harness(TYPE, feed, clock, changes=options, accounts=(LENA, MINH)) as tried:
        found = comments_of(await tried.drain())
    assert [(one.text, one.kol_id) for one in found] == [
        ("What @lenapark said", "lena-park"),
        ("LENA PARK denies it", "lena-park"),
    ]


async def test_it_says_which_kols_have_no_name(feed: FeedServer, clock: TestClock) -> None:
    options = {"only_named": True}
    async with harness(TYPE, feed, clock, changes=options, accounts=(LENA, MINH)) as tried:
        preview = await tried.source.preview()
    assert preview.cannot_see[0].startswith("articles on minh-tran: nobody entered the name")
    async with harness(TYPE, feed, clock, changes=options, accounts=(LENA,)) as tried:
        assert "nobody entered" not in str((await tried.source.preview()).cannot_see)
