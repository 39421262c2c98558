"""YouTube's quota, credentials and settings, and its live chats."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from serving.clock import TestClock
from serving.sources.faults import AccountGone, QuotaSpent, TokenExpired
from serving.sources.quota import MemoryQuotaStore, Quota, QuotaBudget
from serving.sources.source_pace import SourcePace
from serving.sources.youtube.progress import YouTubeProgress, YouTubeStep
from serving.sources.youtube.refusals import PACIFIC_DAY
from serving.sources.youtube.settings import YouTubeSpec
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.youtube import FakeLiveChat, YouTubePlatform, text_message
from tests.sources.source_contract import NOW, comments_of, texts_of, written
from tests.sources.source_harness import harness
from tests.sources.youtube_helpers import YOUTUBE, asked, one_poll

KEY = {"channel": "@lena-park", "api_key": "k"}


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
async def fake(clock: TestClock) -> AsyncIterator[YouTubePlatform]:
    found = YouTubePlatform(clock)
    await found.start()
    yield found
    await found.stop()


async def test_the_quota_of_the_day_ends_at_midnight_in_california(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(3))
    fake.quota = 3
    async with harness(YOUTUBE, fake, clock) as tried:
        with pytest.raises(QuotaSpent) as found:
            await tried.drain()
        assert found.value.until == datetime(2026, 12, 1, 8, tzinfo=UTC)
        assert found.value.retry_after == pytest.approx(18 * 3600)
        fake.quota = 10_000
        assert len(texts_of(await tried.drain())) == 3


async def test_its_own_budget_begins_anew_at_midnight_in_california(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(3))
    budget = QuotaBudget(3, PACIFIC_DAY, "units")
    async with harness(YOUTUBE, fake, clock, budget=budget) as tried:
        with pytest.raises(QuotaSpent):
            await tried.drain()
        assert fake.units == 3
        clock.advance(timedelta(hours=17, minutes=59))
        with pytest.raises(QuotaSpent):
            await tried.drain()
        clock.advance(timedelta(minutes=2))
        assert (await one_poll(tried)).followers


async def test_history_leaves_units_for_what_is_new(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(120))
    fake.page = 2
    budget = QuotaBudget(30, PACIFIC_DAY, "units")
    async with harness(YOUTUBE, fake, clock, budget=budget) as tried:
        await tried.drain()
        assert 20 <= fake.units <= 22
        clock.advance(timedelta(minutes=10))
        fake.publish(FakeComment("new", "Just now", clock.now()))
        assert "Just now" in texts_of(await tried.drain())


async def test_what_is_left_of_the_quota_is_spread_over_the_day(clock: TestClock) -> None:
    quota = Quota("s", QuotaBudget(10_000, PACIFIC_DAY), MemoryQuotaStore(), clock)
    pace = SourcePace(quota, clock)
    assert await pace.interval(timedelta(seconds=15), 1) == timedelta(seconds=15)
    await quota.spend(9_000)
    # 18 hours are left, and half of 1,000 units.
    assert await pace.interval(timedelta(seconds=15), 1) == timedelta(seconds=129.6)
    assert await pace.interval(timedelta(seconds=15), 5) == timedelta(minutes=10)
    four_hours = timedelta(hours=4)
    assert await pace.interval(timedelta(), 5, within=four_hours) == timedelta(seconds=144)
    assert not await pace.has_spare()


async def test_videos_that_do_not_stir_are_asked_seldom(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(3))
    fake.videos["post-1"] = NOW - timedelta(days=20)
    async with harness(YOUTUBE, fake, clock) as tried:
        await tried.drain()
        for _ in range(24):
            clock.advance(timedelta(hours=1))
            await tried.drain()
    assert asked(fake, "/commentThreads", videoId="post-1") <= 12
    assert fake.units <= 24 * 6 + 20


async def test_a_live_chat_is_read_until_it_ends(fake: YouTubePlatform, clock: TestClock) -> None:
    fake.publish(*written(1))
    chat = FakeLiveChat("chat-1", "post-1", [text_message("m0", "Before", NOW)])
    fake.chats["chat-1"] = chat
    async with harness(YOUTUBE, fake, clock) as tried:
        assert "Before" in texts_of(await tried.drain())
        clock.advance(timedelta(seconds=30))
        deleted = text_message("e1", "", clock.now())
        deleted["snippet"] |= {
            "type": "messageDeletedEvent",
            "messageDeletedDetails": {"deletedMessageId": "m0"},
        }
        chat.messages += [text_message("m1", "What a lie", clock.now()), deleted]
        batches = await tried.drain()
        assert "What a lie" in texts_of(batches)
        assert [one.comment_id for batch in batches for one in batch.removals] == ["m0"]
        assert asked(fake, "/liveChat/messages", pageToken="1") == 1
        fake.expired = {"3"}
        clock.advance(timedelta(seconds=30))
        assert "What a lie" in texts_of(await tried.drain()), "the chat's last messages again"
        fake.expired = set()
        chat.ended = True
        clock.advance(timedelta(seconds=30))
        await tried.drain()
        before = asked(fake, "/liveChat/messages")
        clock.advance(timedelta(hours=1))
        await tried.drain()
        assert asked(fake, "/liveChat/messages") == before
        assert await tried.context.quota.remaining() == 10_000 - fake.units


async def test_live_chats_can_be_left_out(fake: YouTubePlatform, clock: TestClock) -> None:
    fake.publish(*written(1))
    fake.chats["chat-1"] = FakeLiveChat("chat-1", "post-1")
    async with harness(YOUTUBE, fake, clock, changes={"live_chat": False}) as tried:
        await tried.drain()
    assert asked(fake, "/liveChat/messages") == 0


async def test_nothing_new_is_asked_with_an_etag(fake: YouTubePlatform, clock: TestClock) -> None:
    fake.publish(*written(3))
    async with harness(YOUTUBE, fake, clock) as tried:
        await tried.drain()
        clock.advance(timedelta(minutes=1))
        batches = await tried.drain()
        assert fake.requests[-1].headers["If-None-Match"]
        assert not comments_of(batches)


async def test_a_renamed_channel_is_still_found(fake: YouTubePlatform, clock: TestClock) -> None:
    fake.publish(*written(3))
    async with harness(YOUTUBE, fake, clock) as tried:
        await tried.drain()
        fake.handle = "@lena"
        clock.advance(timedelta(hours=2))
        assert [one for batch in await tried.drain() for one in batch.followers]
        with pytest.raises(AccountGone, match="@lena-park"):
            await tried.source.preview()


async def test_another_channel_begins_anew(fake: YouTubePlatform, clock: TestClock) -> None:
    fake.publish(*written(3))
    async with harness(YOUTUBE, fake, clock, cursor={"setting": "@other", "started": 1}) as tried:
        assert len(texts_of(await tried.drain())) == 3
    assert YouTubeProgress.of({"due": 3}, "@x", NOW).started == NOW.timestamp()


async def test_oauth_gets_a_new_token_by_itself(fake: YouTubePlatform, clock: TestClock) -> None:
    fake.publish(*written(3))
    oauth = {"client_id": "c", "client_secret": "s", "refresh_token": "1//refresh"}
    async with harness(YOUTUBE, fake, clock, changes=oauth) as tried:
        await tried.drain()
        fake.access_token = "ya29-third"
        clock.advance(timedelta(hours=1))
        fake.publish(FakeComment("new", "After an hour", clock.now()))
        assert "After an hour" in texts_of(await tried.drain())
        assert asked(fake, "/token") == 2
    async with harness(YOUTUBE, fake, clock, changes={**oauth, "refresh_token": "x"}) as tried:
        with pytest.raises(TokenExpired) as found:
            await tried.drain()
    assert "refresh" in found.value.remedy


async def test_a_wrong_key_says_where_to_make_another(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    async with harness(YOUTUBE, fake, clock, changes={"api_key": "wrong"}) as tried:
        with pytest.raises(TokenExpired) as found:
            await tried.source.preview()
    assert "Google Cloud console" in found.value.remedy


@pytest.mark.parametrize(
    ("entered", "read"),
    [
        ("@lena-park", "@lena-park"),
        ("lena-park", "@lena-park"),
        ("https://www.youtube.com/@lena-park/", "@lena-park"),
        ("youtube.com/channel/UCabcdefghijklmnopqrstuv", "UCabcdefghijklmnopqrstuv"),
        ("UCabcdefghijklmnopqrstuv", "UCabcdefghijklmnopqrstuv"),
    ],
)
def test_a_channel_can_be_entered_in_several_ways(entered: str, read: str) -> None:
    assert YouTubeSpec.model_validate({**KEY, "channel": entered}).channel == read


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channel": "@a"}, "enter an api_key"),
        ({"channel": "@a", "client_id": "c"}, "together"),
        ({"channel": "a b", "api_key": "k"}, "enter a handle"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        YouTubeSpec.model_validate(settings)


@pytest.mark.parametrize(
    ("state", "spare", "step"),
    [
        ({}, True, YouTubeStep.CHANNEL),
        ({"channel": "UC"}, True, YouTubeStep.CHANNEL),
        ({"channel": "UC", "due": {"channel": 9e9}}, True, YouTubeStep.UPLOADS),
        ({"channel": "UC", "due": {"channel": 9e9, "uploads": 9e9}}, True, YouTubeStep.NEWEST),
        (
            {"channel": "UC", "due": dict.fromkeys(YouTubeStep, 9e9), "newest": {}},
            True,
            YouTubeStep.NEWEST,
        ),
        (
            {
                "channel": "UC",
                "due": dict.fromkeys(YouTubeStep, 9e9),
                "replies": [{"thread": "t"}],
            },
            True,
            YouTubeStep.REPLIES,
        ),
        (
            {
                "channel": "UC",
                "due": dict.fromkeys(YouTubeStep, 9e9),
                "replies": [{"thread": "t"}],
            },
            False,
            None,
        ),
        (
            {
                "channel": "UC",
                "due": dict.fromkeys(YouTubeStep, 9e9),
                "scan": {"video": "v"},
                "lives": [{"chat": "c", "video": "v"}],
            },
            False,
            YouTubeStep.LIVE,
        ),
    ],
)
def test_the_most_urgent_step_is_next(
    state: dict[str, Any], spare: bool, step: YouTubeStep | None
) -> None:
    progress = YouTubeProgress.model_validate({"setting": "@a", "started": 0, **state})
    assert progress.next_step(NOW, spare=spare) == step
