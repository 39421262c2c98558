"""Messages as the Bot API gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from serving.sources.faults import BadAnswer
from serving.sources.source_batch import SourceComment, SourcePost
from serving.sources.telegram.identity import author_name, bare_id, message_name, post_url
from serving.storage.post_record import PostKind

_KINDS = {
    "photo": PostKind.PHOTO,
    "video": PostKind.VIDEO,
    "poll": PostKind.POLL,
    "audio": PostKind.AUDIO,
    "voice": PostKind.AUDIO,
}
# What people send; a message without any of it is a notice, such as that somebody joined.
_CONTENT = frozenset(_KINDS) | {
    "text", "caption", "animation", "document", "paid_media", "sticker", "story", "video_note",
    "contact", "dice", "game", "venue", "location", "checklist",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BotChannel:
    """A channel and its discussion group.

    Attributes:
        username: of the channel.
        channel_id: without the prefix of the Bot API.
        group_id: without the prefix of the Bot API.
    """

    username: str
    channel_id: int
    group_id: int


def read_update(
    update: Mapping[str, Any], channel: BotChannel
) -> SourceComment | SourcePost | None:
    """What an update says; None for what is in another chat, or is no comment.

    Raises:
        BadAnswer: it is not as the documentation of the Bot API says.
    """
    message = update.get("message") or update.get("edited_message")
    try:
        if not message or bare_id(message["chat"]["id"]) != channel.group_id:
            return None
        if message.get("is_automatic_forward"):
            return _post(message, channel)
        return _comment(message, channel) if _CONTENT & set(message) else None
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise BadAnswer(f"Telegram sent a message that cannot be read: {error!r}") from None


def _comment(message: Mapping[str, Any], channel: BotChannel) -> SourceComment:
    group = channel.group_id
    answered = message.get("reply_to_message") or {}
    thread = message.get("message_thread_id")
    if thread is None and answered.get("is_automatic_forward"):
        thread = answered["message_id"]
    parent = answered.get("message_id")
    sender = message.get("sender_chat")
    user = message.get("from") or {}
    return SourceComment(
        comment_id=message_name(group, message["message_id"]),
        text=message.get("text", message.get("caption", "")),
        created_at=float(message["date"]),
        post_id=None if thread is None else message_name(group, thread),
        author_id=author_name(user.get("id"), None if sender is None else bare_id(sender["id"])),
        parent_id=None if parent is None or parent == thread else message_name(group, parent),
        edited_at=float(message["edit_date"]) if message.get("edit_date") else None,
    )


def _post(message: Mapping[str, Any], channel: BotChannel) -> SourcePost:
    origin = message.get("forward_origin") or {}
    at = origin.get("date", message["date"])
    number = origin.get("message_id")
    return SourcePost(
        post_id=message_name(channel.group_id, message["message_id"]),
        text=message.get("text", message.get("caption")),
        url=None if number is None else post_url(channel.username, channel.channel_id, number),
        created_at=datetime.fromtimestamp(at, UTC),
        kind=next((kind for key, kind in _KINDS.items() if key in message), PostKind.TEXT),
    )
