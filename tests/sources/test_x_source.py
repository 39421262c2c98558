"""What is particular about X: above all, that the cap cannot be passed."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from serving.clock import TestClock
from serving.outgoing.address_rules import AddressRules
from serving.outgoing.transport import outgoing_client
from serving.sources.faults import (
    FaultKind,
    PlatformBusy,
    QuotaSpent,
    SourceFault,
)
from serving.sources.kol_accounts import FixedAccounts
from serving.sources.platform_client import ClockSkew, PlatformAnswer
from serving.sources.platforms.x import XSource, XSpec, _read_fault, time_of
from serving.sources.quota import MemoryQuotaStore, Quota
from serving.sources.registry import source_types
from serving.sources.source_batch import SourceBatch
from serving.sources.source_context import SourceContext
from serving.sources.x.read_allowance import ReadAllowance
from tests.sources.fake_platform import FakeComment, Refusal
from tests.sources.fakes.x import FOLLOWERS, USER, X
from tests.sources.source_contract import NOW, comments_of, written
from tests.sources.source_harness import KOL, SavedSecrets

_RULES = AddressRules(loopback=True, private=True)


class Machine:
    """A source of X whose process can be killed: what was stored is all that is left."""

    def __init__(self, fake: X, clock: TestClock, **changes: Any) -> None:
        self.fake = fake
        self.clock = clock
        self.spec = XSpec.model_validate(fake.settings() | changes)
        self.store = MemoryQuotaStore()
        self.cursor: Any = None
        self.batches: list[SourceBatch] = []
        self._http = outgoing_client(_RULES, seconds=5)

    @property
    def spent(self) -> int:
        return sum(self.store._spent.values())

    def start(self) -> XSource:
        """A new process."""
        budget = source_types()["x"].budget(self.spec)
        context = SourceContext(
            source_id="source-1",
            kol_id=KOL,
            http=self._http,
            rules=_RULES,
            clock=self.clock,
            quota=Quota("source-1", budget, self.store, self.clock),
            accounts=FixedAccounts(),
            secrets=SavedSecrets(),
            skew=ClockSkew(),
        )
        return XSource(self.spec, context)

    async def run(self, batches: int | None = None, source: XSource | None = None) -> SourceFault:
        """Read until a fault, or so many batches were committed."""
        reader = source or self.start()
        try:
            for _ in range(200 if batches is None else batches):
                batch = await reader.poll(self.cursor)
                self.cursor = json.loads(json.dumps(batch.cursor))
                self.batches.append(batch)
        except SourceFault as fault:
            return fault
        return SourceFault("killed")

    async def close(self) -> None:
        await self._http.aclose()


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
async def fake(clock: TestClock) -> AsyncIterator[X]:
    found = X(clock)
    await found.start()
    yield found
    await found.stop()


async def machine(fake: X, clock: TestClock, **changes: Any) -> Machine:
    return Machine(fake, clock, **changes)


class TestSpendingCap:
    """However it is read, stopped and started again: X bills no more than the cap."""

    async def test_a_flood_stops_at_the_cap_and_says_until_when(
        self, fake: X, clock: TestClock
    ) -> None:
        tried = await machine(fake, clock, monthly_posts=407)
        fake.publish(*written(1000))
        fault = await tried.run()
        assert fault.kind is FaultKind.QUOTA_SPENT
        assert fake.billed <= tried.spent <= 407
        assert len(comments_of(tried.batches)) >= 390  # nearly all that could be paid for
        assert "X is read again on 01 December 2026 (UTC)" in str(fault)
        assert fault.until == datetime(2026, 12, 1, tzinfo=UTC)
        requests = len(fake.requests)
        for _ in range(5):
            assert (await tried.run()).kind is FaultKind.QUOTA_SPENT
        assert len(fake.requests) == requests

    async def test_it_survives_kills_and_broken_answers(self, fake: X, clock: TestClock) -> None:
        tried = await machine(fake, clock, monthly_posts=3000)
        dice = random.Random(7)
        for n in range(25):
            fake.publish(*written(60, start=60 * n))
            if dice.random() < 0.3:
                fake.refuse(dice.choice([Refusal.TRUNCATED, Refusal.BROKEN, Refusal.BUSY]))
            await tried.run(dice.randrange(1, 4))
            assert fake.billed <= tried.spent <= 3000

    async def test_several_at_once_share_it(self, fake: X, clock: TestClock) -> None:
        tried = await machine(fake, clock, monthly_posts=500)
        fake.publish(*written(300))
        ones = [await machine(fake, clock, monthly_posts=500) for _ in range(4)]
        for one in ones:
            one.store = tried.store
        await asyncio.gather(*(one.run() for one in ones))
        assert fake.billed <= tried.spent <= 500

    async def test_a_new_month_begins_anew(self, fake: X, clock: TestClock) -> None:
        tried = await machine(fake, clock, monthly_posts=100)
        fake.publish(*written(150))
        assert (await tried.run()).kind is FaultKind.QUOTA_SPENT
        clock.advance(timedelta(days=1))
        before = fake.billed
        fake.publish(*written(5, start=150))
        await tried.run(1)
        assert before < fake.billed

    async def test_previews_are_paid_for(self, fake: X, clock: TestClock) -> None:
        tried = await machine(fake, clock, monthly_posts=30)
        fake.publish(*written(20))
        for _ in range(3):
            source = tried.start()
            with_fault = False
            try:
                await source.preview()
            except QuotaSpent:
                with_fault = True
        assert with_fault
        assert fake.billed <= tried.spent <= 30

    async def test_parallel_reservations_are_spent_once_each(self, clock: TestClock) -> None:
        spec = XSpec.model_validate({"account": "a", "bearer_token": "t", "monthly_posts": 1000})
        budget = source_types()["x"].budget(spec)
        store = MemoryQuotaStore()
        allowance = ReadAllowance(Quota("s", budget, store, clock))
        taken = await asyncio.gather(
            *(allowance.take(100) for _ in range(30)), return_exceptions=True
        )
        assert sum(one is None for one in taken) == 10
        assert sum(store._spent.values()) == 1000
        assert allowance.unused == 0

    @pytest.mark.parametrize(
        ("posts", "spend", "price", "most"),
        [(10_000, 50, 0.005, 10_000), (10_000, 10, 0.005, 2_000), (10_000, 0.3, 0.003, 100)],
    )
    def test_money_and_posts_both_hold(
        self, posts: int, spend: float, price: float, most: int
    ) -> None:
        spec = XSpec.model_validate(
            {
                "account": "@lenapark",
                "bearer_token": "t",
                "monthly_posts": posts,
                "monthly_spend": spend,
                "price_per_post": price,
            }
        )
        budget = source_types()["x"].budget(spec)
        assert budget is not None
        assert budget.units == most
        assert budget.period.name == "month"

    def test_a_cap_that_buys_nothing_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="has to buy 12 at least"):
            XSpec.model_validate({"account": "a", "bearer_token": "t", "monthly_spend": 0.05})


class TestXSearch:
    async def test_a_stop_between_the_pages_leaves_no_gap(self, fake: X, clock: TestClock) -> None:
        tried = await machine(fake, clock)
        fake.publish(*written(20))
        await tried.run(6)
        assert tried.batches[0].history
        later = [FakeComment(f"d{n}", f"Later {n}", NOW - timedelta(seconds=n)) for n in range(130)]
        fake.publish(*reversed(later))
        await tried.run(1)  # killed after the first page
        await tried.run(4)
        assert {one.text for one in later} <= {one.text for one in comments_of(tried.batches)}
        assert not tried.batches[-1].history

    async def test_searches_that_find_nothing_cost_nothing(self, fake: X, clock: TestClock) -> None:
        tried = await machine(fake, clock)
        fake.publish(*written(3))
        source = tried.start()
        await tried.run(2, source)
        spent, billed = tried.spent, fake.billed
        await tried.run(50, source)
        assert (tried.spent, fake.billed) == (spent, billed)

    async def test_edits_keep_their_first_id_and_the_kols_replies_are_comments(
        self, fake: X, clock: TestClock
    ) -> None:
        tried = await machine(fake, clock)
        fake.publish(FakeComment("c1", "Why?", NOW - timedelta(hours=1)))
        fake.publish(
            FakeComment("c2", "Because", NOW - timedelta(minutes=50), "author-1", parent_id="c1")
        )
        fake.sent[-1]["author_id"] = USER
        fake.edit("c1", "Why not?")
        await tried.run(3)
        by_text = {one.text: one for one in comments_of(tried.batches)}
        assert by_text["Why?"].comment_id == by_text["Why not?"].comment_id
        assert by_text["Why not?"].edited_at
        assert by_text["Why?"].parent_id is None
        assert by_text["Because"].parent_id == by_text["Why?"].comment_id
        assert by_text["Because"].author_id == USER
        assert by_text["Why?"].likes == 3
        (post,) = {one.post_id: one for batch in tried.batches for one in batch.posts}.values()
        assert post.counts is not None
        assert (post.counts.shares, post.counts.views) == (2, 900)
        assert post.post_id == by_text["Because"].post_id
        assert tried.batches[0].followers[0].followers == FOLLOWERS

    async def test_removals_come_with_a_recheck_that_is_paid_for(
        self, fake: X, clock: TestClock
    ) -> None:
        tried = await machine(fake, clock, recheck_hours=2)
        fake.publish(*written(3))
        await tried.run(2)
        fake.remove("c1")
        await tried.run(2)
        assert not any(one.removals for one in tried.batches)
        clock.advance(timedelta(hours=3))
        await tried.run(3)
        assert len([one for batch in tried.batches for one in batch.removals]) == 1
        assert fake.billed <= tried.spent

    async def test_a_pause_may_be_said_as_an_instant(self, fake: X, clock: TestClock) -> None:
        headers = {"x-rate-limit-reset": str(int(NOW.timestamp()) + 90)}
        fault = _read_fault(PlatformAnswer(429, httpx.Headers(headers), b"", NOW))
        assert isinstance(fault, PlatformBusy)
        assert fault.retry_after == 90


def test_an_id_says_when_it_was_made() -> None:
    at = time_of("1460323737035677698")
    assert at.isoformat(timespec="seconds") == "2021-11-15T19:08:05+00:00"
