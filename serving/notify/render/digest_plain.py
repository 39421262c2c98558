"""A digest as plain text, for mail clients that show no HTML and for the terminal."""

from collections.abc import Iterator, Sequence

from serving.notify.render.content import Figure
from serving.notify.render.rendered_digest import Entry, RenderedDigest, Row

_INDENT = "  "


def body_of(rendered: RenderedDigest) -> str:
    """The text below the subject."""
    return "\n".join(_lines(rendered))


def _lines(rendered: RenderedDigest) -> Iterator[str]:
    yield rendered.flag
    yield rendered.title
    yield rendered.below
    if rendered.notice:
        yield rendered.notice
    yield ""
    yield rendered.summary
    for group in rendered.groups:
        yield from _heading(group.heading)
        for entry in group.entries:
            yield from _entry(entry)
        if group.more:
            yield group.more
    for section in rendered.sections:
        yield from _heading(section.heading)
        yield from section.paragraphs
    if rendered.moods:
        yield from _heading(rendered.moods_heading)
        yield from _moods(rendered.moods)
        if rendered.more_moods:
            yield rendered.more_moods
    if rendered.small_print:
        yield ""
        yield rendered.small_print


def _heading(text: str) -> Iterator[str]:
    yield ""
    yield text.upper()


def _entry(entry: Entry) -> Iterator[str]:
    yield f"{entry.flag} · {entry.name} · {entry.kind}"
    yield from (_INDENT + line for line in entry.lines)
    for link in (entry.link, entry.post):
        if link:
            yield f"{_INDENT}{link.label}: {link.text}"


def _moods(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        yield f"{row.name} ({row.open})" if row.open else row.name
        if row.silence:
            yield _INDENT + row.silence
        if row.figures:
            yield _INDENT + "; ".join(map(_figure, row.figures))
        if row.days:
            yield _INDENT + "  ".join(
                f"{day.label} {day.mood} ({day.comments})" for day in row.days
            )


def _figure(figure: Figure) -> str:
    change = f" ({figure.change})" if figure.change else ""
    return f"{figure.label} {figure.now}, {figure.normal}{change}"
