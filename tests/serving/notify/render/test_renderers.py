"""Each form of the message: golden, whole in both languages, and harmless."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from serving.locales.wording import Wording, wording
from serving.notify.render import html, lark, plain, slack, teams
from serving.notify.render.content import write
from tests.serving.notify.conftest import WORDS, notification
from tests.serving.notify.render.conftest import hostile, rendered

Golden = Callable[[str, str], None]
VIETNAMESE = wording("vi", "Asia/Ho_Chi_Minh")
LANGUAGES = pytest.mark.parametrize("words", [WORDS, VIETNAMESE], ids=["en", "vi"])


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


@LANGUAGES
def test_plain(golden: Golden, words: Wording) -> None:
    said = rendered(words)
    golden(f"alert.{words.language}.txt", f"{said.subject}\n\n{plain.body_of(said)}\n")


def test_plain_of_an_end(golden: Golden) -> None:
    golden("over.en.txt", plain.render([notification(reason="resolved")], WORDS).body + "\n")


def test_plain_of_a_burst(golden: Golden) -> None:
    burst = [notification(), notification(reason="resolved")]
    golden("burst.en.txt", plain.render(burst, WORDS).body + "\n")


@LANGUAGES
def test_html(golden: Golden, words: Wording) -> None:
    golden(f"alert.{words.language}.html", html.render(rendered(words), words, chart="c@g") + "\n")


@LANGUAGES
def test_slack(golden: Golden, words: Wording) -> None:
    golden(f"alert.{words.language}.slack.json", as_json(slack.render(rendered(words))))


@LANGUAGES
def test_teams(golden: Golden, words: Wording) -> None:
    golden(f"alert.{words.language}.teams.json", as_json(teams.render(rendered(words))))


@LANGUAGES
def test_lark(golden: Golden, words: Wording) -> None:
    golden(f"alert.{words.language}.lark.json", as_json(lark.render(rendered(words))))


class _MailParser(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [str(value) for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("count", [1, 20])
def test_html_is_whole_harmless_and_small(count: int) -> None:
    page = html.render(write([hostile()] * count, WORDS), WORDS, chart="c@g")
    found = _MailParser()
    found.feed(page)
    assert found.open == []
    assert found.tags <= {
        "html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "b", "bdi",
        "img", "a",
    }  # fmt: skip
    assert not any(name.startswith("on") for name in found.attributes)
    allowed = ("https://pr.example.com/", "cid:c@g")
    assert all(address.startswith(allowed) for address in found.addresses), found.addresses
    assert len(page.encode()) < 100_000


def test_html_shows_no_picture_that_is_not_there() -> None:
    assert "<img" not in html.render(rendered(), WORDS, chart=None)


def _walk(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(found for each in value.values() for found in _walk(each))]
    return [found for each in value for found in _walk(each)] if isinstance(value, list) else []


@pytest.mark.parametrize("count", [1, 20])
def test_slack_takes_it_and_reads_no_markup_in_it(count: int) -> None:
    body = slack.render(write([hostile()] * count, WORDS))
    assert "<" not in body["text"]
    assert body["mrkdwn"] is False
    assert len(body["blocks"]) <= 50
    for item in _walk(body["blocks"]):
        assert item.get("type") != "mrkdwn"
        if item.get("type") == "plain_text":
            assert item["emoji"] is False
            assert 1 <= len(item["text"]) <= 3000
        if item.get("type") == "header":
            assert len(item["text"]["text"]) <= 150
        assert len(item.get("fields", [])) <= 10
        assert all(len(field["text"]) <= 2000 for field in item.get("fields", []))
        assert "image_url" not in item


@LANGUAGES
@pytest.mark.parametrize("count", [1, 20])
def test_slacks_own_models_take_every_block_as_it_is(words: Wording, count: int) -> None:
    over = notification(reason="resolved", public_url=None)
    for items in ([notification()] * count, [hostile()] * count, [over] * count):
        for block in slack.render(write(items, words))["blocks"]:
            assert Block.parse(block).to_dict() == block
    with pytest.raises(SlackObjectFormationError, match="150"):
        Block.parse({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}).to_dict()


@pytest.mark.parametrize("count", [1, 10])
def test_teams_takes_it_and_reads_no_markup_in_it(count: int) -> None:
    body = teams.render(write([hostile()] * count, VIETNAMESE))
    assert len(json.dumps(body, ensure_ascii=False).encode()) < 28_000
    kinds = {item["type"] for item in _walk(body) if "type" in item}
    assert kinds <= {
        "message", "AdaptiveCard", "RichTextBlock", "TextRun", "ColumnSet", "Column", "ActionSet",
        "Action.OpenUrl",
    }  # fmt: skip
    addresses = [item["url"] for item in _walk(body) if "url" in item]
    assert all(address.startswith("https://pr.example.com/") for address in addresses)


@pytest.mark.parametrize("count", [1, 10])
def test_lark_takes_it_and_reads_no_markup_in_it(count: int) -> None:
    card = lark.render(write([hostile()] * count, VIETNAMESE), calls_back=True)
    texts = [item for item in _walk(card) if "content" in item]
    assert {item["tag"] for item in texts} == {"plain_text"}
    assert not any("<at" in item["content"] for item in texts)
    addresses = [item["url"] for item in _walk(card) if "url" in item]
    assert all(address.startswith("https://pr.example.com/") for address in addresses)
    for item in _walk(card):
        assert item.get("actions", [1])
        assert item.get("fields", [1])


def test_the_form_of_an_end_has_no_empty_parts() -> None:
    over = rendered(reason="resolved", public_url=None)
    for item in _walk(slack.render(over)["blocks"]):
        assert item.get("elements", [1])
        assert item.get("fields", [1])
    (attachment,) = teams.render(over)["attachments"]
    assert attachment["content"]["actions"] == []
    assert "<a " not in html.render(over, WORDS, chart=None)
