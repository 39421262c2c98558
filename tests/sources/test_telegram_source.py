"""What is particular about Telegram by a bot."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import ValidationError
from werkzeug import Response

from serving.clock import TestClock
from serving.sources.faults import AccountGone, Misconfigured, SourceFault, TokenExpired
from serving.sources.platforms.telegram import TelegramSource, TelegramSpec
from serving.sources.registry import source_types
from tests.sources.fake_platform import FakeComment
from tests.sources.fakes.telegram import (
    CHANNEL,
    GROUP,
    SUBSCRIBERS,
    TOKEN,
    TelegramBotApi,
    bot_id,
)
from tests.sources.source_contract import NOW, comments_of, written
from tests.sources.source_harness import SourceHarness, harness


@pytest.fixture
async def tried() -> AsyncIterator[SourceHarness]:
    clock = TestClock(NOW)
    fake = TelegramBotApi(clock)
    await fake.start()
    async with harness(source_types()["telegram"], fake, clock) as found:
        yield found
    await fake.stop()


def api(tried: SourceHarness) -> TelegramBotApi:
    assert isinstance(tried.fake, TelegramBotApi)
    return tried.fake


class TestTelegramBot:
    async def test_updates_are_confirmed_only_after_they_were_committed(
        self, tried: SourceHarness
    ) -> None:
        api(tried).publish(*written(3))
        assert isinstance(tried.source, TelegramSource)
        first = await tried.source.poll(None)
        again = await tried.source.poll(None)  # killed before the commit
        assert [one.comment_id for one in again.comments] == [
            one.comment_id for one in first.comments
        ]
        await tried.source.preview()
        assert len(api(tried).updates) == 4
        await tried.source.poll(first.cursor)
        assert not api(tried).updates

    async def test_more_than_a_page_is_asked_for_at_once(self, tried: SourceHarness) -> None:
        api(tried).publish(*written(230))
        assert len({one.comment_id for one in comments_of(await tried.drain())}) == 230

    async def test_it_brings_answers_the_channels_own_reply_and_the_post(
        self, tried: SourceHarness
    ) -> None:
        fake = api(tried)
        first = FakeComment("c1", "Why?", NOW)
        answer = FakeComment("c2", "Because", NOW, parent_id="c1")
        fake.publish(first)
        reply = fake.message(answer) | {"sender_chat": {"id": bot_id(CHANNEL), "type": "channel"}}
        fake.add({"message": reply})
        (batch,) = await tried.drain()
        asked, answered = batch.comments
        assert asked.parent_id is None
        assert asked.author_id == "5001"
        assert answered.parent_id == asked.comment_id == f"{GROUP}/{fake.number('c1')}"
        assert answered.author_id == f"channel-{CHANNEL}"
        (post,) = batch.posts
        assert post.post_id == asked.post_id == answered.post_id
        assert post.url == f"https://t.me/lenapark/{fake.number('post-1') - 90}"
        assert batch.followers[0].followers == SUBSCRIBERS

    async def test_notices_and_other_chats_are_no_comments_and_photos_are(
        self, tried: SourceHarness
    ) -> None:
        fake = api(tried)
        bare = fake.message(FakeComment("c1", "", NOW))
        del bare["text"]
        fake.add({"message": bare | {"new_chat_members": [{"id": 1}]}})
        fake.add({"message": bare | {"text": "elsewhere", "chat": {"id": bot_id(7)}}})
        fake.add({"message": bare | {"photo": [{}], "caption": "See this"}})
        fake.add({"message": bare | {"sticker": {}, "message_id": 900}})
        fake.add({"my_chat_member": {}})
        (batch,) = await tried.drain()
        assert [one.text for one in batch.comments] == ["See this", ""]

    async def test_followers_are_counted_again_after_an_hour(self, tried: SourceHarness) -> None:
        clock = tried.fake.clock
        assert isinstance(clock, TestClock)
        counted = []
        for _ in range(4):
            counted += [bool(batch.followers) for batch in await tried.drain()]
            clock.advance(timedelta(minutes=31))
        assert counted == [True, False, True, False]

    @pytest.mark.parametrize(
        ("status", "description", "fault"),
        [
            (409, "Conflict: can't use getUpdates method while webhook is active", Misconfigured),
            (404, "Not Found", TokenExpired),
            (400, "Bad Request: chat not found", AccountGone),
        ],
    )
    async def test_refusals_are_explained_without_the_token(
        self, tried: SourceHarness, status: int, description: str, fault: type[SourceFault]
    ) -> None:
        body = {"ok": False, "error_code": status, "description": description}
        api(tried).answer = lambda _request: tried.fake.json(body, status=status)  # type: ignore[assignment,method-assign]
        with pytest.raises(fault) as found:
            await tried.drain()
        assert TOKEN not in str(found.value) + found.value.remedy

    async def test_a_bot_that_sees_nothing_is_refused_at_setup(self, tried: SourceHarness) -> None:
        api(tried).sees_all = False
        with pytest.raises(Misconfigured, match="privacy mode") as found:
            await tried.source.preview()
        assert "/setprivacy" in found.value.remedy

    async def test_a_channel_without_a_group_is_refused(self, tried: SourceHarness) -> None:
        chat = {"ok": True, "result": {"id": bot_id(CHANNEL), "type": "channel"}}

        def answer(_request: object) -> Response:
            return tried.fake.json(chat)

        api(tried).answer = answer  # type: ignore[assignment,method-assign]
        with pytest.raises(Misconfigured, match="no discussion group"):
            await tried.drain()


@pytest.mark.parametrize("channel", ["@lenapark", "https://t.me/lenapark/", "t.me/s/lenapark"])
def test_a_channel_may_be_written_as_people_do(channel: str) -> None:
    spec = TelegramSpec.model_validate({"channel": channel, "token": TOKEN})
    assert spec.channel == "lenapark"


@pytest.mark.parametrize(
    ("field", "value"), [("channel", "https://t.me/+AbCdEf"), ("token", "123"), ("channel", "x")]
)
def test_bad_settings_name_the_fix(field: str, value: str) -> None:
    good = {"channel": "@lenapark", "token": TOKEN}
    with pytest.raises(ValidationError, match=r"enter the name|copy the whole token"):
        TelegramSpec.model_validate(good | {field: value})
