"""The message as a card of Lark (card JSON 1.0, which every version of its app shows).

All texts are `plain_text`: Lark reads no markup, links or `<at>` there, so the text of a comment
cannot have an effect.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from serving.notify.render.content import Content, Fact, Figure, RenderedMessage
from serving.notify.render.parts import fitted, utf16_length

ACKNOWLEDGE = "acknowledge"
_TITLE, _TEXT, _BUTTON, _URL = 200, 2000, 60, 3000  # characters
_TEMPLATES = {
    "critical": "red",
    "warning": "orange",
    "info": "blue",
    "over": "green",
    "withdrawn": "grey",
}


def render(
    rendered: RenderedMessage, *, calls_back: bool = False, status: str | None = None
) -> dict[str, Any]:
    """The card of a message.

    Args:
        rendered: the message.
        calls_back: whether the button that acknowledges calls this service; otherwise it leads to
            the alert's page. The card of several alerts has no such button.
        status: what became of the alert since, above the buttons; None for nothing. The alert can
            then no longer be acknowledged from the card.
    """
    if len(rendered.items) == 1:
        (item,) = rendered.items
        template = _TEMPLATES[item.tone]
        elements = list(_one(item, calls_back=calls_back, status=status))
    else:
        template = _worst(rendered.items)
        elements = [element for item in rendered.items for element in _short(item)]
    return {
        # A card is the same for everybody, or it could not be changed for everybody later.
        "config": {"wide_screen_mode": True, "update_multi": True},
        "header": {"template": template, "title": _plain(rendered.subject, _TITLE)},
        "elements": elements,
    }


def _one(content: Content, *, calls_back: bool, status: str | None) -> Iterator[dict[str, Any]]:
    if content.notice:
        yield _text(content.notice)
    yield _text(content.sentence)
    fields = [
        *map(_figure, content.figures),
        *(f"{one.label}\n{one.text}" for one in content.facts),
    ]
    if fields:
        yield {"tag": "div", "fields": [{"is_short": True, "text": _plain(one)} for one in fields]}
    if content.quotes:
        yield {"tag": "hr"}
        yield _text("\n".join((content.quotes_label, *content.quotes)))
    if status is not None:
        yield {"tag": "hr"}
        yield _text(status)
    if buttons := list(_buttons(content, calls_back=calls_back, open_=status is None)):
        yield {"tag": "action", "actions": buttons}
    signed = f"{content.signed.label} {content.signed.text}"
    yield {"tag": "note", "elements": [_plain(signed)]}


def _short(content: Content) -> Iterator[dict[str, Any]]:
    said = (content.subject, content.notice, content.sentence)
    yield _text("\n".join(text for text in said if text))
    if content.page is not None and len(content.page.text) <= _URL:
        yield {"tag": "action", "actions": [_link(content.page)]}


def _buttons(content: Content, *, calls_back: bool, open_: bool) -> Iterator[dict[str, Any]]:
    """The buttons; an alert that is over or withdrawn cannot be acknowledged."""
    can_end = open_ and content.tone not in ("over", "withdrawn")
    if can_end and calls_back:
        yield {
            "tag": "button",
            "text": _plain(content.acknowledge_label, _BUTTON),
            "type": "primary",
            "value": {"action": ACKNOWLEDGE, "alert_id": content.alert_id},
        }
    for link in content.links:
        if link is content.acknowledge and (calls_back or not can_end):
            continue
        if len(link.text) <= _URL:
            yield _link(link)


def _link(link: Fact) -> dict[str, Any]:
    text = _plain(link.label, _BUTTON)
    return {"tag": "button", "text": text, "type": "default", "url": link.text}


def _figure(figure: Figure) -> str:
    change = f" ({figure.change})" if figure.change else ""
    return f"{figure.label}\n{figure.now}, {figure.normal}{change}"


def _worst(items: Sequence[Content]) -> str:
    """The colour of several alerts: that of the worst."""
    tones = {item.tone for item in items}
    return next(template for tone, template in _TEMPLATES.items() if tone in tones)


def _text(text: str) -> dict[str, Any]:
    return {"tag": "div", "text": _plain(text)}


def _plain(text: str, longest: int = _TEXT) -> dict[str, Any]:
    return {"tag": "plain_text", "content": fitted(text, longest, utf16_length)}
