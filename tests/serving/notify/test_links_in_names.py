"""What others call themselves never becomes a link in a message."""

import json
import re
from typing import Any

import pytest

from serving.locales.quoting import defused, harmless
from serving.notify.render import html, lark, plain, slack, teams
from serving.notify.render.content import write
from serving.storage.post_record import PostName
from tests.serving.notify.channel_contract import harness_of
from tests.serving.notify.conftest import WORDS, notification

# As mail clients and chats find links: a scheme, a domain, an address, a name in a chat.
LINK = re.compile(
    r"\w+://\S|www\.\w|[\w-]+[.\u2024\u3002\uff0e\uff61][^\W\d]\w+|\w@\w|(?<!\w)@\w", re.IGNORECASE
)
NAMES = [
    "https://evil.example/win", "evil.example", "www.evil.example", "win@evil.example",
    "evil。example", "evil．example/x", "@evilchannel", "hxxp://evil.example",
    "a.evil.example:80/x",
]  # fmt: skip


def linked(text: str) -> list[str]:
    """What a program would make a link of, without our own."""
    return LINK.findall(re.sub(r"https://pr\.example\.com\S*", "", text))


@pytest.mark.parametrize("name", NAMES)
def test_the_pattern_of_this_test_finds_links(name: str) -> None:
    assert linked(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_no_link_and_reads_the_same(name: str) -> None:
    assert linked(harmless(name, 60)) == []
    assert harmless(name, 60).replace("\u200b", "") == name


@pytest.mark.parametrize("text", ["Wow. Great", "Lena Vane", "4 of 9, …", "10:30", "Dr. Vane"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert defused(text) == text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("several", [False, True])
def test_no_message_makes_a_link_of_a_name(name: str, several: bool) -> None:
    named = notification(kol_name=name, top_post=PostName(f"go to {name}", None))
    only_id = notification(kol_name=None, kol_id="evil.example", alert_id="b2")
    message = write([named, only_id] if several else [named], WORDS)
    shown = [message.subject, plain.body_of(message), _texts(slack.render(message))]
    shown += [_texts(teams.render(message)), _texts(lark.render(message))]
    shown += [_visible(html.render(message, WORDS, chart=None))]
    for text in shown:
        assert linked(text) == [], text
        assert "evil" in text


@pytest.mark.parametrize("channel", ["lark", "slack", "teams", "apprise", "email"])
async def test_no_channel_sends_a_name_as_a_link(channel: str) -> None:
    with harness_of(channel) as harness:
        await harness.channel.send([notification(kol_name="https://evil.example/win")])
        ((_, text),) = harness.arrived()
    assert "evil" in text
    assert not re.search(r"https?://evil|evil\.example", text)


def _texts(found: Any) -> str:
    """What a chat shows of a message, without the addresses of buttons."""
    if isinstance(found, dict):
        hidden = ("url", "$schema", "type", "contentType", "version")
        return "\n".join(_texts(value) for key, value in found.items() if key not in hidden)
    if isinstance(found, list):
        return "\n".join(map(_texts, found))
    return found if isinstance(found, str) else json.dumps(found)


def _visible(page: str) -> str:
    """What an e-mail shows."""
    return re.sub(r"<style>.*?</style>|<[^>]+>", " ", page)
