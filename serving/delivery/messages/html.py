"""The message as an HTML e-mail.

Mail clients take little: tables for layout, styles on the elements, no scripts, nothing fetched.
The chart is a part of the message, shown by its content id. A style sheet adds dark colours for the
clients that read one; the others show the light ones.
"""

from collections.abc import Iterator
from html import escape

from serving.delivery.messages.content import Content, Fact, Figure, Letter
from serving.locales.wording import Wording

CHART_WIDTH = 536  # CSS pixels: the card's 600 without its margins
_TONES = {"critical": "#b3261e", "warning": "#8a5300", "info": "#1f5a99", "over": "#1e6b3a"}
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_DARK = (
    "@media (prefers-color-scheme:dark){"
    ".page{background:#15181c!important}.card{background:#20252b!important}"
    ".ink{color:#eef1f4!important}.dim{color:#aab4be!important}"
    ".tile{background:#2b323a!important}.quote{border-color:#5c6772!important}}"
)
_TABLE = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'


def render(letter: Letter, words: Wording, *, chart: str | None) -> str:
    """The HTML of a letter.

    Args:
        letter: what to say.
        words: the reader's language, for the document's own.
        chart: the content id of the chart's part; None where there is none.
    """
    if len(letter.items) == 1:
        rows = "".join(_one(letter.items[0], chart))
    else:
        rows = "".join("".join(_short(item)) for item in letter.items)
    direction = words.locale.text_direction
    return (
        f'<!DOCTYPE html><html lang="{escape(words.language)}" dir="{direction}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(letter.subject)}</title><style>{_DARK}</style></head>"
        f'<body class="page" style="margin:0;padding:0;background:#eef1f4">'
        # What a list of messages shows beside the subject.
        f'<div style="display:none;max-height:0;overflow:hidden">'
        f"{escape(letter.items[0].sentence)}</div>"
        f'{_TABLE} class="page" style="background:#eef1f4"><tr>'
        '<td align="center" style="padding:16px 8px">'
        f'{_TABLE} class="card" style="max-width:600px;background:#ffffff;border-radius:8px">'
        f"{rows}</table></td></tr></table></body></html>"
    )


def _one(content: Content, chart: str | None) -> Iterator[str]:
    yield _banner(content)
    yield _row(
        f'<div class="ink" style="{_FONT};font-size:22px;line-height:28px;font-weight:bold;'
        f'color:#1b2026;overflow-wrap:anywhere"><bdi>{escape(content.name)}</bdi></div>'
        f'<div class="dim" style="{_FONT};font-size:15px;line-height:22px;color:#55606b">'
        f"{escape(content.headline)}</div>",
        top=18,
    )
    if content.notice:
        yield _row(_paragraph(f"<b>{escape(content.notice)}</b>"))
    yield _row(_paragraph(escape(content.sentence)))
    if content.figures:
        width = 100 // len(content.figures)
        tiles = "".join(_tile(figure, width) for figure in content.figures)
        yield _row(f"{_TABLE}><tr>{tiles}</tr></table>")
    if chart is not None:
        yield _row(
            f'<img src="cid:{escape(chart)}" width="{CHART_WIDTH}" '
            f'alt="{escape(content.chart_label)}" '
            'style="display:block;width:100%;max-width:536px;height:auto;border:0;border-radius:6px">'
        )
    if content.quotes:
        yield _row(_label(content.quotes_label) + "".join(map(_quote, content.quotes)))
    for fact in content.facts:
        yield _row(_label(fact.label) + _paragraph(f"<bdi>{escape(fact.text)}</bdi>"))
    if content.page or content.acknowledge:
        yield _row(_buttons(content))
    yield _row(
        f'<div class="dim" style="{_FONT};font-size:12px;line-height:18px;color:#55606b">'
        f"Groundswell · {escape(content.signed.label)} {escape(content.signed.text)}</div>",
        bottom=20,
    )


def _short(content: Content) -> Iterator[str]:
    yield _banner(content)
    yield _row(
        _paragraph(f"<b><bdi>{escape(content.name)}</bdi> · {escape(content.headline)}</b>")
        + _paragraph(escape(content.sentence)),
        bottom=0 if content.page else 18,
    )
    if content.page:
        yield _row(_anchor(content.page, "color:#1f5a99;font-size:14px"), top=4, bottom=18)


def _banner(content: Content) -> str:
    return (
        f'<tr><td style="padding:10px 32px;background:{_TONES[content.tone]};{_FONT};'
        'font-size:14px;line-height:20px;font-weight:bold;letter-spacing:.5px;color:#ffffff">'
        f"{escape(content.flag)}</td></tr>"
    )


def _row(inner: str, *, top: int = 12, bottom: int = 0) -> str:
    return f'<tr><td style="padding:{top}px 32px {bottom}px">{inner}</td></tr>'


def _paragraph(inner: str) -> str:
    return (
        f'<div class="ink" style="{_FONT};font-size:15px;line-height:22px;color:#1b2026;'
        f'overflow-wrap:anywhere">{inner}</div>'
    )


def _label(text: str) -> str:
    return (
        f'<div class="dim" style="{_FONT};font-size:13px;line-height:20px;font-weight:bold;'
        f'color:#55606b">{escape(text)}</div>'
    )


def _tile(figure: Figure, width: int) -> str:
    change = f" ({escape(figure.change)})" if figure.change else ""
    return (
        f'<td width="{width}%" valign="top" style="padding-right:8px">{_TABLE} class="tile" '
        'style="background:#f3f5f7;border-radius:6px"><tr><td style="padding:10px 14px">'
        f"{_label(figure.label)}"
        f'<div class="ink" style="{_FONT};font-size:26px;line-height:32px;font-weight:bold;'
        f'color:#1b2026">{escape(figure.now)}</div>'
        f'<div class="dim" style="{_FONT};font-size:13px;line-height:20px;color:#55606b">'
        f"{escape(figure.usual)}{change}</div></td></tr></table></td>"
    )


def _quote(text: str) -> str:
    return (
        '<div class="quote" style="margin:6px 0;padding:2px 12px;border-inline-start:3px solid '
        f'#c3ccd5"><div class="ink" dir="auto" style="{_FONT};font-size:15px;line-height:22px;'
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
                f'{_anchor(link, style)}</td><td width="10">&nbsp;</td>'
            )
    return (
        '<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr>'
        f"{''.join(cells)}</tr></table>"
    )


def _anchor(link: Fact, style: str) -> str:
    return f'<a href="{escape(link.text)}" style="{_FONT};{style}">{escape(link.label)}</a>'
