"""The message as plain text: for mail clients, chats without their own format, webhooks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from serving.locales.wording import Wording
from serving.notify.notification import Notification
from serving.notify.render.content import Content, RenderedMessage, write


@dataclass(frozen=True, slots=True)
class Text:
    """What a person reads.

    Attributes:
        subject: one line: severity, KOL, what happened.
        body: several lines.
    """

    subject: str
    body: str


def render(notifications: Sequence[Notification], words: Wording) -> Text:
    """A text about one transition, or a short text about each of several.

    Raises:
        Rejected: the evidence cannot be read.
    """
    rendered = write(notifications, words)
    return Text(rendered.subject, body_of(rendered))


def body_of(rendered: RenderedMessage) -> str:
    """The text below the subject."""
    if len(rendered.items) == 1:
        return "\n".join(_lines(rendered.items[0]))
    return "\n\n".join("\n".join(_short(item)) for item in rendered.items)


def _short(content: Content) -> Iterator[str]:
    yield content.subject
    if content.notice:
        yield content.notice
    yield content.sentence
    if content.page:
        yield content.page.text


def _lines(content: Content) -> Iterator[str]:
    if content.notice:
        yield content.notice
    yield content.sentence
    yield ""
    rows = list(_rows(content))
    width = max(len(label) for label, _ in rows)
    for label, text in rows:
        yield f"{label:<{width}}  {text}"
    for link in content.links:
        yield f"{link.label}: {link.text}"


def _rows(content: Content) -> Iterator[tuple[str, str]]:
    """Label and text; the figures come after the first fact, which says since when."""
    yield from ((fact.label, fact.text) for fact in content.facts[:1])
    for figure in content.figures:
        change = f" ({figure.change})" if figure.change else ""
        yield figure.label, f"{figure.now}, {figure.normal}{change}"
    yield from ((fact.label, fact.text) for fact in content.facts[1:])
    for index, quote in enumerate(content.quotes):
        yield "" if index else content.quotes_label, quote
    yield content.signed.label, content.signed.text
