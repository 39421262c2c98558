"""What only TikTok does: calls that name comments, codes in answers of status 200, tokens."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from serving.clock import TestClock
from serving.sources.faults import (
    BadAnswer,
    FaultKind,
    QuotaSpent,
    SourceFault,
    SubscriptionLost,
    TokenExpired,
    UnverifiedRequest,
)
from serving.sources.platforms.tiktok import TikTokSource
from serving.sources.quota import QuotaBudget
from serving.sources.quota_period import QuotaPeriod
from serving.sources.registry import source_types
from serving.sources.source_batch import SourceBatch, SourceRemoval
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.tiktok import TikTokPlatform
from tests.sources.source_contract import NOW, comments_of, texts_of, written
from tests.sources.source_harness import WEBHOOK_URL, SourceHarness, harness

TIKTOK = source_types()["tiktok"]


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
async def fake(clock: TestClock) -> AsyncIterator[TikTokPlatform]:
    found = TikTokPlatform(clock)
    await found.start()
    yield found
    await found.stop()


def source_of(tried: SourceHarness) -> TikTokSource:
    assert isinstance(tried.source, TikTokSource)
    return tried.source


async def poll(tried: SourceHarness) -> SourceBatch:
    """One poll, whose cursor is kept."""
    batch = await source_of(tried).poll(tried.cursor)
    tried.cursor = batch.cursor
    return batch


async def ask(tried: SourceHarness) -> list[SourceBatch]:
    """All there is, by asking only."""
    found = [await poll(tried)]
    while found[-1].more:
        found.append(await poll(tried))
    return found


def asked(fake: TikTokPlatform, path: str, **params: str) -> int:
    return sum(
        one.path == path and all(one.args.get(name) == value for name, value in params.items())
        for one in fake.requests
    )


async def test_a_call_brings_the_comment_that_it_names(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(40))
    async with harness(TIKTOK, fake, clock) as tried:
        await tried.drain()
        before = len(fake.requests)
        clock.advance(timedelta(seconds=20))
        fake.publish(FakeComment("new", "Just now", clock.now()))
        (call,) = fake.deliveries()
        answer = source_of(tried).receive(call)
        assert answer.poll_now
        assert answer.batch == SourceBatch()
        batch = await poll(tried)
        assert list(texts_of([batch])) == ["Just now"]
        assert not batch.history
        assert not batch.more
        await poll(tried)
        assert len(fake.requests) == before + 1, "once is enough"


async def test_what_a_call_named_is_asked_for_until_it_is_committed(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(3))
    async with harness(TIKTOK, fake, clock) as tried:
        await tried.drain()
        fake.publish(FakeComment("new", "Just now", clock.now()))
        source_of(tried).receive(fake.deliveries()[0])
        assert texts_of([await source_of(tried).poll(tried.cursor)])  # not committed
        assert texts_of([await poll(tried)])
        assert not texts_of([await poll(tried)])


async def test_a_call_repeated_for_days_is_known_by_the_same_key(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(1))
    (call,) = fake.deliveries()
    async with harness(TIKTOK, fake, clock) as tried:
        receiver = source_of(tried)
        key = receiver.receive(call).delivery_key
        clock.advance(timedelta(hours=71))
        assert receiver.receive(call).delivery_key == key
        signed_again = fake.delivery(call.body)
        assert signed_again.headers != call.headers
        assert receiver.receive(signed_again).delivery_key == key
        clock.advance(timedelta(hours=3))
        with pytest.raises(UnverifiedRequest, match="long ago"):
            receiver.receive(call)
        with pytest.raises(UnverifiedRequest, match="future"):
            receiver.receive(fake.delivery(call.body, clock.now() + timedelta(hours=1)))


async def test_a_deletion_comes_with_the_call(fake: TikTokPlatform, clock: TestClock) -> None:
    fake.publish(*written(1))
    fake.deliveries()
    fake.remove("c0")
    async with harness(TIKTOK, fake, clock) as tried:
        answer = source_of(tried).receive(fake.deliveries()[0])
    assert answer.batch.removals == [SourceRemoval("c0", NOW)]
    assert not answer.poll_now


async def test_calls_about_others_and_unknown_events_change_nothing(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(1))
    (call,) = fake.deliveries()
    event = json.loads(call.body)
    async with harness(TIKTOK, fake, clock) as tried:
        for change in ({"user_openid": "_000other"}, {"event": "post.publish.complete"}):
            answer = source_of(tried).receive(
                fake.delivery(json.dumps({**event, **change}).encode())
            )
            assert answer.status == 200
            assert (answer.batch, answer.poll_now) == (SourceBatch(), False)
        for content in ('{"comment_id": "c0"}', "{", "[]", None):
            with pytest.raises(BadAnswer):
                source_of(tried).receive(
                    fake.delivery(json.dumps({**event, "content": content}).encode())
                )


async def test_hidden_comments_come_too(fake: TikTokPlatform, clock: TestClock) -> None:
    fake.publish(*written(2))
    fake.hidden.add("c1")
    async with harness(TIKTOK, fake, clock) as tried:
        found = comments_of(await ask(tried))
    assert {(one.comment_id, one.removed) for one in found} == {("c0", False), ("c1", False)}


async def test_replies_that_a_comment_does_not_show_are_asked_for(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(2))
    answers = [
        FakeComment(f"r{n}", f"Reply {n}", NOW - timedelta(minutes=90), parent_id="c0")
        for n in range(25)
    ]
    fake.publish(*answers)
    async with harness(TIKTOK, fake, clock) as tried:
        found = {one.comment_id: one for one in comments_of(await ask(tried))}
        assert len(found) == 27
        assert {found[one.comment_id].parent_id for one in answers} == {"c0"}
        before = asked(fake, "/business/comment/reply/list/")
        clock.advance(timedelta(hours=1))
        await ask(tried)
        assert asked(fake, "/business/comment/reply/list/") == before


async def test_a_reply_whose_comment_is_gone_keeps_its_parent(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(1))
    fake.publish(*(replace(one, parent_id="c0") for one in written(8, start=1)))
    async with harness(TIKTOK, fake, clock) as tried:
        while not (first := await poll(tried)).comments:
            pass
        fake.remove("c0")
        found = [first, *await ask(tried)]
    assert {one.parent_id for one in comments_of(found)} == {None, "c0"}


async def test_a_new_token_is_gotten_and_stored(fake: TikTokPlatform, clock: TestClock) -> None:
    fake.publish(*written(1))
    fake.access_token = "act.of-tomorrow"
    async with harness(TIKTOK, fake, clock) as tried:
        assert texts_of(await ask(tried))
        assert tried.secrets.saved == {"access_token": "act.1", "refresh_token": "rft.1"}
        fake.access_token = "act.another-day"
        clock.advance(timedelta(hours=2))
        await ask(tried)
        assert tried.secrets.saved["refresh_token"] == "rft.2", "the newer one is used"


async def test_a_refresh_token_that_ended_says_what_to_do(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    async with harness(TIKTOK, fake, clock, changes={"access_token": None}) as tried:
        fake.refresh_tokens.append("rft.of-another-program")
        with pytest.raises(TokenExpired, match="40103") as found:
            await ask(tried)
    assert "allow the app again" in found.value.remedy


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (40001, FaultKind.PERMISSION_LOST),
        (40016, FaultKind.RATE_LIMITED),
        (40100, FaultKind.RATE_LIMITED),
        (50002, FaultKind.PLATFORM_UNAVAILABLE),
        (40999, FaultKind.BAD_ANSWER),
    ],
)
async def test_codes_of_answers_with_status_200_are_faults(
    fake: TikTokPlatform, clock: TestClock, code: int, kind: FaultKind
) -> None:
    fake.answer = lambda request: fake.code(code)  # type: ignore[method-assign]
    async with harness(TIKTOK, fake, clock) as tried:
        with pytest.raises(SourceFault) as found:
            await poll(tried)
    assert found.value.kind is kind
    assert str(code) in str(found.value)


async def test_a_video_deleted_in_the_middle_of_paging_stops_nothing(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(25), *written(12, start=50, post_id="post-0"))
    async with harness(TIKTOK, fake, clock) as tried:
        found = []
        while asked(fake, "/business/comment/list/", video_id="post-0", cursor="0") == 0:
            found.append(await poll(tried))
        fake.deleted.add("post-0")
        found += await ask(tried)
        assert {one.text for one in written(25)} <= set(texts_of(found))
        before = asked(fake, "/business/comment/list/", video_id="post-0")
        clock.advance(timedelta(days=1))
        await ask(tried)
        assert asked(fake, "/business/comment/list/", video_id="post-0") == before


async def test_a_code_that_may_mean_something_else_drops_no_video(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(3))
    async with harness(TIKTOK, fake, clock) as tried:
        fake.unlisted = True
        with pytest.raises(BadAnswer, match="lists the video"):
            await ask(tried)
        fake.unlisted = False
        assert len(texts_of(await ask(tried))) == 3


async def test_more_than_500_new_comments_are_found_although_the_order_ends(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(40))
    fake.page = 30
    async with harness(TIKTOK, fake, clock) as tried:
        await ask(tried)
        clock.advance(timedelta(minutes=6))
        burst = [
            FakeComment(f"b{n}", f"Burst {n}", clock.now() - timedelta(milliseconds=n), likes=n)
            for n in range(620)
        ]
        fake.publish(*burst)
        found = texts_of(await ask(tried))
    assert {one.text for one in burst} <= set(found)


async def test_new_comments_come_while_a_long_history_is_read(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(150))
    async with harness(TIKTOK, fake, clock) as tried:
        for _ in range(5):
            assert (await poll(tried)).more
        clock.advance(timedelta(minutes=2))
        fake.publish(FakeComment("new", "Just now", clock.now()))
        batches = await ask(tried)
        first = next(n for n, one in enumerate(batches) if "Just now" in texts_of([one]))
    assert first <= 2
    assert not batches[first].history
    assert len(batches) > 8


async def test_history_leaves_requests_for_what_is_new(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(150))
    fake.page = 3
    budget = QuotaBudget(40, QuotaPeriod(), "requests")
    async with harness(TIKTOK, fake, clock, budget=budget) as tried:
        await ask(tried)
        assert 26 <= len(fake.requests) <= 30
        clock.advance(timedelta(minutes=6))
        fake.publish(FakeComment("new", "Just now", clock.now()))
        assert "Just now" in texts_of(await ask(tried))
        with pytest.raises(QuotaSpent):
            await for_hours(tried, clock)
        assert len(fake.requests) == 40


async def for_hours(tried: SourceHarness, clock: TestClock) -> None:
    """Ask every ten minutes."""
    for _ in range(30):
        clock.advance(timedelta(minutes=10))
        await ask(tried)


async def test_a_million_comments_under_one_video_come_in_pages(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    fake.publish(*written(1))
    answer = fake.answer

    def endless(request: Any) -> Any:
        if request.path != "/business/comment/list/":
            return answer(request)
        start = int(request.args["cursor"])
        rows = [fake.row(one) for one in written(30, start=start)]
        return fake.code(0, {"comments": rows, "has_more": True, "cursor": start + 30})

    fake.answer = endless  # type: ignore[method-assign]
    async with harness(TIKTOK, fake, clock) as tried:
        sizes, seen = [], set[str]()
        for _ in range(40):
            batch = await poll(tried)
            assert batch.more
            assert len(batch.comments) <= 30 * 4
            seen |= {one.comment_id for one in batch.comments}
            sizes.append(len(str(tried.cursor)))
    assert len(seen) >= 900
    assert sizes[-1] < 30_000
    assert sizes[-1] < 1.1 * sizes[20], "the cursor does not grow"


async def test_the_webhook_is_subscribed_and_another_address_is_reported(
    fake: TikTokPlatform, clock: TestClock
) -> None:
    async with harness(TIKTOK, fake, clock) as tried:
        await source_of(tried).check_subscription()
        assert fake.callback_url == WEBHOOK_URL
        fake.callback_url = "https://other.example.com/hook"
        with pytest.raises(SubscriptionLost, match=r"other\.example\.com") as found:
            await source_of(tried).check_subscription()
        assert "webhook" in found.value.remedy
        assert fake.callback_url == "https://other.example.com/hook"
    async with harness(TIKTOK, fake, clock, changes={"app_secret": "wrong"}) as tried:
        with pytest.raises(SourceFault):
            await source_of(tried).check_subscription()
    before = len(fake.requests)
    async with harness(TIKTOK, fake, clock, changes={"webhook": False}) as tried:
        await source_of(tried).check_subscription()
    assert len(fake.requests) == before
