"""A digest as plain text, for mail clients that show no HTML and for the terminal."""

from collections.abc import Iterator, Sequence

from serving.delivery.messages.content import Figure
from serving.digest.letter import Entry, Letter, Row

_INDENT = "  "


def body_of(letter: Letter) -> str:
    """The text below the subject."""
    return "\n".join(_lines(letter))


def _lines(letter: Letter) -> Iterator[str]:
    yield letter.flag
    yield letter.title
    yield letter.below
    if letter.notice:
        yield letter.notice
    yield ""
    yield letter.summary
    for group in letter.groups:
        yield from _heading(group.heading)
        for entry in group.entries:
            yield from _entry(entry)
        if group.more:
            yield group.more
    for section in letter.sections:
        yield from _heading(section.heading)
        yield from section.paragraphs
    if letter.moods:
        yield from _heading(letter.moods_heading)
        yield from _moods(letter.moods)
        if letter.more_moods:
            yield letter.more_moods
    if letter.small_print:
        yield ""
        yield letter.small_print


def _heading(text: str) -> Iterator[str]:
    yield ""
    yield text.upper()


def _entry(entry: Entry) -> Iterator[str]:
    yield f"{entry.flag} · {entry.name} · {entry.kind}"
    yield from (_INDENT + line for line in entry.lines)
    if entry.link:
        yield f"{_INDENT}{entry.link.label}: {entry.link.text}"


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
    return f"{figure.label} {figure.now}, {figure.usual}{change}"
