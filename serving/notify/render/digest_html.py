"""A digest as an HTML e-mail, in the layout of the e-mails of alerts."""

from collections.abc import Iterator, Sequence
from html import escape

from serving.locales.wording import Wording
from serving.notify.render import layout
from serving.notify.render.layout import FONT, TABLE, TONES, label, paragraph, row
from serving.notify.render.rendered_digest import Day, Entry, RenderedDigest, Row, Section

_PANELS = 8  # KOLs whose figures are shown large; the others are lines of a table
_SIZE = 20  # of figures, so that three fit side by side on a phone


def render(rendered: RenderedDigest, words: Wording) -> str:
    """The HTML of a digest.

    Args:
        rendered: the digest in words.
        words: the reader's language, which becomes the document's.
    """
    return layout.page(rendered.subject, rendered.summary, "".join(_rows(rendered)), words)


def _rows(rendered: RenderedDigest) -> Iterator[str]:
    yield layout.banner(rendered.tone, rendered.flag)
    yield layout.heading(rendered.title, rendered.below)
    if rendered.notice:
        yield row(paragraph(f"<b>{escape(rendered.notice)}</b>"))
    yield row(paragraph(escape(rendered.summary)))
    for group in rendered.groups:
        yield _heading(group.heading)
        yield from map(_entry, group.entries)
        yield from _more(group.more)
    for section in rendered.sections:
        yield _heading(section.heading)
        yield _section(section)
    if rendered.moods:
        yield _heading(rendered.moods_heading)
        yield from map(_mood, rendered.moods[:_PANELS])
        if rendered.moods[_PANELS:]:
            yield row(_table(rendered.moods[_PANELS:]))
        yield from _more(rendered.more_moods)
    explained = f" · {escape(rendered.small_print)}" if rendered.small_print else ""
    yield layout.footer(f"Groundswell{explained}")


def _heading(text: str) -> str:
    return row(
        f'<div class="ink" style="{FONT};font-size:18px;line-height:24px;font-weight:bold;'
        f'color:#1b2026">{escape(text)}</div>',
        top=24,
    )


def _more(text: str | None) -> Iterator[str]:
    if text is not None:
        yield row(label(text))


def _flag(tone: str, text: str) -> str:
    """A word on a coloured background."""
    return (
        f'<span style="{FONT};font-size:12px;line-height:20px;font-weight:bold;letter-spacing:.5px;'
        f"color:#ffffff;background:{TONES[tone]};padding:2px 6px;border-radius:4px;"
        f'white-space:nowrap">{escape(text)}</span>'
    )


def _entry(entry: Entry) -> str:
    first, *others = entry.lines
    links = (layout.link(one.label, one.text) for one in (entry.link, entry.post) if one)
    return row(
        f'{TABLE}><tr><td style="border-inline-start:4px solid {TONES[entry.tone]};'
        'padding-inline-start:12px">'
        f"{paragraph(f'<b><bdi>{escape(entry.name)}</bdi> · {escape(entry.kind)}</b> ')}"
        f"<div>{_flag(entry.tone, entry.flag)}</div>"
        f"{label(first)}"
        f"{''.join(paragraph(f'<bdi>{escape(line)}</bdi>') for line in others)}"
        f"{''.join(links)}</td></tr></table>"
    )


def _section(section: Section) -> str:
    return row("".join(paragraph(escape(text)) for text in section.paragraphs), top=4)


def _mood(kol: Row) -> str:
    flag = f" {_flag(kol.tone, kol.open)}" if kol.tone and kol.open else ""
    parts = [paragraph(f"<b><bdi>{escape(kol.name)}</bdi></b>{flag}")]
    if kol.silence:
        parts.append(paragraph(escape(kol.silence)))
    if kol.figures:
        parts.append(_panel(kol))
    return row("".join(parts))


def _panel(kol: Row) -> str:
    """The figures of a KOL on one background, and the days of a week below them."""
    width = 100 // len(kol.figures)
    figures = "".join(
        f'<td width="{width}%" valign="top" style="padding:8px 4px 8px 12px">'
        f"{layout.figure(one, _SIZE)}</td>"
        for one in kol.figures
    )
    days = ""
    if kol.days:
        cells = "".join(map(_day, kol.days))
        days = (
            f'<tr><td colspan="{len(kol.figures)}" style="padding:0 4px 6px">{TABLE} '
            f'style="table-layout:fixed"><tr>{cells}</tr></table></td></tr>'
        )
    return (
        f'{TABLE} class="tile" style="background:#f3f5f7;border-radius:6px;margin-top:4px">'
        f"<tr>{figures}</tr>{days}</table>"
    )


def _day(day: Day) -> str:
    return (
        f'<td align="center" class="dim" style="{FONT};font-size:12px;line-height:18px;'
        f'color:#55606b">{escape(day.label)}<br><span class="ink" style="color:#1b2026">'
        f"{escape(day.mood)}</span><br>{escape(day.comments)}</td>"
    )


def _table(kols: Sequence[Row]) -> str:
    """KOLs as lines: name, and each figure without its normal value."""
    labels = next((tuple(one.label for one in kol.figures) for kol in kols if kol.figures), ())
    head = "".join(_cell("dim", "#55606b", name) for name in ("KOL", *labels))
    return f"{TABLE}><tr>{head}</tr>{''.join(map(_line, kols))}</table>"


def _line(kol: Row) -> str:
    values = [f"{kol.name} ({kol.open})" if kol.open else kol.name]
    values += [figure.now for figure in kol.figures] or [kol.silence or ""]
    cells = "".join(_cell("ink", "#1b2026", value) for value in values)
    return f"<tr>{cells}</tr>"


def _cell(tone: str, colour: str, text: str) -> str:
    return (
        f'<td class="{tone}" style="{FONT};font-size:13px;line-height:20px;color:{colour};'
        f'padding:2px 8px 2px 0;overflow-wrap:anywhere"><bdi>{escape(text)}</bdi></td>'
    )
