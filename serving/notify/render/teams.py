"""The message as an Adaptive Card for Microsoft Teams.

All texts are text runs, which Teams shows unchanged; a TextBlock would read them as Markdown.
"""

from collections.abc import Iterator
from typing import Any

from serving.notify.render.content import Content, Figure, RenderedMessage

_TONES = {
    "critical": "Attention",
    "warning": "Warning",
    "info": "Accent",
    "over": "Good",
    "withdrawn": "Default",
}
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


def render(rendered: RenderedMessage) -> dict[str, Any]:
    """The body of a POST to a workflow that is triggered by a webhook."""
    if len(rendered.items) == 1:
        (item,) = rendered.items
        body = list(_one(item))
        links = item.links
    else:
        body = [_text(rendered.subject, weight="Bolder", size="Medium")]
        for item in rendered.items:
            body.extend(_short(item))
        links = ()
    card = {
        "type": "AdaptiveCard",
        "$schema": _SCHEMA,
        "version": "1.4",
        "fallbackText": rendered.subject,
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [
            {"type": "Action.OpenUrl", "title": link.label, "url": link.text} for link in links
        ],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _one(content: Content) -> Iterator[dict[str, Any]]:
    yield _text(content.flag, weight="Bolder", color=_TONES[content.tone])
    yield _text(content.name, weight="Bolder", size="Large")
    yield _text(content.headline, isSubtle=True)
    if content.notice:
        yield _text(content.notice, weight="Bolder")
    yield _text(content.sentence)
    if content.figures:
        yield {"type": "ColumnSet", "columns": [_column(figure) for figure in content.figures]}
    if content.quotes:
        yield _text(content.quotes_label, weight="Bolder", isSubtle=True)
        yield from (_text(quote) for quote in content.quotes)
    for fact in content.facts:
        yield {
            "type": "RichTextBlock",
            "inlines": [
                _run(f"{fact.label}  ", weight="Bolder", isSubtle=True),
                _run(fact.text),
            ],
        }
    yield _text(f"{content.signed.label} {content.signed.text}", size="Small", isSubtle=True)


def _short(content: Content) -> Iterator[dict[str, Any]]:
    block = _text(content.subject, weight="Bolder", color=_TONES[content.tone])
    yield block | {"separator": True}
    if content.notice:
        yield _text(content.notice)
    yield _text(content.sentence)
    if content.page:
        action = {"type": "Action.OpenUrl", "title": content.page.label, "url": content.page.text}
        yield {"type": "ActionSet", "actions": [action]}


def _column(figure: Figure) -> dict[str, Any]:
    normal = f"{figure.normal} ({figure.change})" if figure.change else figure.normal
    return {
        "type": "Column",
        "width": "stretch",
        "items": [
            _text(figure.label, isSubtle=True, size="Small"),
            _text(figure.now, weight="Bolder", size="ExtraLarge"),
            _text(normal, isSubtle=True, size="Small"),
        ],
    }


def _text(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [_run(text, **style)]}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}
