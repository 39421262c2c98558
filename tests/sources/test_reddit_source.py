"""Reddit: tokens, limits, long threads, and names in subreddits."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from werkzeug import Response

from serving.clock import TestClock
from serving.sources.faults import Misconfigured, PlatformBusy, TokenExpired
from serving.sources.kol_accounts import KolAccount
from serving.sources.registry import source_types
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.reddit import RedditPlatform
from tests.sources.source_contract import NOW, comments_of, texts_of, written
from tests.sources.source_harness import KOL, SourceHarness, harness

SUBREDDIT = {"subreddits": ["beauty"], "names": ["Lena P."]}


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
async def fake(clock: TestClock) -> AsyncIterator[RedditPlatform]:
    found = RedditPlatform(clock)
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def tried(fake: RedditPlatform, clock: TestClock) -> AsyncIterator[SourceHarness]:
    async with harness(source_types()["reddit"], fake, clock) as found:
        yield found


class TestRedditSession:
    """Tokens and limits."""

    async def test_a_token_is_renewed_before_it_ends_and_after_it_was_revoked(
        self, fake: RedditPlatform, tried: SourceHarness, clock: TestClock
    ) -> None:
        fake.publish(*written(2))
        await tried.drain()
        assert fake.grants == [{"grant_type": "client_credentials"}]
        clock.advance(timedelta(minutes=59, seconds=30))
        fake.token = "token-2"
        await tried.drain()
        assert len(fake.grants) == 2
        clock.advance(timedelta(minutes=5))
        fake.token = "token-3"
        with pytest.raises(TokenExpired):
            await tried.drain()
        await tried.drain()
        assert len(fake.grants) == 3

    async def test_a_refresh_token_that_was_revoked(
        self, fake: RedditPlatform, clock: TestClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changes = {"refresh_token": "1-refresh"}
        async with harness(source_types()["reddit"], fake, clock, changes=changes) as tried:
            fake.publish(*written(1))
            await tried.drain()
            grant = {"grant_type": "refresh_token", "refresh_token": "1-refresh"}
            assert fake.grants == [grant]
        monkeypatch.setattr(fake, "answer", lambda _: fake.json({"error": "invalid_grant"}))
        async with harness(source_types()["reddit"], fake, clock, changes=changes) as tried:
            with pytest.raises(TokenExpired, match="invalid_grant") as found:
                await tried.drain()
        assert "reddit.com/prefs/apps" in found.value.remedy

    async def test_it_says_who_it_is_and_stops_before_the_limit(
        self, fake: RedditPlatform, tried: SourceHarness, clock: TestClock
    ) -> None:
        fake.publish(*written(1))
        fake.left = 0.0
        with pytest.raises(PlatformBusy) as found:
            await tried.drain()
        assert found.value.retry_after == pytest.approx(41)
        assert len(fake.requests) == 2  # the token and the first
        for request in fake.requests:
            assert request.headers["User-Agent"] == "linux:groundswell:v1 (by /u/groundswell_pr)"
            assert request.args.get("raw_json") == "1" or request.method == "POST"
        fake.left = 50.0
        clock.advance(timedelta(seconds=42))
        assert len(texts_of(await tried.drain())) == 1


class TestRedditThreads:
    """What is under a submission."""

    async def test_a_long_thread_is_asked_for_in_parts(
        self, fake: RedditPlatform, tried: SourceHarness
    ) -> None:
        fake.publish(*written(230))
        fake.hidden = [f"c{n}" for n in range(3, 228)]
        fake.publish(replace(written(1, start=230)[0], parent_id="c1"))
        fake.below = ["c1"]
        batches = await tried.drain()
        assert len(texts_of(batches)) == 231
        asked = [one for one in fake.requests if one.path == "/api/morechildren"]
        assert [len(one.args["children"].split(",")) for one in asked] == [100, 100, 25]
        assert [one for one in fake.requests if one.path == "/comments/post-1/_/c1"]
        backlog = [batch.backlog or 0 for batch in batches]
        assert (max(backlog), backlog[-1]) == (226, 0)

    async def test_removals_of_all_kinds_are_said_once(
        self, fake: RedditPlatform, tried: SourceHarness, clock: TestClock
    ) -> None:
        fake.publish(*written(4), FakeComment("a1", "An answer", NOW, parent_id="c1"))
        await tried.drain()
        clock.advance(timedelta(minutes=10))
        fake.remove("c1")  # is shown as "[deleted]", because it has an answer
        fake.remove("c2")  # is not shown
        removed = [one.comment_id for batch in await tried.drain() for one in batch.removals]
        assert sorted(removed) == ["t1_c1", "t1_c2"]
        clock.advance(timedelta(minutes=10))
        again = await tried.drain()
        assert [one for batch in again for one in batch.removals] == []
        assert comments_of(again) == []

    async def test_scores_and_parents(
        self, fake: RedditPlatform, tried: SourceHarness, clock: TestClock
    ) -> None:
        fake.publish(FakeComment("c0", "To somebody who is gone", NOW, parent_id="ghost", likes=-4))
        (comment,) = comments_of(await tried.drain())
        assert comment.parent_id == "t1_ghost"
        assert comment.likes == 0  # a score below zero is no count of likes
        fake.publish(replace(fake.comments["c0"], likes=9))
        clock.advance(timedelta(minutes=10))
        assert [one.likes for one in comments_of(await tried.drain())] == [9]

    async def test_a_submission_that_is_deleted_in_the_middle_of_paging(
        self, fake: RedditPlatform, tried: SourceHarness
    ) -> None:
        fake.page = 2
        for n in range(5):
            fake.publish(*written(2, start=2 * n, post_id=f"post-{n}"))
        for _ in range(3):
            batch = await tried.source.poll(tried.cursor)  # type: ignore[attr-defined]
            tried.cursor = batch.cursor
        fake.deleted_posts.add("post-1")
        assert len(texts_of(await tried.drain())) == 8
        asked = len(fake.requests)
        await tried.drain()
        assert len(fake.requests) == asked

    async def test_history_is_marked(self, fake: RedditPlatform, tried: SourceHarness) -> None:
        fake.publish(*written(2), FakeComment("n", "New", NOW + timedelta(seconds=1)))
        batches = await tried.drain()
        found = {one.text: batch.history for batch in batches for one in batch.comments}
        assert found.pop("New") is False
        assert set(found.values()) == {True}


class TestRedditSubreddits:
    """Threads and comments of others that name the KOL."""

    async def test_only_what_names_the_kol_is_brought(
        self, fake: RedditPlatform, clock: TestClock
    ) -> None:
        other = {"author": "somebody", "author_fullname": "t2_x", "selftext": ""}
        fake.threads = [
            fake.submission("t1", title="Lena P. again", **other),
            fake.submission("t2", title="Helena Parker", **other),
        ]
        fake.publish(
            FakeComment("c1", "Under her thread", NOW, post_id="t1"),
            FakeComment("c2", "I met lena park yesterday", NOW, post_id="elsewhere"),
            FakeComment("c3", "Something else", NOW, post_id="elsewhere"),
        )
        accounts = (KolAccount(KOL, "Lena Park", None),)
        kind = source_types()["reddit"]
        async with harness(kind, fake, clock, changes=SUBREDDIT, accounts=accounts) as tried:
            batches = await tried.drain()
        texts = set(texts_of(batches))
        assert texts == {"Lena P. again", "Under her thread", "I met lena park yesterday"}
        assert [post for batch in batches for post in batch.posts] == []  # not the KOL's
        search = next(one for one in fake.requests if one.path == "/r/beauty/search")
        assert search.args["q"] == '"Lena Park" OR "Lena P."'
        assert search.args["restrict_sr"] == "1"

    async def test_nothing_to_look_for_is_said(
        self, fake: RedditPlatform, clock: TestClock
    ) -> None:
        accounts = (KolAccount(KOL, "Lena Park", None),)
        async with harness(source_types()["reddit"], fake, clock, accounts=accounts) as tried:
            with pytest.raises(Misconfigured, match="nothing to look for"):
                await tried.drain()

    async def test_an_answer_that_is_no_listing(
        self, fake: RedditPlatform, tried: SourceHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = fake.answer

        def strange(request: Any) -> Response:
            return (
                fake.json({"kind": "Listing"}) if "submitted" in request.path else answer(request)
            )

        monkeypatch.setattr(fake, "answer", strange)
        with pytest.raises(Exception, match="a listing of Reddit lacks 'data'"):
            await tried.drain()
