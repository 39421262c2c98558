"""Mastodon: its stream, its HTML, and servers that know a part."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from werkzeug import Response

from serving.clock import TestClock
from serving.sources.faults import AccountGone, BadAnswer, PlatformBusy, PlatformUnavailable
from serving.sources.mastodon.html_text import text_of_html
from serving.sources.platforms.mastodon import MastodonSource, whole_name
from serving.sources.registry import source_types
from serving.sources.source_batch import SourceBatch
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.mastodon import KOL_ID, TOKEN, MastodonPlatform
from tests.sources.source_contract import NOW, comments_of, texts_of, written
from tests.sources.source_harness import SourceHarness, harness


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
async def fake(clock: TestClock) -> AsyncIterator[MastodonPlatform]:
    found = MastodonPlatform(clock)
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def tried(fake: MastodonPlatform, clock: TestClock) -> AsyncIterator[SourceHarness]:
    changes = {"hashtags": ["LenaPark"]}
    async with harness(source_types()["mastodon"], fake, clock, changes=changes) as found:
        yield found


def source_of(tried: SourceHarness) -> MastodonSource:
    assert isinstance(tried.source, MastodonSource)
    return tried.source


async def opened(
    stream: AsyncGenerator[SourceBatch, None], fake: MastodonPlatform
) -> "asyncio.Task[SourceBatch]":
    """The first batch is awaited, and the stream is open."""
    first = asyncio.ensure_future(anext(stream))
    async with asyncio.timeout(5):
        while not fake.connected and not first.done():
            await asyncio.sleep(0.005)
    return first


def status(fake: MastodonPlatform, text: str, **changes: Any) -> dict[str, Any]:
    """A status of somebody."""
    one = FakeComment(changes.pop("id", f"id-{text}"), text, NOW)
    return fake.status(one, **changes)


class TestMastodonStream:
    """What happens on the server."""

    async def test_it_brings_what_concerns_the_kol_and_is_public(
        self, fake: MastodonPlatform, tried: SourceHarness
    ) -> None:
        alone = {"in_reply_to_id": None, "in_reply_to_account_id": None}
        async with aclosing(source_of(tried).read(None)) as stream:
            first = await opened(stream, fake)
            fake.send("update", status(fake, "Answer"))
            fake.send("update", status(fake, "Deeper", in_reply_to_id="id-Answer"))
            fake.send("update", status(fake, "Nobody's", **alone))
            fake.send("update", status(fake, "Tag", tags=[{"name": "lenapark"}], **alone))
            named = status(fake, "Mention", mentions=[{"id": KOL_ID}], **alone)
            fake.send("notification", {"type": "mention", "status": named})
            secret = status(fake, "Secret", visibility="direct")
            fake.send("notification", {"type": "mention", "status": secret})
            fake.send("notification", {"type": "follow"})
            fake.send("update", status(fake, "Shared", reblog={"id": "1"}))
            fake.send("update", fake.post("post-9"))
            fake.send("filters_changed", "")
            batch = await first
            fake.send("status.update", status(fake, "Answer", edited_at=NOW.isoformat()))
            fake.send("delete", "id-Mention")
            fake.send("delete", "of-somebody-else")
            later = await anext(stream)
        found = {one.text: one for one in batch.comments}
        assert set(found) == {"Answer", "Deeper", "Tag", "Mention"}
        assert found["Deeper"].post_id == found["Answer"].post_id == "127.0.0.1/post-1"
        assert found["Deeper"].parent_id == "127.0.0.1/id-Answer"
        assert found["Answer"].parent_id is None
        assert [post.text for post in batch.posts] == ["The post post-9"]
        assert [(one.text, one.edited_at) for one in later.comments] == [
            ("Answer", NOW.isoformat())
        ]
        assert [one.comment_id for one in later.removals] == ["127.0.0.1/id-Mention"]
        assert fake.tokens == [f"Bearer {TOKEN}"]

    async def test_after_a_broken_connection_everything_is_asked_at_once(
        self, fake: MastodonPlatform, tried: SourceHarness, clock: TestClock
    ) -> None:
        fake.publish(*written(2))
        await tried.drain()
        clock.advance(timedelta(seconds=5))
        asked = len(fake.requests)
        await tried.drain()
        assert len(fake.requests) == asked  # nothing is due
        fake.publish(*written(1, start=2))
        async with aclosing(source_of(tried).read(None)) as stream:
            first = await opened(stream, fake)
            fake.hang_up()
            with pytest.raises(PlatformUnavailable, match="closed the connection"):
                await first
        assert set(texts_of(await tried.drain())) == {fake.comments["c2"].text}

    @pytest.mark.parametrize(
        ("event", "payload"), [("update", '{"id":"1","acc'), ("status.update", "[1]")]
    )
    async def test_a_cut_event_is_a_bad_answer(
        self, fake: MastodonPlatform, tried: SourceHarness, event: str, payload: str
    ) -> None:
        async with aclosing(source_of(tried).read(None)) as stream:
            first = await opened(stream, fake)
            fake.send(event, payload)
            with pytest.raises(BadAnswer):
                await first


class TestMastodonRest:
    """What is asked for."""

    async def test_history_comes_by_links_and_is_marked(
        self, fake: MastodonPlatform, tried: SourceHarness
    ) -> None:
        fake.page = 2
        for n in range(5):
            fake.publish(*written(2, start=2 * n, post_id=f"post-{n}"))
        fake.publish(FakeComment("n", "New", NOW + timedelta(seconds=1), post_id="post-0"))
        batches = await tried.drain()
        found = {one.text: batch.history for batch in batches for one in batch.comments}
        assert found.pop("New") is False
        assert len(found) == 10
        assert set(found.values()) == {True}
        paths = [one.full_path for one in fake.requests if one.path.endswith("/statuses")]
        assert [path.partition("?")[2] for path in paths] == ["limit=40", "max_id=2", "max_id=4"]

    async def test_an_account_that_changes_its_name_and_one_that_moves(
        self, fake: MastodonPlatform, tried: SourceHarness, clock: TestClock
    ) -> None:
        fake.publish(*written(2))
        await tried.drain()
        fake.handle = "lena"  # the server knows the id
        clock.advance(timedelta(hours=2))
        fake.publish(*written(1, start=2))
        kind = source_types()["mastodon"]
        async with harness(kind, fake, clock, cursor=tried.cursor) as again:
            assert len(comments_of(await again.drain())) == 1
            fake.moved = "lena@example.com"
            clock.advance(timedelta(hours=2))
            with pytest.raises(AccountGone, match=r"has moved to @lena@example\.com"):
                await again.drain()

    async def test_a_status_that_is_deleted_in_the_middle_of_paging(
        self, fake: MastodonPlatform, tried: SourceHarness
    ) -> None:
        for n in range(3):
            fake.publish(*written(2, start=2 * n, post_id=f"post-{n}"))
        for _ in range(2):
            tried.cursor = (await source_of(tried).poll(tried.cursor)).cursor
        fake.deleted_posts.add("post-1")
        assert len(texts_of(await tried.drain())) == 4

    async def test_an_answer_whose_parent_never_comes_and_one_that_is_hidden(
        self,
        fake: MastodonPlatform,
        tried: SourceHarness,
        clock: TestClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        fake.publish(FakeComment("c0", "To nobody", NOW, parent_id="ghost"), *written(1, start=1))
        found = {one.text: one for one in comments_of(await tried.drain())}
        assert found["To nobody"].parent_id == "127.0.0.1/ghost"
        clock.advance(timedelta(minutes=10))
        answer = fake.answer

        def empty(request: Any) -> Response:
            nothing = fake.json({"ancestors": [], "descendants": []})
            return nothing if request.path.endswith("/context") else answer(request)

        monkeypatch.setattr(fake, "answer", empty)
        fake.remove("c1")
        removed = [one.comment_id for batch in await tried.drain() for one in batch.removals]
        assert removed == ["127.0.0.1/c1"]

    async def test_mentions_are_asked_for_with_a_token_of_the_kol(
        self, fake: MastodonPlatform, tried: SourceHarness
    ) -> None:
        fake.owner = KOL_ID
        fake.publish(*written(1))
        await tried.drain()
        paths = [one.path for one in fake.requests]
        assert "/api/v1/notifications" in paths
        assert "/api/v1/timelines/tag/LenaPark" in paths

    async def test_a_limit_in_the_servers_own_header(
        self, fake: MastodonPlatform, tried: SourceHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reset = (NOW + timedelta(seconds=90)).isoformat()
        busy = Response("{}", status=429, headers={"X-RateLimit-Reset": reset})
        monkeypatch.setattr(fake, "answer", lambda _: busy)
        with pytest.raises(PlatformBusy) as found:
            await tried.drain()
        assert found.value.retry_after == pytest.approx(90)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>three</p>", "One\n\nTwo\nthree"),
        ("<p>1 &lt; 2 &amp; &#128545;</p>", "1 < 2 & 😡"),
        (
            '<p><span class="h-card"><a href="https://x">@<span>lena</span></a></span> no</p>',
            "@lena no",
        ),
        (
            '<a href="https://e.com/a"><span class="invisible">https://</span>'
            '<span class="ellipsis">e.com/</span><span class="invisible">a</span></a>',
            "https://e.com/a",
        ),
        ("<p>Not <b>closed", "Not closed"),
        ("plain", "plain"),
        ("<script>bad()</script>ok", "ok"),
        ("", ""),
    ],
)
def test_html_as_people_read_it(html: str, text: str) -> None:
    assert text_of_html(html) == text


@pytest.mark.parametrize(
    ("entered", "name"),
    [
        ("@lena@mastodon.social", "lena@mastodon.social"),
        ("lena", "lena"),
        ("https://mastodon.social/@lena/", "lena@mastodon.social"),
    ],
)
def test_accounts_as_people_write_them(entered: str, name: str) -> None:
    assert whole_name(entered) == name
