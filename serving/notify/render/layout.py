"""The pieces of an HTML e-mail: page, card, banner, rows, tiles.

Mail clients support little, so there are tables for layout, styles on the elements, no scripts and
nothing to fetch. A style sheet adds dark colours for clients that read one; others show the light
colours. An argument `inner` is HTML; every other text is escaped here.
"""

from collections.abc import Sequence
from html import escape

from serving.locales.wording import Wording
from serving.notify.render.content import Figure

TONES = {
    "critical": "#b3261e",
    "warning": "#8a5300",
    "info": "#1f5a99",
    "over": "#1e6b3a",
    "withdrawn": "#55606b",
}
FONT = "font-family:-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
TABLE = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'
_DARK = (
    "@media (prefers-color-scheme:dark){"
    ".page{background:#15181c!important}.card{background:#20252b!important}"
    ".ink{color:#eef1f4!important}.dim{color:#aab4be!important}"
    ".tile{background:#2b323a!important}.quote{border-color:#5c6772!important}"
    ".link{color:#8ec1f2!important}}"
)


def page(title: str, preview: str, rows: str, words: Wording) -> str:
    """A whole document with one card on it.

    Args:
        title: of the document.
        preview: what a list of messages shows beside the subject.
        rows: of the card's table, HTML.
        words: the reader's language, which becomes the document's.
    """
    direction = words.locale.text_direction
    return (
        f'<!DOCTYPE html><html lang="{escape(words.language)}" dir="{direction}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(title)}</title><style>{_DARK}</style></head>"
        f'<body class="page" style="margin:0;padding:0;background:#eef1f4">'
        f'<div style="display:none;max-height:0;overflow:hidden">{escape(preview)}</div>'
        f'{TABLE} class="page" style="background:#eef1f4"><tr>'
        '<td align="center" style="padding:16px 8px">'
        f'{TABLE} class="card" style="max-width:600px;background:#ffffff;border-radius:8px">'
        f"{rows}</table></td></tr></table></body></html>"
    )


def banner(tone: str, flag: str) -> str:
    """The coloured row on top."""
    return (
        f'<tr><td style="padding:10px 32px;background:{TONES[tone]};{FONT};'
        'font-size:14px;line-height:20px;font-weight:bold;letter-spacing:.5px;color:#ffffff">'
        f"{escape(flag)}</td></tr>"
    )


def heading(name: str, below: str) -> str:
    """The title and a smaller line below it."""
    return row(
        f'<div class="ink" style="{FONT};font-size:22px;line-height:28px;font-weight:bold;'
        f'color:#1b2026;overflow-wrap:anywhere"><bdi>{escape(name)}</bdi></div>'
        f'<div class="dim" style="{FONT};font-size:15px;line-height:22px;color:#55606b">'
        f"{escape(below)}</div>",
        top=18,
    )


def row(inner: str, *, top: int = 12, bottom: int = 0) -> str:
    """A row of the card."""
    return f'<tr><td style="padding:{top}px 32px {bottom}px">{inner}</td></tr>'


def footer(inner: str) -> str:
    """The small print at the end."""
    return row(
        f'<div class="dim" style="{FONT};font-size:12px;line-height:18px;color:#55606b">'
        f"{inner}</div>",
        bottom=20,
    )


def paragraph(inner: str) -> str:
    """Running text."""
    return (
        f'<div class="ink" style="{FONT};font-size:15px;line-height:22px;color:#1b2026;'
        f'overflow-wrap:anywhere">{inner}</div>'
    )


def label(text: str) -> str:
    """A label above its value."""
    return (
        f'<div class="dim" style="{FONT};font-size:13px;line-height:20px;font-weight:bold;'
        f'color:#55606b">{escape(text)}</div>'
    )


def tiles(figures: Sequence[Figure]) -> str:
    """Figures side by side, each on its own background."""
    width = 100 // len(figures)
    cells = (
        f'<td width="{width}%" valign="top" style="padding-right:8px">{TABLE} class="tile" '
        'style="background:#f3f5f7;border-radius:6px"><tr><td style="padding:10px 14px">'
        f"{figure(one, 26)}</td></tr></table></td>"
        for one in figures
    )
    return f"{TABLE}><tr>{''.join(cells)}</tr></table>"


def figure(shown: Figure, size: int) -> str:
    """A figure in type of `size` CSS pixels, between its name and its normal value."""
    change = f" ({escape(shown.change)})" if shown.change else ""
    return (
        f"{label(shown.label)}"
        f'<div class="ink" style="{FONT};font-size:{size}px;line-height:{size + 6}px;'
        f'font-weight:bold;color:#1b2026">{escape(shown.now)}</div>'
        f'<div class="dim" style="{FONT};font-size:13px;line-height:20px;color:#55606b">'
        f"{escape(shown.normal)}{change}</div>"
    )


def link(text: str, address: str) -> str:
    """A link in running text."""
    return (
        f'<a class="link" href="{escape(address)}" '
        f'style="{FONT};color:#1f5a99;font-size:14px">{escape(text)}</a>'
    )


def anchor(text: str, address: str, style: str) -> str:
    """A link with its own style."""
    return f'<a href="{escape(address)}" style="{FONT};{style}">{escape(text)}</a>'
