"""Telegram by a bot that is a member of a channel's discussion group."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import Field, field_validator

from serving.sources.faults import (
    AccountGone,
    BadAnswer,
    Misconfigured,
    PlatformBusy,
    SourceFault,
    TokenExpired,
)
from serving.sources.platform_client import PlatformAnswer
from serving.sources.registry import SourceType, register
from serving.sources.source import Poller, SourceCursor, SourcePreview
from serving.sources.source_batch import SourceBatch, SourceComment, SourceFollowers, SourcePost
from serving.sources.source_context import SourceContext
from serving.sources.spec import ADVANCED, Secret, SourceSpec
from serving.sources.telegram.bot_message import BotChannel, read_update
from serving.sources.telegram.identity import bare_id, channel_username

_UPDATES = 100  # of an answer, the most that Telegram gives
_WAIT = 10  # seconds that Telegram waits for a message before it answers that there is none
_ASK_AGAIN = timedelta(hours=1)  # for the group and the followers
_KINDS = '["message","edited_message"]'
_TOKEN = re.compile(r"\d{1,20}:[\w-]{10,100}", re.ASCII)


class TelegramSpec(SourceSpec):
    """A public channel, and a bot in its discussion group."""

    channel: str = Field(
        title="Channel",
        description="The public name of the channel, such as @lenapark; not its group.",
    )
    token: Secret = Field(
        title="Token of the bot",
        description="What @BotFather gave when the bot was made; the bot serves this source only.",
    )
    api_url: str = Field(
        "https://api.telegram.org",
        title="Address of the Bot API",
        description="Where the Bot API answers; another one for a Bot API server of your own.",
        json_schema_extra=ADVANCED,
    )

    @field_validator("channel")
    @classmethod
    def _check_channel(cls, written: str) -> str:
        return channel_username(written)

    @field_validator("token")
    @classmethod
    def _check_token(cls, token: Secret) -> Secret:
        if not _TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("copy the whole token from @BotFather: digits, a colon, letters")
        return token


class TelegramSource(Poller):
    """Asks for the bot's updates; Telegram answers as soon as there is one.

    An update is confirmed by asking for the one after it, which happens only once it is committed.
    """

    least_interval = timedelta(seconds=1)
    most_interval = timedelta(seconds=2)

    def __init__(self, spec: TelegramSpec, context: SourceContext) -> None:
        self._username = spec.channel
        # Telegram takes the token in the path only; faults name the host alone.
        url = f"{spec.api_url.rstrip('/')}/bot{spec.token.get_secret_value()}"
        self._client = context.client(url, read_fault=_read_fault)
        self._clock = context.clock

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """The next updates."""
        place = dict(cursor or {})
        followers: list[SourceFollowers] = []
        now = self._clock.now()
        if now.timestamp() - place.get("checked", 0) >= _ASK_AGAIN.total_seconds():
            channel = await self._find()
            followers.append(SourceFollowers(await self._members(), now))
            place |= {
                "channel": channel.channel_id,
                "group": channel.group_id,
                "checked": now.timestamp(),
            }
        channel = BotChannel(self._username, place["channel"], place["group"])
        wait = 0 if followers else _WAIT
        updates = await self._updates({"offset": place.get("offset"), "timeout": wait})
        comments, posts = _read(updates, channel)
        if updates:
            place["offset"] = max(one["update_id"] for one in updates) + 1
        return SourceBatch(
            comments=comments,
            posts=posts,
            followers=followers,
            cursor=place,
            more=len(updates) >= _UPDATES,
        )

    async def preview(self) -> SourcePreview:
        """What waits for the bot; nothing is confirmed."""
        channel = await self._find()
        bot = _part(await self._ask("getMe"), "getMe")
        if not bot.get("can_read_all_group_messages"):
            member = await self._ask(
                "getChatMember",
                {"chat_id": _bot_id(channel.group_id), "user_id": bot.get("id")},
            )
            if _part(member, "getChatMember").get("status") != "administrator":
                raise Misconfigured(
                    "the bot is in privacy mode: it sees only messages that are meant for it",
                    remedy="send /setprivacy to @BotFather, choose Disable, and add the bot to the"
                    " discussion group again; or make it an administrator of the group",
                )
        updates = await self._updates({"limit": 50, "timeout": 0})
        comments, _ = _read(updates, channel)
        return SourcePreview(
            account=f"@{self._username} (Telegram), by the bot @{bot.get('username', '?')}",
            sees=(
                "comments in the channel's discussion group from now on, within seconds",
                "edits, answers and the channel's own replies",
                "posts with text, time and link, and the number of subscribers",
            ),
            cannot_see=(
                "comments from before the bot was added, and those older than 24 hours after a"
                " long stop: Telegram keeps them no longer for a bot",
                "removed comments, reactions, and how often posts were viewed or forwarded:"
                " Telegram tells bots nothing of them",
                "messages of other bots",
            ),
            costs=("no charge, and no quota",),
            comments=tuple(reversed(comments[-10:])),
        )

    async def _find(self) -> BotChannel:
        """The channel and its group."""
        name = f"@{self._username}"
        chat = _part(await self._ask("getChat", {"chat_id": name}), "getChat")
        group = chat.get("linked_chat_id")
        if chat.get("type") != "channel":
            raise Misconfigured(f"{name} is no channel", remedy="enter the channel, not its group")
        if not isinstance(group, int) or not isinstance(chat.get("id"), int):
            raise Misconfigured(
                f"{name} has no discussion group, so nobody can comment",
                remedy="add a discussion group in the channel's settings on Telegram",
            )
        # The bot has to be a member of it; Telegram refuses otherwise, and says why.
        await self._ask("getChat", {"chat_id": group})
        return BotChannel(self._username, bare_id(chat["id"]), bare_id(group))

    async def _members(self) -> int:
        found = await self._ask("getChatMemberCount", {"chat_id": f"@{self._username}"})
        if not isinstance(found, int):
            raise BadAnswer("Telegram did not say how many subscribers there are")
        return found

    async def _updates(self, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        found = await self._ask(
            "getUpdates", {"limit": _UPDATES, "allowed_updates": _KINDS, **params}
        )
        if not isinstance(found, list) or not all(
            isinstance(one, dict) and isinstance(one.get("update_id"), int) for one in found
        ):
            raise BadAnswer("Telegram answered something that is no list of updates")
        return found

    async def _ask(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        answer = (await self._client.get(f"/{method}", params)).object()
        if answer.get("ok") is not True or "result" not in answer:
            raise BadAnswer(f"Telegram's answer to {method} has no result")
        return answer["result"]


def _read(
    updates: list[Mapping[str, Any]], channel: BotChannel
) -> tuple[list[SourceComment], list[SourcePost]]:
    comments: list[SourceComment] = []
    posts: list[SourcePost] = []
    for update in updates:
        found = read_update(update, channel)
        if isinstance(found, SourceComment):
            comments.append(found)
        elif found is not None:
            posts.append(found)
    return comments, posts


def _read_fault(answer: PlatformAnswer) -> SourceFault | None:
    """The fault that the body explains."""
    try:
        body = answer.object()
    except BadAnswer:
        return None
    words = str(body.get("description", ""))[:200]
    if answer.status == 429:
        asked = body.get("parameters")
        pause = asked.get("retry_after") if isinstance(asked, dict) else None
        if isinstance(pause, int):
            return PlatformBusy("Telegram asks for a pause (429)", retry_after=float(pause))
    if answer.status == 404:  # what it says to a token that never was
        return TokenExpired(
            "Telegram does not know the bot (404)",
            remedy="send /token to @BotFather, and enter what it gives in the source's settings",
        )
    if answer.status == 409:
        return Misconfigured(
            f"somebody else takes the bot's messages: {words}",
            remedy="make a bot for this source alone, or stop the other program and its webhook",
        )
    if answer.status == 400 and "chat not found" in words:
        return AccountGone(
            f"Telegram does not find the channel or its group: {words}",
            remedy="check the channel's name, and add the bot to its discussion group",
        )
    return None


def _part(found: Any, method: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise BadAnswer(f"Telegram's answer to {method} is no object")
    return found


def _bot_id(group_id: int) -> int:
    return -1_000_000_000_000 - group_id


register(
    SourceType(
        name="telegram",
        title="Telegram (by a bot)",
        about="Comments in the discussion group of a channel, by a bot that is a member of it.",
        platform="telegram",
        source=TelegramSource,
        spec=TelegramSpec,
        build=TelegramSource,
        example={"channel": "@lenapark", "token": "123456789:AAExampleTokenOfABot"},
    )
)
