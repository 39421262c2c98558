"""What every type of source does on its fake, whatever its platform."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving.clock import TestClock
from serving.ingest.comment import parse_comment
from serving.sources.faults import BadAnswer, QuotaSpent, SourceFault, UnverifiedRequest
from serving.sources.quota import QuotaBudget
from serving.sources.quota_period import QuotaPeriod
from serving.sources.registry import SourceType
from serving.sources.source import Poller, WebhookReceiver, WebhookRequest
from serving.sources.source_batch import SourceBatch, SourceComment
from serving.sources.spec import fields_of, secret_names
from serving.storage.kol_handle_rows import handle_key
from serving.storage.kol_store import KnownKols
from tests.sources.fake_platform import RETRY_AFTER, FakeComment, FakePlatform, Refusal
from tests.sources.source_harness import KOL, SourceHarness, harness

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)


def written(count: int, start: int = 0, post_id: str = "post-1") -> list[FakeComment]:
    """Comments that people wrote in the last hours."""
    return [
        FakeComment(
            comment_id=f"c{n}",
            text=f"Comment {n}: tệ quá 😡 \u200d",
            created_at=NOW - timedelta(minutes=180 - n),
            author_id=f"author-{n % 7}",
            post_id=post_id,
            likes=n,
        )
        for n in range(start, start + count)
    ]


def comments_of(batches: Sequence[SourceBatch]) -> list[SourceComment]:
    """The comments of batches, in order."""
    return [comment for batch in batches for comment in batch.comments]


def texts_of(batches: Sequence[SourceBatch]) -> Counter[str]:
    """How often each text came."""
    return Counter(comment.text for comment in comments_of(batches) if not comment.removed)


class SourceContract:
    """Its subclass is parametrised with `source_type` and `fake_class`."""

    @pytest.fixture
    def clock(self) -> TestClock:
        return TestClock(NOW)

    @pytest.fixture
    async def fake(
        self, fake_class: type[FakePlatform], clock: TestClock
    ) -> AsyncIterator[FakePlatform]:
        found = fake_class(clock)
        await found.start()
        yield found
        await found.stop()

    def test_it_says_what_it_is_and_asks_for(
        self, source_type: SourceType[Any], fake_class: type[FakePlatform]
    ) -> None:
        for field in fields_of(source_type.spec):
            assert field.help.endswith("."), f"{field.name} needs a description"
            assert field.title, f"{field.name} needs a title"
        assert source_type.about.endswith(".")
        spec = source_type.spec.model_validate(source_type.example)
        for name in secret_names(source_type.spec):
            if value := source_type.example.get(name):
                assert value not in repr(spec) + str(spec) + spec.model_dump_json()
        assert fake_class.type == source_type.name
        assert fake_class.documented, "name the pages that the fake is built from, and the day"

    async def test_it_brings_every_comment(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
    ) -> None:
        fake.publish(*written(25))
        async with harness(source_type, fake, clock) as tried:
            batches = await tried.drain(25)
            assert set(texts_of(batches)) == {one.text for one in fake.comments.values()}
            assert len({one.comment_id for one in comments_of(batches)}) == 25

    async def test_what_it_brings_passes_the_edge_of_the_log(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
    ) -> None:
        fake.publish(*written(3))
        spec = source_type.spec.model_validate(fake.settings())
        platform = source_type.platform_of(spec)
        async with harness(source_type, fake, clock) as tried:
            batches = await tried.drain(3)
            kol_id = tried.context.kol_id
        known = KnownKols(handles={(platform, handle_key("lena-park")): KOL})
        by_text = {one.text: one for one in fake.comments.values()}
        for comment in comments_of(batches):
            parsed = parse_comment(comment.item(platform, kol_id), now=NOW, known=known)
            assert parsed.kol_id == KOL
            assert abs(parsed.created_at - by_text[parsed.text].created_at) < timedelta(seconds=1)
            assert parsed.author_id

    async def test_it_continues_from_its_cursor(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
    ) -> None:
        fake.publish(*written(12))
        async with harness(source_type, fake, clock) as tried:
            await tried.drain(12)
            cursor = tried.cursor
        clock.advance(timedelta(minutes=10))
        later = written(8, start=12)
        fake.publish(*later)
        async with harness(source_type, fake, clock, cursor=cursor) as again:
            batches = await again.drain(8)
        assert {one.text for one in later} <= set(texts_of(batches))

    async def test_it_shows_what_it_will_bring(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
    ) -> None:
        fake.publish(*written(15))
        async with harness(source_type, fake, clock) as tried:
            preview = await tried.source.preview()
        assert preview.account
        assert preview.sees
        assert preview.cannot_see
        assert preview.costs
        assert len(preview.comments) <= 10
        if isinstance(tried.source, Poller):
            assert preview.comments
        for name in secret_names(source_type.spec):
            secret = fake.settings().get(name)
            assert not secret or secret not in repr(preview)

    @pytest.mark.parametrize("refusal", Refusal)
    async def test_a_refusal_says_what_to_do(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
        refusal: Refusal,
    ) -> None:
        if not issubclass(source_type.source, Poller) or refusal not in fake.kinds:
            pytest.skip("the platform is not asked, or does not fail like this")
        fake.publish(*written(5))
        async with harness(source_type, fake, clock) as tried:
            fake.refuse(refusal)
            with pytest.raises(SourceFault) as found:
                await tried.drain(5)
            assert found.value.kind is fake.kinds[refusal]
            assert found.value.remedy
            assert str(found.value)
            if refusal is Refusal.BUSY:
                assert found.value.retry_after == RETRY_AFTER
            for name in secret_names(source_type.spec):
                secret = fake.settings().get(name)
                assert not secret or secret not in str(found.value) + found.value.remedy
            await tried.drain(5)
            assert set(texts_of(tried.batches)) == {one.text for one in fake.comments.values()}

    async def test_a_refusal_in_the_middle_loses_nothing(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
    ) -> None:
        if not issubclass(source_type.source, Poller) or Refusal.BROKEN not in fake.kinds:
            pytest.skip("the platform is not asked, or does not fail like this")
        fake.publish(*written(25))
        async with harness(source_type, fake, clock) as tried:
            batches: list[SourceBatch] = []
            for _ in range(100):
                fake.refuse(Refusal.BROKEN)  # every second attempt
                with pytest.raises(SourceFault):
                    await tried.source.poll(tried.cursor)  # type: ignore[attr-defined]
                batch = await tried.source.poll(tried.cursor)  # type: ignore[attr-defined]
                batches.append(batch)
                tried.cursor = batch.cursor or tried.cursor
                if not batch.more:
                    break
        assert set(texts_of(batches)) == {one.text for one in fake.comments.values()}

    async def test_its_quota_is_never_passed(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
    ) -> None:
        if not issubclass(source_type.source, Poller) or not fake.asks:
            pytest.skip("the platform is not asked")
        fake.publish(*written(5))
        budget = QuotaBudget(2, QuotaPeriod())
        async with harness(source_type, fake, clock, budget=budget) as tried:
            with pytest.raises(QuotaSpent) as found:
                await drain_often(tried, clock)
        assert len(fake.requests) <= 2
        assert found.value.until

    async def test_it_brings_edits(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
    ) -> None:
        if not fake.edits:
            pytest.skip("the platform does not say")
        fake.publish(*written(3))
        async with harness(source_type, fake, clock) as tried:
            await tried.drain(3)
            clock.advance(timedelta(minutes=10))
            fake.edit("c2", "It is all right now")
            batches = await tried.drain(1)
        assert "It is all right now" in texts_of(batches)

    async def test_it_brings_removals(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
    ) -> None:
        if not fake.removals:
            pytest.skip("the platform does not say")
        fake.publish(*written(3))
        async with harness(source_type, fake, clock) as tried:
            brought = {one.text: one.comment_id for one in comments_of(await tried.drain(3))}
            clock.advance(timedelta(minutes=10))
            fake.remove("c2")
            batches = await tried.drain(1)
        removed = {one.comment_id for batch in batches for one in batch.removals}
        removed |= {one.comment_id for one in comments_of(batches) if one.removed}
        assert brought[fake.comments["c2"].text] in removed

    async def test_it_brings_posts_and_followers(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
    ) -> None:
        fake.publish(*written(3))
        async with harness(source_type, fake, clock) as tried:
            batches = await tried.drain(3)
        posts = [post for batch in batches for post in batch.posts]
        if fake.posts:
            assert any(post.text and post.url and post.created_at for post in posts)
            named = {post.post_id for post in posts}
            assert {one.post_id for one in comments_of(batches)} <= named
        if fake.followers:
            assert [one for batch in batches for one in batch.followers]

    async def test_requests_that_do_not_verify_are_refused(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
    ) -> None:
        if not issubclass(source_type.source, WebhookReceiver):
            pytest.skip("it is not called")
        fake.publish(*written(1))
        (request,) = fake.deliveries()
        async with harness(source_type, fake, clock) as tried:
            receiver = tried.source
            assert isinstance(receiver, WebhookReceiver)
            receiver.receive(request)
            for forged in forgeries(request):
                with pytest.raises(UnverifiedRequest):
                    receiver.receive(forged)

    async def test_a_body_that_is_not_the_platforms_is_a_bad_answer(
        self,
        source_type: SourceType[Any],
        fake: FakePlatform,
        clock: TestClock,
    ) -> None:
        if not issubclass(source_type.source, WebhookReceiver):
            pytest.skip("it is not called")
        async with harness(source_type, fake, clock) as tried:
            assert isinstance(tried.source, WebhookReceiver)
            for body in (b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a":1}'):
                try:
                    answer = tried.source.receive(fake.delivery(body))
                except (BadAnswer, UnverifiedRequest):
                    continue
                assert not answer.batch.comments


async def drain_often(tried: SourceHarness, clock: TestClock) -> None:
    """Ask for some hours."""
    for _ in range(4):
        await tried.drain(5)
        clock.advance(timedelta(hours=1))


def forgeries(request: WebhookRequest) -> list[WebhookRequest]:
    """A request with another body, without headers and query, and with signatures cut."""
    cut = {
        name: value[:-1] if len(value) > 20 else value for name, value in request.headers.items()
    }
    bare = WebhookRequest(request.method, request.query, {}, request.body)
    return [
        WebhookRequest(request.method, request.query, request.headers, request.body + b" "),
        WebhookRequest(request.method, {}, {}, request.body),
        WebhookRequest(request.method, request.query, cut, request.body),
        bare,
    ]
