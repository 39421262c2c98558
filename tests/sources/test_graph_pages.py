"""Reading posts and comments page by page, on Instagram's fake."""

from dataclasses import replace
from datetime import timedelta

from serving.clock import TestClock
from serving.sources.source_batch import SourceBatch
from tests.sources.fakes.instagram import FakeInstagram, value
from tests.sources.instagram_fixtures import (
    NOW,
    InstagramFixtures,
    Opened,
    one,
    polled,
    removed,
    source_of,
)
from tests.sources.source_contract import comments_of, texts_of, written


class TestGraphPages(InstagramFixtures):
    """Reading posts and comments."""

    async def test_replies_are_brought_with_their_parents(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        replies = [one(f"r{n}", parent_id="c0", author_id=fake.account_id) for n in range(25)]
        fake.publish(*written(3), *replies)
        async with opened() as tried:
            found = comments_of(await polled(tried))
        parents = {each.comment_id: each.parent_id for each in found}
        assert {parents[f"r{n}"] for n in range(25)} == {"c0"}
        assert parents["c1"] is None
        # The KOL's own replies name the account as their author.
        assert {each.author_id for each in found if each.parent_id} == {fake.account_id}

    async def test_a_late_reply_to_an_old_comment_is_found(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(45))
        async with opened() as tried:
            await polled(tried)
            clock.advance(timedelta(minutes=20))
            fake.publish(one("late", parent_id="c0", created_at=clock.now()))
            assert "late" in texts_of(await polled(tried))

    async def test_a_reply_whose_parent_never_comes_is_kept(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        fake.publish(*written(1))
        async with opened() as tried:
            await tried.drain()
            orphan = fake.notice("comments", value(one("r1", parent_id="never")), NOW)
            answer = source_of(tried).receive(orphan)
        assert [each.parent_id for each in answer.batch.comments] == ["never"]

    async def test_a_cursor_that_expires_loses_nothing(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        fake.publish(*written(25))
        async with opened() as tried:
            batches: list[SourceBatch] = []
            for _ in range(30):
                batch = await source_of(tried).poll(tried.cursor)
                tried.cursor = batch.cursor or tried.cursor
                batches.append(batch)
                ids = [each.comment_id for each in batch.comments]
                if len(comments_of(batches)) == 10 and ids:
                    fake.remove(ids[-1])  # the cursor points to it
                if not batch.more:
                    break
        assert len(texts_of(batches)) == 25

    async def test_a_post_that_is_deleted_in_the_middle_ends_quietly(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        fake.publish(*written(25), one("other", post_id="post-2"))
        async with opened() as tried:
            batches: list[SourceBatch] = []
            while len(comments_of(batches)) < 10:
                batches.append(await source_of(tried).poll(tried.cursor))
                tried.cursor = batches[-1].cursor or tried.cursor
            fake.gone_posts.add("post-1")
            batches += await polled(tried)
        assert "other" in texts_of(batches)
        assert not removed(batches)

    async def test_an_emptied_page_removes_nothing(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(5))
        async with opened() as tried:
            await polled(tried)
            clock.advance(timedelta(hours=1))
            fake.missing_pages = 1
            assert not removed(await polled(tried))
            assert not fake.missing_pages
            fake.remove("c3")
            clock.advance(timedelta(hours=1))
            assert removed(await polled(tried)) == ["c3"]

    async def test_the_replies_of_a_comment_go_with_it(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(3), one("r1", parent_id="c1"), one("r2", parent_id="c2"))
        async with opened() as tried:
            await polled(tried)
            clock.advance(timedelta(minutes=10))
            fake.remove("c1")
            fake.remove("r1")
            assert set(removed(await polled(tried))) == {"c1", "r1"}
            clock.advance(timedelta(minutes=10))
            fake.remove("r2")
            assert removed(await polled(tried)) == ["r2"]

    async def test_counts_and_likes_are_brought_again(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(3))
        async with opened() as tried:
            await polled(tried)
            clock.advance(timedelta(minutes=10))
            fake.comments["c2"] = replace(fake.comments["c2"], likes=77)
            batches = await polled(tried)
        counts = [post.counts for batch in batches for post in batch.posts]
        assert [each.comments for each in counts if each] == [3]
        assert [each.at for each in counts if each] == [clock.now()]
        assert 77 in {each.likes for each in comments_of(batches)}

    async def test_old_posts_bring_no_history_but_what_comes_new(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(3))
        clock.advance(timedelta(days=120))
        async with opened() as tried:
            assert not comments_of(await polled(tried))
            clock.advance(timedelta(minutes=2))
            fake.publish(one("new", created_at=clock.now()))
            assert "new" in texts_of(await polled(tried))

    async def test_only_the_past_is_history(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(3))
        async with opened() as tried:
            first = await polled(tried)
            assert all(batch.history for batch in first if texts_of([batch]) and batch.more)
            clock.advance(timedelta(minutes=10))
            fake.publish(one("new", post_id="post-2", created_at=clock.now()))
            (batch,) = [each for each in await polled(tried) if "new" in texts_of([each])]
        assert not batch.history

    async def test_a_post_that_was_left_out_before_is_not_read_from_its_beginning(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(3))
        async with opened() as tried:
            await polled(tried)
            (state,) = tried.cursor["accounts"].values()  # type: ignore[index]
            state["posts"], state["schedule"] = {}, []
            clock.advance(timedelta(days=8))
            await polled(tried)
            (state,) = tried.cursor["accounts"].values()  # type: ignore[index]
            state["posts"], state["schedule"] = {}, []
            clock.advance(timedelta(minutes=2))
            assert not comments_of(await polled(tried))

    async def test_what_was_published_while_the_service_was_off_is_read(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(3))
        async with opened() as tried:
            await polled(tried)
            cursor = tried.cursor
        fake.post_times["post-2"] = clock.now() + timedelta(days=5)
        clock.advance(timedelta(days=20))
        fake.publish(one("new", post_id="post-2", created_at=clock.now()))
        async with opened(cursor=cursor) as again:
            assert "new" in texts_of(await polled(again))

    async def test_a_quiet_post_is_asked_as_soon_as_its_count_grows(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(2))
        async with opened() as tried:
            for _ in range(8):
                await polled(tried)
                clock.advance(timedelta(minutes=59))
            await polled(tried)
            fake.publish(one("new", created_at=clock.now()))
            clock.advance(timedelta(minutes=2))
            assert "new" in texts_of(await polled(tried))
