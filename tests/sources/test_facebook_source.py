"""What is particular about Facebook: the feed of a page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog

from serving.clock import TestClock
from serving.sources.facebook.feed_changes import FeedChange, read_change
from serving.sources.faults import BadAnswer
from serving.sources.graph_api.graph_records import CommentLookup
from serving.sources.graph_api.webhook_calls import GraphNotice
from serving.sources.platforms.facebook import FACEBOOK, FacebookSource
from serving.sources.source_batch import SourceComment, SourcePost, SourceRemoval
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.facebook import FakeFacebook, change_of
from tests.sources.source_contract import comments_of, written
from tests.sources.source_harness import KOL, SourceHarness, harness

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
PAGE = FakeFacebook.account_id
COMMENT = FakeComment("p1_c1", "Tệ quá", NOW - timedelta(minutes=1), "fan-1", "page_p1")
POST = {
    "item": "video",
    "verb": "add",
    "post_id": "page_p2",
    "message": "Out now",
    "created_time": int(NOW.timestamp()),
    "from": {"id": PAGE},
    "post": {"permalink_url": "https://www.facebook.com/page_p2"},
}


def read(value: dict[str, Any], at: datetime = NOW) -> list[FeedChange]:
    return read_change(GraphNotice(PAGE, "feed", value, at), NOW)


class TestFeedChanges:
    """Each verb of the feed."""

    def test_a_new_comment(self) -> None:
        assert read(change_of(COMMENT)) == [
            SourceComment(
                "p1_c1", "Tệ quá", COMMENT.created_at, post_id="page_p1", author_id="fan-1"
            )
        ]

    def test_a_reply_names_its_parent(self) -> None:
        (found,) = read(change_of(replace(COMMENT, parent_id="p1_c0")))
        assert isinstance(found, SourceComment)
        assert found.parent_id == "p1_c0"

    @pytest.mark.parametrize("verb", ["edited", "edit", "update"])
    def test_an_edit_says_when(self, verb: str) -> None:
        (found,) = read(change_of(COMMENT, verb))
        assert isinstance(found, SourceComment)
        assert (found.edited_at, found.created_at) == (NOW, COMMENT.created_at)

    @pytest.mark.parametrize("verb", ["remove", "delete"])
    def test_a_removal(self, verb: str) -> None:
        assert read(change_of(COMMENT, verb)) == [SourceRemoval("p1_c1", NOW)]

    @pytest.mark.parametrize("verb", ["hide", "unhide", "block", "something_new"])
    def test_hiding_and_what_is_unknown_change_nothing(self, verb: str) -> None:
        assert read(change_of(COMMENT, verb)) == []

    def test_an_old_call_is_asked_for_as_the_comment_may_have_been_edited(self) -> None:
        old = NOW - timedelta(hours=3)
        assert read(change_of(COMMENT), old) == [CommentLookup(PAGE, "p1_c1", "page_p1")]
        assert read(change_of(COMMENT, "remove"), old) == [SourceRemoval("p1_c1", old)]

    def test_a_post_of_the_page(self) -> None:
        url = "https://www.facebook.com/page_p2"
        assert read(POST) == [SourcePost("page_p2", text="Out now", url=url, created_at=NOW)]
        assert read({**POST, "published": 0}) == []
        assert read({**POST, "verb": "remove"}) == []

    def test_a_post_of_a_visitor_is_like_a_comment(self) -> None:
        visit = {**POST, "from": {"id": "fan-1"}, "message": "Shame on you"}
        (found,) = read(visit)
        assert isinstance(found, SourceComment)
        assert (found.comment_id, found.post_id, found.author_id) == ("page_p2", "page_p2", "fan-1")
        assert read({**visit, "verb": "remove"}) == [SourceRemoval("page_p2", NOW)]

    def test_reactions_bring_nothing(self) -> None:
        assert read({"item": "reaction", "verb": "add", "post_id": "page_p1"}) == []

    def test_what_lacks_its_id_is_a_bad_answer(self) -> None:
        with pytest.raises(BadAnswer, match="comment_id"):
            read({"item": "comment", "verb": "add"})


class TestFacebookPages:
    """The source on its fake."""

    @pytest.fixture
    def clock(self) -> TestClock:
        return TestClock(NOW)

    @pytest.fixture
    async def fake(self, clock: TestClock) -> AsyncIterator[FakeFacebook]:
        found = FakeFacebook(clock)
        await found.start()
        yield found
        await found.stop()

    async def test_an_old_call_brings_the_text_of_now(
        self, fake: FakeFacebook, clock: TestClock
    ) -> None:
        fake.publish(*written(2))
        async with _opened(fake, clock) as tried:
            await tried.drain()
            source = tried.source
            assert isinstance(source, FacebookSource)
            first = fake.change(change_of(fake.comments["c1"]))
            clock.advance(timedelta(hours=2))
            fake.edit("c1", "I take it back")
            gone = fake.change(change_of(fake.comments["c0"]), NOW)
            fake.remove("c0")
            for call in (first, gone, first):
                answer = source.receive(call)
                assert answer.poll_now
                assert not answer.batch.comments
            batch = await source.poll(tried.cursor)
        assert [(one.text, one.post_id, one.kol_id) for one in batch.comments] == [
            ("I take it back", "post-1", KOL)
        ]
        assert [one.comment_id for one in batch.removals] == ["c0"]

    async def test_the_token_of_a_page_is_enough(
        self, fake: FakeFacebook, clock: TestClock
    ) -> None:
        fake.publish(*written(2))
        fake.is_page_token = True
        async with _opened(fake, clock) as tried:
            assert len(comments_of(await tried.drain())) == 2

    async def test_the_end_of_a_token_is_said_before(
        self, fake: FakeFacebook, clock: TestClock
    ) -> None:
        fake.publish(*written(2))
        fake.expires_at = int((NOW + timedelta(days=8)).timestamp())
        async with _opened(fake, clock) as tried:
            preview = await tried.source.preview()
            with structlog.testing.capture_logs() as logs:
                await tried.drain()
        assert any("8 December 2026" in line for line in preview.costs)
        assert "source_token_ends" in [log["event"] for log in logs]

    async def test_an_edit_that_only_polling_finds_has_a_time(
        self, fake: FakeFacebook, clock: TestClock
    ) -> None:
        fake.publish(*written(2))
        async with _opened(fake, clock) as tried:
            await tried.drain()
            clock.advance(timedelta(minutes=10))
            fake.edit("c1", "I take it back")
            fake.undelivered()
            found = comments_of(await tried.drain())
        assert {one.text: one.edited_at for one in found}["I take it back"] == clock.now()
        assert {one.text: one.edited_at for one in found if one.comment_id == "c0"} == {
            fake.comments["c0"].text: None
        }


@asynccontextmanager
async def _opened(fake: FakeFacebook, clock: TestClock) -> AsyncIterator[SourceHarness]:
    async with harness(FACEBOOK, fake, clock) as tried:
        yield tried
