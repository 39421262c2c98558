"""The calls of Instagram's webhook."""

from datetime import timedelta

import pytest

from serving.clock import TestClock
from serving.sources.faults import (
    BadAnswer,
    PlatformUnavailable,
    UnverifiedRequest,
)
from serving.sources.source import WebhookRequest
from serving.sources.source_batch import SourceComment
from tests.sources.fakes.instagram import FakeInstagram, value
from tests.sources.graph_fake import APP_SECRET, VERIFY_TOKEN
from tests.sources.instagram_fixtures import (
    NOW,
    InstagramFixtures,
    Opened,
    one,
    source_of,
)
from tests.sources.source_contract import written
from tests.sources.source_harness import KOL


class TestInstagramCalls(InstagramFixtures):
    """Calls of the webhook."""

    async def test_the_handshake_answers_the_challenge(self, opened: Opened) -> None:
        query = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
        async with opened() as tried:
            receive = source_of(tried).receive
            right = {**query, "hub.verify_token": VERIFY_TOKEN}
            assert receive(WebhookRequest("GET", right, {}, b"")).body == b"1158201444"
            for wrong in ({**query, "hub.verify_token": "guess"}, query, {}):
                with pytest.raises(UnverifiedRequest):
                    receive(WebhookRequest("GET", wrong, {}, b""))

    async def test_a_comment_is_brought_at_once(self, fake: FakeInstagram, opened: Opened) -> None:
        fake.publish(*written(1))
        async with opened() as tried:
            await tried.drain()
            comment = one("c9", text="Tệ quá", author_id="fan-9", parent_id="c0")
            call = fake.notice("comments", value(comment), NOW)
            answer = source_of(tried).receive(call)
            repeated = source_of(tried).receive(call)
        assert answer.batch.comments == [
            SourceComment("c9", "Tệ quá", NOW, KOL, None, "post-1", "fan-9", "c0")
        ]
        assert answer.delivery_key == repeated.delivery_key
        assert answer.delivery_key
        assert answer.status == 200

    async def test_live_comments_keep_their_broadcast(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        fake.publish(*written(1))
        async with opened() as tried:
            await tried.drain()
            live = one("c9", post_id="live-7")
            answer = source_of(tried).receive(
                fake.notice("live_comments", value(live, "LIVE"), NOW)
            )
        assert [comment.post_id for comment in answer.batch.comments] == ["live-7"]
        assert not answer.poll_now

    async def test_a_comment_under_a_picture_of_an_album_finds_its_post(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        fake.publish(*written(1))
        async with opened() as tried:
            await tried.drain()
            fake.publish(one("c9"))
            named = value(one("c9", post_id="picture-2"))
            answer = source_of(tried).receive(fake.notice("comments", named, NOW))
            assert [comment.post_id for comment in answer.batch.comments] == [None]
            assert answer.poll_now
            batch = await source_of(tried).poll(tried.cursor)
        assert [(each.comment_id, each.post_id) for each in batch.comments] == [("c9", "post-1")]

    async def test_unknown_events_and_accounts_change_nothing(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        fake.publish(*written(1))
        async with opened() as tried:
            await tried.drain()
            receive = source_of(tried).receive
            for call in (
                fake.notice("story_insights", {"media_id": "1"}, NOW),
                fake.notice("comments", value(one("c9")), NOW, account_id="17841499999999999"),
            ):
                answer = receive(call)
                assert answer.status == 200
                assert not answer.batch.comments
            with pytest.raises(BadAnswer, match="page"):
                receive(fake.call({"object": "page", "entry": []}))

    async def test_one_change_that_cannot_be_read_does_not_stop_the_others(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        fake.publish(*written(1))
        async with opened() as tried:
            await tried.drain()
            changes = [
                {"field": "comments", "value": {"text": "no id"}},
                {"field": "comments", "value": None},
                {"field": "comments", "value": value(one("c9"))},
            ]
            entry = {"id": fake.account_id, "time": int(NOW.timestamp()), "changes": changes}
            answer = source_of(tried).receive(fake.call({"object": "instagram", "entry": [entry]}))
        assert [comment.comment_id for comment in answer.batch.comments] == ["c9"]
        assert answer.poll_now

    async def test_the_form_of_instagram_login_is_read(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        fake.publish(*written(1))
        async with opened() as tried:
            await tried.drain()
            entry = {
                "id": fake.account_id,
                "time": int(NOW.timestamp()),
                "field": "comments",
                "value": value(one("c9")),
            }
            answer = source_of(tried).receive(
                fake.call([{"object": "instagram", "entry": [entry]}])
            )
        assert [comment.comment_id for comment in answer.batch.comments] == ["c9"]

    async def test_a_call_from_days_ago_is_a_replay(
        self, fake: FakeInstagram, clock: TestClock, opened: Opened
    ) -> None:
        fake.publish(*written(1))
        call = fake.notice("comments", value(one("c9")), NOW)
        async with opened() as tried:
            await tried.drain()
            clock.advance(timedelta(hours=36))  # Meta repeats calls for as long
            assert source_of(tried).receive(call).batch.comments
            clock.advance(timedelta(hours=13))
            with pytest.raises(UnverifiedRequest):
                source_of(tried).receive(call)

    async def test_before_the_accounts_are_known_meta_has_to_call_again(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        fake.publish(*written(1))
        call = fake.notice("comments", value(one("c9")), NOW)
        async with opened() as tried:
            answer = source_of(tried).receive(call)
            assert (answer.status, answer.delivery_key, answer.poll_now) == (503, None, True)
            await tried.drain()
            assert source_of(tried).receive(call).batch.comments

    async def test_either_secret_may_sign(self, fake: FakeInstagram, opened: Opened) -> None:
        fake.publish(*written(1))
        call = fake.notice("comments", value(one("c9")), NOW)
        async with opened(changes={"app_secret": f"another {APP_SECRET}"}) as tried:
            await tried.drain()
            assert source_of(tried).receive(call).batch.comments
        async with opened(changes={"app_secret": "another"}) as tried:
            with pytest.raises(UnverifiedRequest):
                source_of(tried).receive(call)

    async def test_a_mention_elsewhere_is_asked_for(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        fake.publish(*written(1))
        async with opened(changes={"login": "instagram"}) as tried:
            await tried.drain()
            source = source_of(tried)
            source._by_page = True
            fake.publish(one("m1", text="@lena-park is awful", post_id="foreign-3"))
            named = {"media_id": "foreign-3", "comment_id": "m1"}
            assert source.receive(fake.notice("mentions", named, NOW)).poll_now
            batch = await source.poll(tried.cursor)
        (mention,) = batch.comments
        assert (mention.text, mention.post_id, mention.kol_id) == (
            "@lena-park is awful",
            "foreign-3",
            KOL,
        )

    async def test_a_refusal_between_two_lookups_loses_none(
        self, fake: FakeInstagram, opened: Opened
    ) -> None:
        fake.publish(*written(4))
        async with opened() as tried:
            await tried.drain()
            for comment_id in ("c0", "c1", "c2"):
                named = value(one(comment_id, post_id="picture-2"))
                source_of(tried).receive(fake.notice("comments", named, NOW))
            fake.answer_only(1)
            first = await source_of(tried).poll(tried.cursor)
            with pytest.raises(PlatformUnavailable):
                await source_of(tried).poll(tried.cursor)
            second = await source_of(tried).poll(tried.cursor)
        found = [each.comment_id for batch in (first, second) for each in batch.comments]
        assert sorted(found) == ["c0", "c1", "c2"]
        assert first.more
