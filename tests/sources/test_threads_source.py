"""What is particular about Threads: its calls, its conversations, its insights."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.clock import TestClock
from serving.sources.faults import BadAnswer
from serving.sources.graph_api.graph_records import CommentLookup
from serving.sources.platforms.threads import THREADS, ThreadsSource
from serving.sources.source_batch import SourceComment, SourcePost, SourceRemoval
from serving.sources.threads.threads_calls import ThreadsChange, read_change, threads_notices
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.threads import FakeThreads, item, post
from tests.sources.source_contract import comments_of, written
from tests.sources.source_harness import KOL, SourceHarness, harness

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
ACCOUNTS = {"lena-park": "1", "minh.tran": "2"}
REPLY = FakeComment("r1", "Tệ quá", NOW, "fan.1", "p1", "r0")


def call(field: str, value: dict[str, Any], at: datetime = NOW) -> dict[str, Any]:
    return {"topic": "t", "time": at.timestamp(), "values": {"field": field, "value": value}}


def read(field: str, value: dict[str, Any], at: datetime = NOW) -> tuple[str, list[ThreadsChange]]:
    """Whose account a call is about, and what it brings."""
    (notice,) = threads_notices(call(field, value, at), ACCOUNTS)
    return notice.account_id, read_change(notice, NOW)


class TestThreadsCalls:
    """Each field of the webhook."""

    def test_a_reply_belongs_to_the_owner_of_its_post(self) -> None:
        value = {**item(REPLY), "root_post": {"id": "p1", "owner_id": "2", "username": "x"}}
        comment = SourceComment(
            "r1", "Tệ quá", NOW, post_id="p1", author_id="fan.1", parent_id="r0"
        )
        assert read("replies", value) == ("2", [comment])
        value["root_post"] = {"id": "p1", "username": "Minh.Tran"}
        assert read("replies", value)[0] == "2"
        assert read("replies", {**value, "root_post": {"id": "p1"}})[0] == ""

    def test_a_reply_to_the_post_itself_has_no_parent(self) -> None:
        direct = FakeComment("r1", "", NOW, "fan.1", "p1")
        value = {**item(direct), "root_post": {"id": "p1", "owner_id": "1"}}
        ((found,),) = (read("replies", value)[1],)
        assert isinstance(found, SourceComment)
        assert found.parent_id is None

    def test_a_mention_belongs_to_whom_it_names(self) -> None:
        value = {"id": "m1", "text": "Hey @Minh.Tran.", "timestamp": NOW.isoformat()}
        account_id, found = read("mentions", {**value, "username": "lena-park"})
        assert account_id == "2"
        assert found == [
            SourceComment("m1", "Hey @Minh.Tran.", NOW, post_id="m1", author_id="lena-park")
        ]
        assert read("mentions", {**value, "text": "nobody"})[0] == ""

    def test_a_deletion(self) -> None:
        value = {"id": "r1", "owner": {"owner_id": "1"}, "deleted_at": NOW.isoformat()}
        assert read("delete", value) == ("1", [SourceRemoval("r1", NOW)])

    def test_a_new_post_but_no_reply_of_the_kol(self) -> None:
        value = {**post("p9"), "username": "lena-park"}
        account_id, (found,) = read("publish", value)
        assert account_id == "1"
        assert isinstance(found, SourcePost)
        assert (found.post_id, found.text) == ("p9", "A thought: p9")
        assert read("publish", {**value, "is_reply": True})[1] == []

    def test_what_is_old_or_unknown(self) -> None:
        value = {**item(REPLY), "root_post": {"id": "p1", "owner_id": "2"}}
        old = NOW - timedelta(hours=3)
        assert read("replies", value, old) == ("2", [CommentLookup("2", "r1", "p1")])
        assert read("something_new", value)[1] == []
        with pytest.raises(BadAnswer):
            threads_notices({"object": "instagram", "entry": []}, ACCOUNTS)
        with pytest.raises(BadAnswer):
            threads_notices({**call("replies", value), "time": "yesterday"}, ACCOUNTS)


class TestThreadsConversations:
    """The source on its fake."""

    @pytest.fixture
    def clock(self) -> TestClock:
        return TestClock(NOW)

    @pytest.fixture
    async def fake(self, clock: TestClock) -> AsyncIterator[FakeThreads]:
        found = FakeThreads(clock)
        await found.start()
        yield found
        await found.stop()

    async def test_counts_come_from_insights_and_are_not_needed(
        self, fake: FakeThreads, clock: TestClock
    ) -> None:
        fake.publish(*written(2))
        async with _opened(fake, clock) as tried:
            posts = [one for batch in await tried.drain() for one in batch.posts]
        (counts,) = [one.counts for one in posts if one.counts is not None]
        assert (counts.likes, counts.comments, counts.shares, counts.views) == (7, 7, 14, 7)
        fake.allows_insights = False
        async with _opened(fake, clock) as tried:
            batches = await tried.drain()
        assert len(comments_of(batches)) == 2
        assert not [one for batch in batches for one in batch.followers]

    async def test_a_call_is_brought_at_once(self, fake: FakeThreads, clock: TestClock) -> None:
        fake.publish(*written(1))
        async with _opened(fake, clock) as tried:
            await tried.drain()
            assert isinstance(tried.source, ThreadsSource)
            root = {"id": "post-1", "owner_id": fake.account_id}
            value = {**item(REPLY), "root_post": root}
            answer = tried.source.receive(fake.change("replies", value))
            await tried.source.check_subscription()
        assert [(one.comment_id, one.kol_id) for one in answer.batch.comments] == [("r1", KOL)]


@asynccontextmanager
async def _opened(fake: FakeThreads, clock: TestClock) -> AsyncIterator[SourceHarness]:
    async with harness(THREADS, fake, clock) as tried:
        yield tried
