"""The message as Slack's Block Kit.

All texts are `plain_text` objects: Slack reads no markup, emoji codes or mentions there, so the
text of a comment cannot have an effect. The fallback text, which Slack shows in
notifications, is read as markup and therefore escaped.
"""

from collections.abc import Iterator
from typing import Any

from serving.locales.quoting import cut
from serving.notify.render.content import Content, Fact, RenderedMessage
from serving.notify.render.parts import fitted, utf16_length

# Characters; all but the fallback's are Slack's limits.
_HEADER, _FALLBACK, _SECTION, _FIELD, _BUTTON, _URL = 150, 300, 3000, 2000, 75, 3000
_FIELDS = 10
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_SIGNS = {"critical": "🔴", "warning": "🟠", "info": "🔵", "over": "🟢", "withdrawn": "⚪"}


def render(rendered: RenderedMessage) -> dict[str, Any]:
    """The body of a POST to an incoming webhook; at most 50 blocks from 20 items."""
    if len(rendered.items) == 1:
        blocks = list(_one(rendered.items[0]))
    else:
        blocks = [_header(rendered.subject)]
        for item in rendered.items:
            blocks.extend(_short(item))
    fallback = cut(rendered.subject, _FALLBACK).translate(_ESCAPES)
    return {"text": fallback, "mrkdwn": False, "unfurl_links": False, "blocks": blocks}


def _one(content: Content) -> Iterator[dict[str, Any]]:
    yield _header(f"{_SIGNS[content.tone]} {content.subject}")
    yield {"type": "section", "text": _plain(_said(content))}
    figures = [
        f"{figure.label}\n{figure.now}, {figure.normal}"
        + (f" ({figure.change})" if figure.change else "")
        for figure in content.figures
    ]
    fields = [*figures, *(f"{fact.label}\n{fact.text}" for fact in content.facts)]
    if fields:
        yield {"type": "section", "fields": [_plain(field, _FIELD) for field in fields[:_FIELDS]]}
    if content.quotes:
        quotes = "\n".join(content.quotes)
        yield {"type": "section", "text": _plain(f"{content.quotes_label}\n{quotes}")}
    if links := [link for link in content.links if len(link.text) <= _URL]:
        yield {"type": "actions", "elements": [_button(link) for link in links]}
    signed = f"{content.signed.label} {content.signed.text}"
    yield {"type": "context", "elements": [_plain(signed)]}


def _short(content: Content) -> Iterator[dict[str, Any]]:
    said = f"{_SIGNS[content.tone]} {content.subject}\n{_said(content)}"
    block: dict[str, Any] = {"type": "section", "text": _plain(said)}
    if content.page and len(content.page.text) <= _URL:
        block["accessory"] = _button(content.page)
    yield block


def _said(content: Content) -> str:
    """The sentence, below the notice if there is one."""
    return content.sentence if content.notice is None else f"{content.notice}\n{content.sentence}"


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": _plain(text, _HEADER)}


def _plain(text: str, longest: int = _SECTION) -> dict[str, Any]:
    return {"type": "plain_text", "text": fitted(text, longest, utf16_length), "emoji": False}


def _button(link: Fact) -> dict[str, Any]:
    return {"type": "button", "text": _plain(link.label, _BUTTON), "url": link.text}
