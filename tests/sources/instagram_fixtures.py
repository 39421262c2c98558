"""A source of Instagram on its fake, for tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from serving.clock import TestClock
from serving.sources.kol_accounts import KolAccount
from serving.sources.platforms.instagram import INSTAGRAM, InstagramSource
from serving.sources.source_batch import SourceBatch
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.instagram import FakeInstagram
from tests.sources.source_harness import KOL, SourceHarness, harness

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
MINH = KolAccount("minh-tran", "Minh", "minh.tran")
LENA = KolAccount(KOL, "Lena Park", "@Lena-Park")

Opened = Callable[..., AbstractAsyncContextManager[SourceHarness]]


class InstagramFixtures:
    """The fake, and sources that read it."""

    @pytest.fixture
    def clock(self) -> TestClock:
        return TestClock(NOW)

    @pytest.fixture
    async def fake(self, clock: TestClock) -> AsyncIterator[FakeInstagram]:
        found = FakeInstagram(clock)
        await found.start()
        yield found
        await found.stop()

    @pytest.fixture
    def opened(self, fake: FakeInstagram, clock: TestClock) -> Opened:
        @asynccontextmanager
        async def _opened(**options: Any) -> AsyncIterator[SourceHarness]:
            async with harness(INSTAGRAM, fake, clock, **options) as tried:
                yield tried

        return _opened


def source_of(tried: SourceHarness) -> InstagramSource:
    assert isinstance(tried.source, InstagramSource)
    return tried.source


async def polled(tried: SourceHarness) -> list[SourceBatch]:
    """What polling alone brings, until there is nothing more."""
    found = []
    while True:
        batch = await source_of(tried).poll(tried.cursor)
        tried.cursor = batch.cursor or tried.cursor
        found.append(batch)
        if not batch.more:
            return found


def removed(batches: list[SourceBatch]) -> list[str]:
    return [one.comment_id for batch in batches for one in batch.removals]


def one(comment_id: str, **options: Any) -> FakeComment:
    at = options.pop("created_at", NOW)
    return FakeComment(comment_id, options.pop("text", comment_id), at, **options)
