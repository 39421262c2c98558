"""Names of what is on Telegram: the same whether a bot or an account reads it.

So a source may be changed from one to the other, and no comment is counted twice.
"""

# Ids of channels and groups are written with this before them by the Bot API: -100 and the id.
_BOT_PREFIX = 1_000_000_000_000


def bare_id(chat_id: int) -> int:
    """The id of a channel or group as Telegram itself has it, of one as the Bot API writes it."""
    return -chat_id - _BOT_PREFIX


def message_name(group_id: int, message_id: int) -> str:
    """The id of a comment or post: messages are numbered in their group."""
    return f"{group_id}/{message_id}"


def author_name(user_id: int | None, channel_id: int | None) -> str | None:
    """Who wrote a message: a person, or a channel or group under its own name.

    Args:
        user_id: of the person.
        channel_id: of the channel; it comes before the person.
    """
    if channel_id is not None:
        return f"channel-{channel_id}"
    return None if user_id is None else str(user_id)


def post_url(username: str | None, channel_id: int, message_id: int) -> str:
    """Where people find a post of a channel."""
    where = username or f"c/{channel_id}"
    return f"https://t.me/{where}/{message_id}"


def channel_username(written: str) -> str:
    """The name of a public channel, of how people write it: "@lena", "https://t.me/lena".

    Raises:
        ValueError: it is none.
    """
    found = written.strip()
    for start in ("https://", "http://", "t.me/", "telegram.me/", "s/", "@"):
        found = found.removeprefix(start)
    found = found.strip("/")
    if not (4 <= len(found) <= 32 and found.isascii() and found.replace("_", "a").isalnum()):
        raise ValueError(
            "enter the name of a public channel, such as @lenapark or https://t.me/lenapark; a"
            " private channel needs a public name first"
        )
    return found
