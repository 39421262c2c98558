"""Bluesky: what only its stream and its names can do."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from serving.clock import TestClock
from serving.sources.bluesky.feed_post import written_at
from serving.sources.bluesky.roster import whole_handle
from serving.sources.faults import AccountGone, BadAnswer, PlatformUnavailable
from serving.sources.kol_accounts import KolAccount
from serving.sources.platforms.bluesky import BlueskySource
from serving.sources.registry import source_types
from serving.sources.source_batch import SourceBatch
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.bluesky import (
    COLLECTION,
    KOL_DID,
    BlueskyPlatform,
    address,
    microseconds,
)
from tests.sources.source_contract import NOW, comments_of, texts_of, written
from tests.sources.source_harness import KOL, SourceHarness, harness

OTHER = "did:plc:somebody2222222222222222"


@pytest.fixture
def clock() -> TestClock:
    return TestClock(NOW)


@pytest.fixture
async def fake(clock: TestClock) -> AsyncIterator[BlueskyPlatform]:
    found = BlueskyPlatform(clock)
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def tried(fake: BlueskyPlatform, clock: TestClock) -> AsyncIterator[SourceHarness]:
    async with harness(source_types()["bluesky"], fake, clock) as found:
        yield found


def source_of(tried: SourceHarness) -> BlueskySource:
    assert isinstance(tried.source, BlueskySource)
    return tried.source


async def connected(
    stream: AsyncGenerator[SourceBatch, None], fake: BlueskyPlatform, before: int = 0
) -> "asyncio.Task[SourceBatch]":
    """The first batch is awaited, and the stream is open."""
    first = asyncio.ensure_future(anext(stream))
    async with asyncio.timeout(5):
        while fake.connected <= before and not first.done():
            await asyncio.sleep(0.005)
    return first


def reply(text: str, post_id: str = "post-1") -> dict[str, object]:
    """A record that answers a post of the KOL."""
    top = {"uri": address(KOL_DID, post_id), "cid": "bafy"}
    return {"text": text, "createdAt": NOW.isoformat(), "reply": {"root": top, "parent": top}}


class TestBlueskyStream:
    """Jetstream, filtered for the KOLs."""

    async def test_it_brings_what_concerns_a_kol_and_nothing_else(
        self, fake: BlueskyPlatform, tried: SourceHarness
    ) -> None:
        mention = {"index": {}, "features": [{"$type": "x#mention", "did": KOL_DID}]}
        link = {"index": {}, "features": [{"$type": "x#link", "uri": "https://example.com"}]}
        own = {"uri": address(KOL_DID, "post-1")}
        elsewhere = {"root": {"uri": address(OTHER, "p")}, "parent": {"uri": address(OTHER, "p")}}
        told = {"createdAt": NOW.isoformat()}
        with_photos = {"$type": "app.bsky.embed.recordWithMedia", "record": {"record": own}}
        async with aclosing(source_of(tried).read(None)) as stream:
            first = await connected(stream, fake)
            fake.commit(OTHER, "1", {"text": "No KOL", "createdAt": NOW.isoformat()})
            fake.commit(OTHER, "2", reply("tệ quá 😡 \u200d"))
            fake.commit(OTHER, "3", {"text": "@lena", "facets": [link, mention]} | told)
            fake.commit(OTHER, "4", {"text": "Look", "embed": {"record": own}} | told)
            fake.commit(OTHER, "5", {"text": "Photos", "embed": with_photos} | told)
            fake.commit(KOL_DID, "post-2", {"text": "My new post"} | told)
            fake.commit(KOL_DID, "6", {"text": "My answer", "reply": elsewhere} | told)
            fake.commit(OTHER, "7", {"text": f"{KOL_DID} in a text"} | told)
            fake.commit(OTHER, "8", {"text": 7, "reply": [KOL_DID]})
            batch = await first
        found = {one.text: one for one in batch.comments}
        assert set(found) == {"tệ quá 😡 \u200d", "@lena", "Look", "Photos", "My answer"}
        assert {one.kol_id for one in batch.comments} == {KOL}
        assert found["Look"].post_id == found["Photos"].post_id == own["uri"]
        assert found["@lena"].post_id is None
        assert found["My answer"].author_id == KOL_DID
        assert found["My answer"].post_id == address(OTHER, "p")
        assert found["tệ quá 😡 \u200d"].parent_id is None  # it is under the post itself
        assert [post.text for post in batch.posts] == ["My new post"]
        url = batch.posts[0].url
        assert url == f"https://bsky.app/profile/{KOL_DID}/post/post-2"

    async def test_mentions_can_be_left_out(self, fake: BlueskyPlatform, clock: TestClock) -> None:
        quoting = {"text": "Look", "embed": {"record": {"uri": address(KOL_DID, "post-1")}}}
        changes = {"mentions": False}
        async with (
            harness(source_types()["bluesky"], fake, clock, changes=changes) as tried,
            aclosing(source_of(tried).read(None)) as stream,
        ):
            first = await connected(stream, fake)
            fake.commit(OTHER, "1", quoting | {"createdAt": NOW.isoformat()})
            fake.commit(OTHER, "2", reply("An answer"))
            assert [one.text for one in (await first).comments] == ["An answer"]

    async def test_edits_and_deletions_arrive(
        self, fake: BlueskyPlatform, tried: SourceHarness
    ) -> None:
        async with aclosing(source_of(tried).read(None)) as stream:
            first = await connected(stream, fake)
            fake.commit(OTHER, "1", reply("Bad"))
            fake.commit(OTHER, "2", reply("Worse"))
            await first
            fake.commit(OTHER, "1", reply("Not so bad"), operation="update")
            fake.commit(OTHER, "2", None, operation="delete")
            fake.commit(OTHER, "3", None, operation="delete")  # of a post that nobody asked for
            fake.commit("did:plc:third", "2", None, operation="delete")
            batch = await anext(stream)
        assert [(one.text, one.edited_at) for one in batch.comments] == [("Not so bad", NOW)]
        assert [(one.comment_id, one.kol_id) for one in batch.removals] == [
            (address(OTHER, "2"), KOL)
        ]

    async def test_it_goes_back_on_another_server_and_its_cursor_never_does(
        self, fake: BlueskyPlatform, clock: TestClock
    ) -> None:
        changes = {"jetstream_hosts": [fake.stream_url, f"{fake.stream_url}/second"]}
        async with harness(source_types()["bluesky"], fake, clock, changes=changes) as tried:
            async with aclosing(source_of(tried).read(None)) as stream:
                first = await connected(stream, fake)
                fake.commit(OTHER, "1", reply("First"))
                fake.commit(OTHER, "1", reply("First"))  # twice
                assert [one.text for one in (await first).comments] == ["First"]
                fake.commit(OTHER, "2", reply("Late"), at=NOW - timedelta(seconds=4))
                batch = await anext(stream)
                assert [one.text for one in batch.comments] == ["Late"]
                assert batch.cursor is not None
                assert batch.cursor["at"] == microseconds(NOW)
                fake.hang_up()
                with pytest.raises(PlatformUnavailable, match="closed the connection"):
                    await anext(stream)
            async with aclosing(source_of(tried).read(batch.cursor)) as stream:
                again = await anext(stream)
        assert {one.text for one in again.comments} == {"First", "Late"}
        rewound = microseconds(NOW - timedelta(seconds=5))
        assert fake.paths[1].startswith("/second/subscribe?wantedCollections=app.bsky.feed.post&")
        assert fake.paths[1].endswith(f"&cursor={rewound}")

    async def test_a_cursor_that_is_too_old_makes_the_poller_ask_for_everything(
        self, fake: BlueskyPlatform, tried: SourceHarness, clock: TestClock
    ) -> None:
        fake.publish(*written(3))
        await tried.drain()
        clock.advance(timedelta(seconds=20))
        asked = len(fake.requests)
        await tried.drain()
        assert len(fake.requests) == asked  # nothing is due
        fake.commit(OTHER, "1", reply("Missed"), at=clock.now())
        fake.kept_from = microseconds(clock.now())
        old = {"at": microseconds(clock.now() - timedelta(days=3))}
        async with aclosing(source_of(tried).read(old)) as stream:
            await anext(stream)
        await tried.drain()
        paths = [request.path.rpartition(".")[2] for request in fake.requests[asked:]]
        assert paths == ["getAuthorFeed", "getPostThread"]

    async def test_accounts_that_go(self, fake: BlueskyPlatform, tried: SourceHarness) -> None:
        async with aclosing(source_of(tried).read(None)) as stream:
            first = await connected(stream, fake)
            fake.commit(OTHER, "1", reply("Bad"))
            await first
            fake.account(OTHER, "desynchronized")
            assert (await anext(stream)).removals == ()
            fake.account(OTHER, "deleted")
            batch = await anext(stream)
            assert [one.comment_id for one in batch.removals] == [address(OTHER, "1")]
            fake.account(KOL_DID, "deactivated")
            batch = await anext(stream)
            assert batch.cursor is not None  # it is committed before the fault
            with pytest.raises(AccountGone, match="lena-park is deactivated"):
                await anext(stream)

    async def test_a_message_that_is_cut_is_left_out_and_many_are_a_fault(
        self, fake: BlueskyPlatform, tried: SourceHarness
    ) -> None:
        async with aclosing(source_of(tried).read(None)) as stream:
            first = await connected(stream, fake)
            fake.send('{"did":"' + KOL_DID + '","time_us":17')
            fake.commit(OTHER, "1", reply("After it"))
            assert [one.text for one in (await first).comments] == ["After it"]
            for _ in range(12):
                fake.send('{"did":"' + KOL_DID + '","time_us":17')
            with pytest.raises(BadAnswer, match="10 messages in a row"):
                await anext(stream)

    async def test_a_stream_that_says_nothing_brings_nothing(
        self, fake: BlueskyPlatform, tried: SourceHarness
    ) -> None:
        async with aclosing(source_of(tried).read(None)) as stream:
            first = await connected(stream, fake)
            done, _ = await asyncio.wait([first], timeout=0.3)
            assert not done  # the runner ends it after `silence`
            first.cancel()
            await asyncio.wait([first])
        assert timedelta(seconds=10) < source_of(tried).silence <= timedelta(minutes=1)


class TestBlueskyCatchUp:
    """What the public API brings."""

    async def test_an_account_that_is_renamed_is_the_same(
        self, fake: BlueskyPlatform, tried: SourceHarness, clock: TestClock
    ) -> None:
        fake.publish(*written(3))
        await tried.drain()
        fake.handle = "lena.example.com"
        clock.advance(timedelta(hours=2))
        fake.publish(*written(2, start=3))
        kind = source_types()["bluesky"]
        async with harness(kind, fake, clock, cursor=tried.cursor) as again:
            assert len(texts_of(await again.drain())) == 2
        async with harness(kind, fake, clock) as new:  # nothing knows the DID
            with pytest.raises(AccountGone, match=r"@lena-park.bsky.social of the KOL lena-park"):
                await new.drain()

    async def test_one_missing_account_does_not_stop_the_others(
        self, fake: BlueskyPlatform, clock: TestClock
    ) -> None:
        fake.publish(*written(3))
        accounts = (
            KolAccount("gone", None, "not-there.example.com"),
            KolAccount(KOL, "Lena Park", "@Lena-Park.bsky.social"),
            KolAccount("nowhere", None, None),
        )
        kind = source_types()["bluesky"]
        async with harness(kind, fake, clock, accounts=accounts) as tried:
            assert len(texts_of(await tried.drain())) == 3
            with pytest.raises(AccountGone, match="KOL gone"):
                await tried.drain()
            clock.advance(timedelta(minutes=1))
            asked = len(fake.requests)
            await tried.drain()
            with pytest.raises(AccountGone):  # as soon as nothing else is to be done
                await tried.drain()
            actors = [one.args.get("actor") for one in fake.requests[asked:]]
            assert "not-there.example.com" not in actors  # it is looked for every ten minutes

    async def test_history_is_read_in_pages_and_marked(
        self, fake: BlueskyPlatform, tried: SourceHarness, clock: TestClock
    ) -> None:
        fake.page = 2
        for n in range(5):
            fake.publish(*written(3, start=3 * n, post_id=f"post-{n}"))
        at = NOW + timedelta(minutes=1)
        fake.publish(FakeComment("new", "After the connection", at, post_id="post-0"))
        batches = await tried.drain()
        kinds = {one.text: batch.history for batch in batches for one in batch.comments}
        assert kinds.pop("After the connection") is False
        assert len(kinds) == 15
        assert set(kinds.values()) == {True}
        feeds = [one for one in fake.requests if one.path.endswith("getAuthorFeed")]
        assert len(feeds) == 3
        clock.advance(timedelta(minutes=4))
        again = await tried.drain()
        assert comments_of(again) == []  # nothing is new
        assert len([one for one in fake.requests if one.path.endswith("getAuthorFeed")]) == 4

    async def test_a_post_that_is_deleted_in_the_middle_of_paging(
        self, fake: BlueskyPlatform, tried: SourceHarness
    ) -> None:
        for n in range(3):
            fake.publish(*written(2, start=2 * n, post_id=f"post-{n}"))
        batch = await source_of(tried).poll(None)  # the profile
        batch = await source_of(tried).poll(batch.cursor)  # the feed
        fake.deleted_posts.add("post-1")
        tried.cursor = batch.cursor
        assert set(texts_of(await tried.drain())) == {
            one.text for one in fake.comments.values() if one.post_id != "post-1"
        }
        asked = len(fake.requests)
        await tried.drain()
        assert len(fake.requests) == asked

    async def test_a_long_thread_that_shows_a_part_removes_nothing(
        self,
        fake: BlueskyPlatform,
        tried: SourceHarness,
        clock: TestClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        fake.publish(*written(4))
        await tried.drain()
        clock.advance(timedelta(minutes=10))
        fake.remove("c1")
        everything = fake.living
        monkeypatch.setattr(fake, "living", lambda post_id=None: everything(post_id)[:1])
        whole = {fake.view(one)["uri"]: fake.view(one) for one in everything()}
        batches = await drain_with_posts(tried, fake, monkeypatch, whole)
        removed = [one.comment_id for batch in batches for one in batch.removals]
        assert removed == [address("did:plc:author-1", "c1")]

    async def test_an_answer_whose_parent_never_comes_and_quotes_that_are_deleted(
        self, fake: BlueskyPlatform, tried: SourceHarness, clock: TestClock
    ) -> None:
        orphan = FakeComment("c0", "To somebody who is gone", NOW, parent_id="ghost")
        quote = FakeComment("q0", "Look at this", NOW, author_id="author-9")
        fake.publish(orphan)
        fake.quotes["q0"] = quote
        found = {one.text: one for one in comments_of(await tried.drain())}
        assert found["To somebody who is gone"].parent_id == address("did:plc:nobody", "ghost")
        assert found["Look at this"].post_id == address(KOL_DID, "post-1")
        clock.advance(timedelta(minutes=10))
        assert comments_of(await tried.drain()) == []


async def drain_with_posts(
    tried: SourceHarness,
    fake: BlueskyPlatform,
    monkeypatch: pytest.MonkeyPatch,
    whole: Mapping[str, object],
) -> list[SourceBatch]:
    """Threads show one comment; `getPosts` knows all that exist."""
    answer = fake.answer

    def answered(request):  # type: ignore[no-untyped-def]
        if request.path.endswith("getPosts"):
            wanted = request.args.getlist("uris")
            return fake.json({"posts": [whole[uri] for uri in wanted if uri in whole]})
        return answer(request)

    monkeypatch.setattr(fake, "answer", answered)
    return await tried.drain()


@pytest.mark.parametrize(
    ("claimed", "counts"),
    [
        ("2026-11-30T13:59:00Z", datetime(2026, 11, 30, 13, 59, tzinfo=UTC)),
        ("2026-11-30T21:30:00+08:00", datetime(2026, 11, 30, 13, 30, tzinfo=UTC)),
        ("2026-11-30T14:00:01Z", NOW),  # of the future
        ("2019-01-01T00:00:00Z", NOW),  # nobody knows: it came now
        ("2026-11-30T13:59:00", NOW),  # no zone
        ("yesterday", NOW),
        ("", NOW),
    ],
)
def test_what_an_author_claims(claimed: str, counts: datetime) -> None:
    assert written_at(claimed, NOW) == counts


@pytest.mark.parametrize(
    ("entered", "whole"),
    [
        ("lena-park", "lena-park.bsky.social"),
        ("@Lena.Example.com", "lena.example.com"),
        ("https://bsky.app/profile/lena.example.com/", "lena.example.com"),
        (KOL_DID, KOL_DID),
    ],
)
def test_handles_as_people_write_them(entered: str, whole: str) -> None:
    assert whole_handle(entered) == whole


def test_the_collection_is_the_one_of_posts() -> None:
    assert COLLECTION == "app.bsky.feed.post"
