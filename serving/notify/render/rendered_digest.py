"""A digest in words, before it is laid out.

Texts are on one line each and cut to length. They are not escaped: each renderer does that.
"""

from dataclasses import dataclass

from serving.notify.render.content import Fact, Figure


@dataclass(frozen=True, slots=True)
class Entry:
    """An incident.

    Attributes:
        tone: "critical", "warning", "info", or "over".
        flag: how bad, and that it is over, in words.
        name: the KOL's.
        kind: of alert.
        lines: when, what, peak, post, verdict.
        link: to the alert's page; None where no public URL is set.
        post: link to the top post; None where its address is not known.
    """

    tone: str
    flag: str
    name: str
    kind: str
    lines: tuple[str, ...]
    link: Fact | None
    post: Fact | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a week.

    Attributes:
        label: the day's short name.
        mood: in figures; a dash without comments.
        comments: how many, in figures.
    """

    label: str
    mood: str
    comments: str


@dataclass(frozen=True, slots=True)
class Row:
    """A KOL.

    Attributes:
        name: the KOL's.
        tone: of the open alerts; None if there are none.
        open: how many alerts are open; None if there are none.
        silence: that there were no comments; None where there were.
        figures: mood, comments, negatives; none where there were no comments.
        days: of a week.
    """

    name: str
    tone: str | None
    open: str | None
    silence: str | None
    figures: tuple[Figure, ...]
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Paragraphs under a heading."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Incidents under a heading.

    Attributes:
        heading: of the group.
        entries: at least one.
        more: how many are left out; None if there are none.
    """

    heading: str
    entries: tuple[Entry, ...]
    more: str | None


@dataclass(frozen=True, slots=True)
class RenderedDigest:
    """A digest in words; of an empty day only what comes before `groups`.

    Attributes:
        subject: one line.
        tone: of the whole: that of what is open, "over" where nothing is.
        flag: what kind of digest, and whose.
        title: the day, or the days.
        below: the time zone, and when it was written.
        notice: that it comes late; None where it does not.
        summary: the whole in a sentence.
        groups: incidents, and what only informs.
        sections: recoveries, false alarms.
        moods_heading: of the KOLs.
        moods: the KOLs.
        more_moods: how many KOLs are left out; None where none is.
        small_print: what the figures mean; None where there are none.
    """

    subject: str
    tone: str
    flag: str
    title: str
    below: str
    notice: str | None
    summary: str
    groups: tuple[Group, ...] = ()
    sections: tuple[Section, ...] = ()
    moods_heading: str = ""
    moods: tuple[Row, ...] = ()
    more_moods: str | None = None
    small_print: str | None = None
