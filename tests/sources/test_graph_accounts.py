"""Several accounts, their tokens and limits, on Instagram's fake."""

import json
from datetime import timedelta
from typing import Any

import pytest

from serving.clock import TestClock
from serving.sources.faults import (
    FaultKind,
    Misconfigured,
    PlatformBusy,
    SourceFault,
    TokenExpired,
)
from serving.sources.source_batch import SourceBatch
from tests.sources.fakes.instagram import FakeInstagram, value
from tests.sources.graph_fake import TOKEN
from tests.sources.instagram_fixtures import (
    LENA,
    MINH,
    NOW,
    InstagramFixtures,
    Opened,
    one,
    polled,
    source_of,
)
from tests.sources.source_contract import comments_of, texts_of, written
from tests.sources.source_harness import KOL


class TestGraphAccounts(InstagramFixtures):
    """Several accounts in one source."""

    @pytest.fixture
    def two(self, fake: FakeInstagram) -> dict[str, Any]:
        """Settings with a second account, which the fake names like the first."""
        fake.tokens["IGAA-token-of-minh"] = "17841400000000002"
        fake.handles = {"17841400000000002": "minh.tran"}
        return {"tokens": f"{TOKEN}\n IGAA-token-of-minh"}

    async def test_each_comment_names_its_kol(
        self, fake: FakeInstagram, opened: Opened, two: dict[str, Any]
    ) -> None:
        fake.publish(*written(2))
        fake.handles["17841400000000002"] = "Minh.Tran"
        async with opened(changes=two, accounts=(LENA, MINH)) as tried:
            batches = await polled(tried)
            call = fake.notice("comments", value(one("c9")), NOW, "17841400000000002")
            answer = source_of(tried).receive(call)
        assert {each.kol_id for each in comments_of(batches)} == {KOL, MINH.kol_id}
        assert [each.kol_id for each in answer.batch.comments] == [MINH.kol_id]

    async def test_the_past_of_two_accounts_is_one_history(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened, two: dict[str, Any]
    ) -> None:
        fake.publish(*written(45))
        batches: list[SourceBatch] = []
        async with opened(changes=two, accounts=(LENA, MINH)) as tried:
            while len(comments_of(batches)) < 20:
                batches.append(await source_of(tried).poll(tried.cursor))
                tried.cursor = batches[-1].cursor or tried.cursor
            clock.advance(timedelta(minutes=2))  # the posts are listed again
            batches += await polled(tried)
        with_comments = [n for n, batch in enumerate(batches) if batch.comments]
        between = batches[with_comments[0] : with_comments[-1]]
        assert all(batch.history for batch in between)

    async def test_a_revoked_token_does_not_stop_the_others_and_is_reported(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened, two: dict[str, Any]
    ) -> None:
        fake.publish(*written(2))
        async with opened(changes=two, accounts=(LENA, MINH)) as tried:
            await polled(tried)
            await source_of(tried).check_subscription()
            del fake.tokens["IGAA-token-of-minh"]
            clock.advance(timedelta(minutes=10))
            fake.publish(one("new", created_at=clock.now()))
            assert "new" in texts_of(await polled(tried))
            with pytest.raises(TokenExpired, match=r"@minh\.tran"):
                await source_of(tried).check_subscription()
            fake.tokens["IGAA-token-of-minh"] = "17841400000000002"
            clock.advance(timedelta(minutes=2))
            await polled(tried)
            await source_of(tried).check_subscription()

    async def test_without_any_token_polling_fails_and_keeps_failing(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened, two: dict[str, Any]
    ) -> None:
        fake.publish(*written(2))
        async with opened(changes=two, accounts=(LENA, MINH)) as tried:
            await polled(tried)
            fake.tokens.clear()
            clock.advance(timedelta(minutes=10))
            with pytest.raises(TokenExpired):
                await polled(tried)
            with pytest.raises(TokenExpired):
                await polled(tried)

    async def test_a_renamed_account_stays_its_kols(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(2))
        async with opened() as tried:
            await polled(tried)
            cursor = tried.cursor
        fake.handle = "lena.official"
        clock.advance(timedelta(minutes=10))
        fake.publish(one("new", created_at=clock.now()))
        async with opened(cursor=cursor) as again:
            found = comments_of(await polled(again))
        assert {each.kol_id for each in found} == {KOL}

    async def test_an_account_without_kol_is_refused_with_what_to_do(
        self, fake: FakeInstagram, opened: Opened, two: dict[str, Any]
    ) -> None:
        fake.publish(*written(2))
        async with opened(accounts=(MINH,)) as tried:
            with pytest.raises(Misconfigured, match="@lena-park") as found:
                await source_of(tried).preview()
            assert fake.account_id in found.value.remedy
        async with opened(changes=two, accounts=(LENA,)) as tried:
            preview = await source_of(tried).preview()
            assert any("@minh.tran" in line for line in preview.cannot_see)
            await polled(tried)
            with pytest.raises(Misconfigured, match=r"@minh\.tran"):
                await source_of(tried).check_subscription()


class TestGraphTokens(InstagramFixtures):
    """Tokens, subscriptions and limits."""

    async def test_a_token_is_renewed_and_kept(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(2))
        fake.new_token = "IGAA-renewed"
        async with opened() as tried:
            await polled(tried)
            assert tried.secrets.saved == {"tokens": "IGAA-renewed"}
            clock.advance(timedelta(hours=2))
            del fake.tokens[TOKEN]
            await polled(tried)
            assert fake.renewals == 1
            clock.advance(timedelta(days=7))
            await polled(tried)
        assert fake.renewals == 2

    async def test_a_subscription_that_is_gone_is_made_again(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(2))
        fake.subscribed = False
        async with opened() as tried:
            await polled(tried)
            await source_of(tried).check_subscription()
            assert fake.subscribed
            fake.subscribed, fake.can_subscribe = False, False
            with pytest.raises(SourceFault, match="@lena-park") as found:
                await source_of(tried).check_subscription()
            assert found.value.kind is FaultKind.SUBSCRIPTION_LOST

    async def test_nothing_is_asked_while_a_limit_is_nearly_reached(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(2))
        usage = {"call_count": 97, "total_time": 3, "estimated_time_to_regain_access": 7}
        fake.headers = {"X-Business-Use-Case-Usage": json.dumps({"1": [usage]})}
        async with opened() as tried:
            with pytest.raises(PlatformBusy) as found:
                await polled(tried)
            assert found.value.retry_after == 420
            asked = len(fake.requests)
            with pytest.raises(PlatformBusy):
                await polled(tried)
            assert len(fake.requests) == asked
            fake.headers = {
                "X-App-Usage": '{"call_count": 12, "total_time": 94, "total_cputime": 1}'
            }
            clock.advance(timedelta(minutes=8))
            assert len(texts_of(await polled(tried))) == 2
