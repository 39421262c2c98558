"""The message as an HTML e-mail. The chart is a part of it, shown by its content id."""

from collections.abc import Iterator
from html import escape

from serving.locales.wording import Wording
from serving.notify.render import layout
from serving.notify.render.content import Content, Fact, RenderedMessage
from serving.notify.render.layout import FONT, anchor, label, paragraph, row

CHART_WIDTH = 536  # CSS pixels: the card's 600 without its margins


def render(rendered: RenderedMessage, words: Wording, *, chart: str | None) -> str:
    """The HTML of a message.

    Args:
        rendered: the message.
        words: the reader's language, which becomes the document's.
        chart: the content id of the chart's part; None if there is no chart.
    """
    if len(rendered.items) == 1:
        rows = "".join(_one(rendered.items[0], chart))
    else:
        rows = "".join("".join(_short(item)) for item in rendered.items)
    return layout.page(rendered.subject, rendered.items[0].sentence, rows, words)


def _one(content: Content, chart: str | None) -> Iterator[str]:
    yield layout.banner(content.tone, content.flag)
    yield layout.heading(content.name, content.headline)
    if content.notice:
        yield row(paragraph(f"<b>{escape(content.notice)}</b>"))
    yield row(paragraph(escape(content.sentence)))
    if content.figures:
        yield row(layout.tiles(content.figures))
    if chart is not None:
        yield row(
            f'<img src="cid:{escape(chart)}" width="{CHART_WIDTH}" '
            f'alt="{escape(content.chart_label)}" '
            'style="display:block;width:100%;max-width:536px;height:auto;border:0;border-radius:6px">'
        )
    if content.quotes:
        yield row(label(content.quotes_label) + "".join(map(_quote, content.quotes)))
    for fact in content.facts:
        yield row(label(fact.label) + paragraph(_fact(fact)))
    if content.page or content.acknowledge:
        yield row(_buttons(content))
    yield layout.footer(
        f"Groundswell · {escape(content.signed.label)} {escape(content.signed.text)}"
    )


def _fact(fact: Fact) -> str:
    if fact.address is None:
        return f"<bdi>{escape(fact.text)}</bdi>"
    return f"<bdi>{anchor(fact.text, fact.address, 'color:#1f5a99')}</bdi>"


def _short(content: Content) -> Iterator[str]:
    yield layout.banner(content.tone, content.flag)
    yield row(
        paragraph(f"<b><bdi>{escape(content.name)}</bdi> · {escape(content.headline)}</b>")
        + (paragraph(escape(content.notice)) if content.notice else "")
        + paragraph(escape(content.sentence)),
        bottom=0 if content.page else 18,
    )
    if content.page:
        yield row(layout.link(content.page.label, content.page.text), top=4, bottom=18)


def _quote(text: str) -> str:
    return (
        '<div class="quote" style="margin:6px 0;padding:2px 12px;border-inline-start:3px solid '
        f'#c3ccd5"><div class="ink" dir="auto" style="{FONT};font-size:15px;line-height:22px;'
        f'color:#1b2026;overflow-wrap:anywhere">{escape(text)}</div></div>'
    )


def _buttons(content: Content) -> str:
    """Links that look like buttons in every client: a coloured cell round a link."""
    cells = []
    for link, colours in (
        (content.page, ("#1f5a99", "#ffffff")),
        (content.acknowledge, ("#e3e8ed", "#1b2026")),
    ):
        if link is not None:
            background, ink = colours
            style = (
                f"display:inline-block;padding:10px 18px;color:{ink};font-size:15px;"
                "font-weight:bold;text-decoration:none"
            )
            cells.append(
                f'<td bgcolor="{background}" style="background:{background};border-radius:6px">'
                f'{anchor(link.label, link.text, style)}</td><td width="10">&nbsp;</td>'
            )
    return (
        '<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr>'
        f"{''.join(cells)}</tr></table>"
    )
