"""What only the API of any program has: orders of pages, cursors that expire, links, times."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from serving.clock import TestClock
from serving.sources.faults import BadAnswer, Misconfigured
from serving.sources.platforms.json_api import JsonApiSpec
from serving.sources.registry import source_types
from tests.sources.fake_platform import FakeComment, Refusal
from tests.sources.fakes.json_api import ForumServer
from tests.sources.source_contract import comments_of, written
from tests.sources.source_harness import harness

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
TYPE = source_types()["json_api"]


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
async def forum(clock: TestClock) -> AsyncIterator[ForumServer]:
    found = ForumServer(clock)
    await found.start()
    yield found
    await found.stop()


async def ids(forum: ForumServer, clock: TestClock, **options: Any) -> tuple[set[str], Any, int]:
    """Ids that a source brings, its cursor, and how many requests it sent."""
    before = len(forum.requests)
    async with harness(TYPE, forum, clock, **options) as tried:
        batches = await tried.drain()
        found = {one.comment_id for one in comments_of(batches)}
        return found, tried.cursor, len(forum.requests) - before


async def test_a_round_ends_where_the_last_one_began(forum: ForumServer, clock: TestClock) -> None:
    forum.publish(*written(50))
    found, cursor, requests = await ids(forum, clock)
    assert (len(found), requests) == (50, 5)
    forum.publish(*written(3, start=50))
    found, cursor, requests = await ids(forum, clock, cursor=cursor)
    assert {"c50", "c51", "c52"} <= found
    assert requests == 2  # the second page brings nothing new
    _, _, requests = await ids(forum, clock, cursor=cursor)
    assert requests == 1


async def test_a_cursor_that_expires_in_a_round_loses_nothing(
    forum: ForumServer, clock: TestClock
) -> None:
    forum.publish(*written(20))
    _, cursor, _ = await ids(forum, clock)
    forum.publish(*written(30, start=20))
    async with harness(TYPE, forum, clock, cursor=cursor) as tried:
        batch = await tried.source.poll(tried.cursor)  # type: ignore[attr-defined]
        assert batch.more
        middle = batch.cursor
    forum.expired.add("p10")
    forum.page = 15
    found, _, _ = await ids(forum, clock, cursor=middle)
    assert {f"c{n}" for n in range(20, 50)} <= found


async def test_an_api_that_continues_is_asked_for_what_follows(
    forum: ForumServer, clock: TestClock
) -> None:
    forum.publish(*written(25))
    changes = forum.oldest_first()
    found, cursor, _ = await ids(forum, clock, changes=changes)
    assert len(found) == 25
    forum.publish(*written(1, start=25))
    found, cursor, _ = await ids(forum, clock, changes=changes, cursor=cursor)
    assert found == {"c25"}
    forum.expired.add(cursor["after"])
    forum.publish(*written(1, start=26))
    found, _, _ = await ids(forum, clock, changes=changes, cursor=cursor)
    assert found == {f"c{n}" for n in range(27)}


async def test_only_the_first_list_is_history(forum: ForumServer, clock: TestClock) -> None:
    forum.publish(*written(25))
    for changes in (None, forum.oldest_first()):
        async with harness(TYPE, forum, clock, changes=changes) as tried:
            assert {batch.history for batch in await tried.drain() if batch.comments} == {True}
            forum.publish(*written(12, start=40))
            assert {batch.history for batch in await tried.drain() if batch.comments} == {False}


async def test_links_to_the_next_page_are_followed(forum: ForumServer, clock: TestClock) -> None:
    forum.publish(*written(25))
    found, _, requests = await ids(forum, clock, changes=forum.linked())
    assert (len(found), requests) == (25, 3)


async def test_a_time_leaves_out_what_was_before(forum: ForumServer, clock: TestClock) -> None:
    forum.publish(*written(25))
    changes = {"since_parameter": "since"}
    _, cursor, _ = await ids(forum, clock, changes=changes)
    forum.publish(*written(2, start=25))
    found, _, _ = await ids(forum, clock, changes=changes, cursor=cursor)
    newest = NOW - timedelta(minutes=180 - 24)
    assert forum.requests[-1].args["since"] == (newest - timedelta(minutes=5)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    assert found == {f"c{n}" for n in range(19, 27)}


async def test_a_path_that_finds_nothing_is_said(forum: ForumServer, clock: TestClock) -> None:
    forum.publish(*written(3))
    for changes, words in (({"items": "data.nothing"}, "no list"), ({"comment_id": "nr"}, "'nr'")):
        async with harness(TYPE, forum, clock, changes=changes) as tried:
            with pytest.raises(BadAnswer, match=words):
                await tried.drain()


async def test_an_answer_that_is_cut_on_a_later_page_is_asked_for_again(
    forum: ForumServer, clock: TestClock
) -> None:
    forum.publish(*written(25))
    async with harness(TYPE, forum, clock) as tried:
        batch = await tried.source.poll(None)  # type: ignore[attr-defined]
        forum.refuse(Refusal.TRUNCATED)
        with pytest.raises(BadAnswer):
            await tried.source.poll(batch.cursor)  # type: ignore[attr-defined]
        batch = await tried.source.poll(batch.cursor)  # type: ignore[attr-defined]
        assert batch.comments[0].comment_id == "c14"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"paging": "newest_first"}, "next_path is not set"),
        ({"paging": "oldest_first", "next_path": "next"}, "next_parameter is not set"),
        ({"url": "forum.example.com"}, "must be an address"),
        ({"items": "data["}, "no field path"),
        ({"requests_a_day": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        JsonApiSpec.model_validate(
            {"platform": "forum", "url": "https://forum.example.com/api", **changes}
        )


async def test_a_time_that_cannot_be_leaves_nothing_out(
    forum: ForumServer, clock: TestClock
) -> None:
    forum.publish(*written(3))
    for year in (2099, 9999):
        forum.publish(FakeComment(f"in {year}", "odd", datetime(year, 12, 31, 23, tzinfo=UTC)))
    _, cursor, _ = await ids(forum, clock, changes={"since_parameter": "since"})
    assert cursor["newest"] == (NOW - timedelta(minutes=178)).timestamp()


async def test_a_page_that_leads_to_itself_ends_the_round(
    forum: ForumServer, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    forum.publish(*written(3))
    again = {"data": {"comments": [{"id": "x", "text": "t", "created_at": NOW.isoformat()}]}}
    monkeypatch.setattr(forum, "answer", lambda _: forum.json(again | {"paging": {"next": "same"}}))
    _, _, requests = await ids(forum, clock)
    assert requests == 2


@pytest.mark.parametrize("token", ["two\nlines", "tök"])
async def test_a_token_that_cannot_be_sent_is_said_and_not_shown(
    forum: ForumServer, clock: TestClock, token: str
) -> None:
    async with harness(TYPE, forum, clock, changes={"token": token}) as tried:
        with pytest.raises(Misconfigured) as found:
            await tried.source.preview()
    assert token not in str(found.value)
    assert repr(token)[1:-1] not in str(found.value)
