"""What only YouTube does: page tokens, videos, replies, removals, history."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from serving.clock import TestClock
from serving.sources.faults import PlatformUnavailable
from tests.sources.fake_platform import FakeComment, Refusal
from tests.sources.fakes.youtube import CHANNEL, YouTubePlatform
from tests.sources.source_contract import NOW, comments_of, texts_of, written
from tests.sources.source_harness import harness
from tests.sources.youtube_helpers import YOUTUBE, asked, one_poll, replies


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
async def fake(clock: TestClock) -> AsyncIterator[YouTubePlatform]:
    found = YouTubePlatform(clock)
    await found.start()
    yield found
    await found.stop()


async def test_history_is_marked_and_what_comes_later_is_not(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(25), *written(3, start=50, post_id="post-2"))
    async with harness(YOUTUBE, fake, clock) as tried:
        first = await tried.drain()
        assert all(batch.history for batch in first if batch.comments)
        clock.advance(timedelta(minutes=3))
        fake.publish(FakeComment("new", "Just now", clock.now(), post_id="post-2"))
        later = [batch for batch in await tried.drain() if "Just now" in texts_of([batch])]
    assert later
    assert not any(batch.history for batch in later)


async def test_what_is_written_while_the_history_comes_is_no_history(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(25))
    async with harness(YOUTUBE, fake, clock) as tried:
        for _ in range(3):  # channel, videos, newest threads
            await one_poll(tried)
        clock.advance(timedelta(seconds=5))
        fake.publish(FakeComment("new", "In between", clock.now()))
        batches = await tried.drain()
    assert [batch.history for batch in batches if "In between" in texts_of([batch])] == [False]
    assert len(texts_of(batches)) >= 25


async def test_replies_that_a_thread_does_not_show_are_asked_for(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(2), *replies(23, "c0"), *replies(2, "c1"))
    async with harness(YOUTUBE, fake, clock) as tried:
        batches = await tried.drain()
        found = {one.comment_id: one for one in comments_of(batches)}
        assert len(found) == 27
        assert found["c0.r22"].parent_id == "c0"
        assert found["c0.r22"].post_id == "post-1"
        assert asked(fake, "/comments", parentId="c1") == 0
        before = asked(fake, "/comments", parentId="c0")
        clock.advance(timedelta(minutes=20))
        await tried.drain()
        assert asked(fake, "/comments", parentId="c0") == before, "nothing was new there"
        fake.publish(replace(replies(1, "c0")[0], comment_id="late", text="A late reply"))
        clock.advance(timedelta(minutes=20))
        assert "A late reply" in texts_of(await tried.drain())


async def test_a_reply_whose_thread_is_gone_keeps_its_parent(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(1), *replies(8, "c0"))
    async with harness(YOUTUBE, fake, clock) as tried:
        while not (batch := await one_poll(tried)).comments:
            pass
        fake.comments["c0"] = replace(fake.comments["c0"], removed=True)
        batches = [batch, *await tried.drain()]
    parents = {one.parent_id for one in comments_of(batches)}
    assert parents == {None, "c0"}
    assert len(texts_of(batches)) == 9


async def test_an_expired_page_token_loses_nothing(fake: YouTubePlatform, clock: TestClock) -> None:
    fake.publish(*written(5))
    async with harness(YOUTUBE, fake, clock) as tried:
        await tried.drain()
        clock.advance(timedelta(minutes=40))
        fresh = [
            replace(one, created_at=clock.now() - timedelta(minutes=36 - n))
            for n, one in enumerate(written(35, start=100))
        ]
        fake.publish(*fresh)
        fake.expired = {"at10"}
        found = []
        while asked(fake, "/commentThreads", order="time", pageToken="at10") == 0:
            found.append(await one_poll(tried))
        fake.expired = set()
        found += await tried.drain()
    assert {one.text for one in fresh} <= set(texts_of(found))
    channel = {"allThreadsRelatedToChannelId": CHANNEL}
    assert asked(fake, "/commentThreads", pageToken="at30", **channel) == 1


async def test_an_expired_page_token_of_a_video_begins_the_video_again(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(35))
    async with harness(YOUTUBE, fake, clock) as tried:
        found = []
        while asked(fake, "/commentThreads", videoId="post-1", pageToken="at10") == 0:
            found.append(await one_poll(tried))
        fake.expired = {"at20"}
        found.append(await one_poll(tried))
        fake.expired = set()
        found += await tried.drain()
    assert len(texts_of(found)) == 35


async def test_an_emptied_page_in_the_middle_is_passed(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(5))
    async with harness(YOUTUBE, fake, clock) as tried:
        await tried.drain()
        clock.advance(timedelta(minutes=1))
        late = [replace(one, created_at=clock.now()) for one in written(25, start=50)]
        fake.publish(*late)
        answer = fake.answer

        def emptied(request: Any) -> Any:
            found = answer(request)
            if request.args.get("pageToken") == "at10":
                return fake.json({"items": [], "nextPageToken": "at20"})
            return found

        fake.answer = emptied  # type: ignore[method-assign]
        texts = texts_of(await tried.drain())
    assert {one.text for one in late[20:]} <= set(texts)


async def test_a_video_deleted_in_the_middle_of_paging_stops_nothing(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(35), *written(12, start=50, post_id="post-0"))
    async with harness(YOUTUBE, fake, clock) as tried:
        found = []
        while asked(fake, "/commentThreads", videoId="post-1", pageToken="at10") == 0:
            found.append(await one_poll(tried))
        fake.deleted.add("post-1")
        found += await tried.drain()
        assert sum(one.post_id == "post-0" for one in comments_of(found)) >= 12
        clock.advance(timedelta(days=1))
        await tried.drain()
        before = asked(fake, "/commentThreads", videoId="post-1")
        clock.advance(timedelta(days=1))
        assert not [one for batch in await tried.drain() for one in batch.removals]
        assert asked(fake, "/commentThreads", videoId="post-1") == before


async def test_a_video_without_comments_stops_nothing(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(12), *written(12, start=50, post_id="post-0"))
    fake.disabled.add("post-1")
    async with harness(YOUTUBE, fake, clock) as tried:
        found = await tried.drain()
    assert sum(one.post_id == "post-0" for one in comments_of(found)) >= 12


async def test_a_removal_has_to_be_said_twice_and_its_video_to_be_there(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(4), *written(2, start=20, post_id="post-2"))
    async with harness(YOUTUBE, fake, clock) as tried:
        await tried.drain()
        fake.private.add("post-2")
        fake.remove("c1")
        clock.advance(timedelta(minutes=6))
        removed = [one.comment_id for batch in await tried.drain() for one in batch.removals]
        assert removed == ["c1"]
        clock.advance(timedelta(minutes=6))
        assert not [one for batch in await tried.drain() for one in batch.removals]


async def test_a_greater_count_of_comments_makes_it_look_again(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(15))
    async with harness(YOUTUBE, fake, clock) as tried:
        for _ in range(9):  # it is asked seldom by now
            await tried.drain()
            clock.advance(timedelta(hours=3))
        await tried.drain()
        # It was held for review, and shows now with the time at which it was written.
        held = replace(written(1)[0], comment_id="held", text="Held", post_id="post-1")
        fake.publish(replace(held, created_at=NOW - timedelta(hours=9)))
        clock.advance(timedelta(minutes=11))
        assert "Held" in texts_of(await tried.drain())


async def test_videos_are_asked_where_the_channels_list_fails(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.failing_channel_list = True
    async with harness(YOUTUBE, fake, clock) as tried:
        with pytest.raises(PlatformUnavailable):
            await tried.drain()
        fake.publish(*written(3))
        clock.advance(timedelta(minutes=11))
        assert len(texts_of(await tried.drain())) == 3
        fake.publish(FakeComment("new", "Just now", clock.now()))
        clock.advance(timedelta(minutes=3))
        batches = await tried.drain()
        assert [batch.history for batch in batches if "Just now" in texts_of([batch])] == [False]


async def test_a_channel_without_videos_is_no_fault(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    async with harness(YOUTUBE, fake, clock) as tried:
        assert not comments_of(await tried.drain())
        fake.refuse(Refusal.BROKEN)
        clock.advance(timedelta(minutes=20))
        with pytest.raises(PlatformUnavailable):
            await tried.drain()


async def test_a_million_comments_under_one_video_come_in_pages(
    fake: YouTubePlatform, clock: TestClock
) -> None:
    fake.publish(*written(1))
    answer = fake.answer

    def endless(request: Any) -> Any:
        if request.args.get("videoId") is None:
            return answer(request)
        page = int(request.args.get("pageToken", "0"))
        rows = written(100, start=100 * page)
        items = [fake.thread(one) for one in rows]
        return fake.json({"items": items, "nextPageToken": str(page + 1)})

    fake.answer = endless  # type: ignore[method-assign]
    async with harness(YOUTUBE, fake, clock) as tried:
        sizes, seen = [], set[str]()
        for _ in range(34):
            batch = await one_poll(tried)
            assert batch.more
            assert len(batch.comments) <= 600
            seen |= {one.comment_id for one in batch.comments}
            sizes.append(len(str(tried.cursor)))
    assert len(seen) >= 3_000
    assert sizes[-1] < 1.1 * sizes[10], "the cursor does not grow"
    assert sizes[-1] < 60_000
