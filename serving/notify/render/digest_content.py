"""A digest in the reader's language, the same for HTML, plain text and the terminal."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from serving.locales.wording import Wording, msg, time_zone
from serving.notify.render.content import kind_name
from serving.notify.render.digest_incidents import entry, name_of, recovered, withdrawn
from serving.notify.render.digest_moods import row
from serving.notify.render.rendered_digest import Group, RenderedDigest, Section
from serving.notify.render.sentences import comments
from serving.notify.render.times import moment
from serving.storage.digest_record import Digest, DigestInterval, Precision

_MOST_INCIDENTS, _MOST_KOLS = 12, 50  # some mail clients cut messages off past 102 KB
_LATE = timedelta(minutes=30)  # a digest sent later than this says that it is late
_TITLES = {
    DigestInterval.DAY: msg("Daily digest"),
    DigestInterval.WEEK: msg("Weekly digest"),
}


def write(digest: Digest, words: Wording, public_url: str | None) -> RenderedDigest:
    """A digest in words.

    Args:
        digest: the figures.
        words: the reader's language; times are in the digest's own time zone.
        public_url: public address of this service; None leaves links out.
    """
    words = replace(words, zone=time_zone(digest.timezone))
    title = words.dates(digest.first, digest.last)
    if not digest.over:
        title = words.text("{dates}, so far", dates=title)
    flag = words.text(_TITLES[digest.every])
    if digest.name:
        flag = f"{flag} · {digest.name}"
    head = RenderedDigest(
        subject=f"{flag} · {title}: {_in_short(digest, words)}",
        tone=_tone(digest),
        flag=flag,
        title=title,
        below=words.text(
            "Times in {zone}. Written {moment}.",
            zone=digest.timezone,
            moment=moment(digest.written_at, words),
        ),
        notice=_late(digest, words),
        summary=_nothing(digest, words),
    )
    if _is_empty(digest):
        return head
    rows = digest.kols[:_MOST_KOLS]
    return replace(
        head,
        summary=_summary(digest, words),
        groups=tuple(_groups(digest, words, public_url)),
        sections=tuple(_sections(digest, words)),
        moods_heading=words.text("Mood by KOL"),
        moods=tuple(row(kol, digest.every, words) for kol in rows),
        more_moods=_more(len(digest.kols) - len(rows), words),
        small_print=words.text(
            "Mood is the mean of P(positive) - P(negative) over all comments, from -1 to "
            "+1. Normal is what the detector expected at these hours."
        ),
    )


def _is_empty(digest: Digest) -> bool:
    """Whether there were no comments and no alerts."""
    events = (
        digest.incidents
        or digest.notices
        or digest.recoveries
        or digest.found_late
        or digest.withdrawn
    )
    return not events and not any(kol.comments or kol.open_alerts for kol in digest.kols)


def _groups(digest: Digest, words: Wording, public_url: str | None) -> Iterator[Group]:
    for heading, incidents in (
        (words.text("Incidents"), digest.incidents),
        (words.text("For information"), digest.notices),
        (words.text("Found late"), digest.found_late),
    ):
        shown = incidents[:_MOST_INCIDENTS]
        if shown:
            entries = tuple(entry(one, words, public_url) for one in shown)
            yield Group(heading, entries, _more(len(incidents) - len(shown), words))


def _tone(digest: Digest) -> str:
    for severity in ("critical", "warning"):
        if any(kol.worst_open == severity for kol in digest.kols):
            return severity
    return "info" if digest.incidents or digest.found_late else "over"


def _in_short(digest: Digest, words: Wording) -> str:
    parts = list(_counts(digest, words)) if digest.incidents else [words.text("no incidents")]
    return ", ".join([*parts, *_changes(digest, words)])


def _counts(digest: Digest, words: Wording) -> Iterator[str]:
    yield words.plural("{count} incident", "{count} incidents", len(digest.incidents))
    lasting = sum(one.lasts for one in digest.incidents)
    if lasting:
        yield words.plural("{count} still open", "{count} still open", lasting)
    else:
        yield words.text("none still open")


def _changes(digest: Digest, words: Wording) -> Iterator[str]:
    """How much comments that came late have changed."""
    if late := len(digest.found_late):
        yield words.plural("{count} found late", "{count} found late", late)
    if gone := len(digest.withdrawn):
        yield words.plural("{count} withdrawn", "{count} withdrawn", gone)


def _summary(digest: Digest, words: Wording) -> str:
    said = words.text(
        "{comments} on {kols}.",
        comments=comments(sum(kol.comments for kol in digest.kols), words),
        kols=_kols(digest, words),
    )
    changes = "".join(f"{change}. " for change in _changes(digest, words))
    if not digest.incidents:
        none = words.text("No incidents.")
        return f"{none} {changes}{said}"
    return f"{', '.join(_counts(digest, words))}. {changes}{said}"


def _nothing(digest: Digest, words: Wording) -> str:
    return words.text(
        "All quiet: no comments on {kols} and no incidents.", kols=_kols(digest, words)
    )


def _kols(digest: Digest, words: Wording) -> str:
    return words.plural("{count} KOL", "{count} KOLs", len(digest.kols))


def _late(digest: Digest, words: Wording) -> str | None:
    if digest.due_at is None or digest.written_at - digest.due_at <= _LATE:
        return None
    return words.text(
        "This digest is late. It was due {moment}.", moment=moment(digest.due_at, words)
    )


def _more(count: int, words: Wording) -> str | None:
    return words.plural("and {count} more", "and {count} more", count) if count > 0 else None


def _sections(digest: Digest, words: Wording) -> Iterator[Section]:
    shown = digest.recoveries[:_MOST_INCIDENTS]
    if shown:
        lines = [recovered(one, words) for one in shown]
        lines += filter(None, [_more(len(digest.recoveries) - len(shown), words)])
        yield Section(words.text("Recoveries"), tuple(lines))
    gone = digest.withdrawn[:_MOST_INCIDENTS]
    if gone:
        lines = [words.text("With the comments that came late, there was no incident:")]
        lines += [withdrawn(one, words) for one in gone]
        lines += filter(None, [_more(len(digest.withdrawn) - len(gone), words)])
        yield Section(words.text("Withdrawn"), tuple(lines))
    paragraphs = [*_false_alarms(digest, words), _precision(digest.precision, words)]
    yield Section(words.text("False alarms"), tuple(paragraphs))


def _false_alarms(digest: Digest, words: Wording) -> Iterator[str]:
    alerts = (*digest.incidents, *digest.notices)
    if not alerts:
        return
    false = [one for one in alerts if one.verdict == "false_alarm"]
    for one in false[:_MOST_INCIDENTS]:
        kind = kind_name(one.kind, words)
        yield f"{name_of(one)}: {kind}, {moment(one.began, words)}"
    if not false:
        yield words.text("None of these alerts was marked as a false alarm.")
    unjudged = sum(one.verdict is None for one in alerts)
    if unjudged:
        yield words.plural(
            "{count} alert has not been reviewed yet.",
            "{count} alerts have not been reviewed yet.",
            unjudged,
        )


def _precision(precision: Precision, words: Wording) -> str:
    weeks = words.number(precision.weeks)
    if precision.share is None or precision.low is None or precision.high is None:
        if precision.raised == 0:
            return words.text("No alerts in the last {weeks} weeks.", weeks=weeks)
        return words.plural(
            "The {count} alert of the last {weeks} weeks has not been reviewed.",
            "None of the {count} alerts of the last {weeks} weeks has been reviewed.",
            precision.raised,
            weeks=weeks,
        )
    return words.text(
        "Precision over the last {weeks} weeks: {confirmed} of {judged} reviewed alerts"
        " were real, {share} (95% interval {low} to {high}).",
        weeks=weeks,
        confirmed=words.number(precision.confirmed),
        judged=words.number(precision.confirmed + precision.false_alarms),
        share=words.percent(precision.share),
        low=words.percent(precision.low),
        high=words.percent(precision.high),
    )
