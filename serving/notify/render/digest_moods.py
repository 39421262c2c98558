"""The mood of each KOL in words."""

from collections.abc import Iterator

from serving.locales.wording import Wording, msg
from serving.notify.render.content import Figure
from serving.notify.render.digest_incidents import name_of
from serving.notify.render.rendered_digest import Day, Row
from serving.storage.digest_record import DayMood, DigestInterval, KolMood

_BEFORE = {
    DigestInterval.DAY: msg("the day before: {mood}"),
    DigestInterval.WEEK: msg("the week before: {mood}"),
}
_NOTHING_BEFORE = {
    DigestInterval.DAY: msg("no comments the day before"),
    DigestInterval.WEEK: msg("none the week before"),
}


def row(kol: KolMood, every: DigestInterval, words: Wording) -> Row:
    """A KOL in words.

    Args:
        kol: its figures.
        every: the digest's interval.
        words: the reader's language.
    """
    quiet = kol.comments == 0
    return Row(
        name=name_of(kol),
        tone=kol.worst_open,
        open=words.plural("{count} alert open", "{count} alerts open", kol.open_alerts)
        if kol.open_alerts
        else None,
        silence=_silence(kol, words) if quiet else None,
        figures=() if quiet else tuple(_figures(kol, every, words)),
        days=() if quiet else tuple(_day(day, words) for day in kol.days),
    )


def _silence(kol: KolMood, words: Wording) -> str:
    if kol.expected_comments is None:
        return words.text("No comments.")
    return words.text(
        "No comments. Normal: about {usual}.", usual=words.number(kol.expected_comments)
    )


def _figures(kol: KolMood, every: DigestInterval, words: Wording) -> Iterator[Figure]:
    if kol.mood is not None:
        before = words.text(_NOTHING_BEFORE[every])
        if kol.mood_before is not None:
            before = words.text(_BEFORE[every], mood=words.signed(kol.mood_before))
        yield Figure(words.text("Mood"), words.signed(kol.mood), before)
    normal, ratio = words.text("normal not known yet"), None
    if kol.expected_comments is not None:
        normal = words.text("normal: {usual}", usual=words.number(kol.expected_comments))
        if round(kol.expected_comments) > 0:
            change = kol.comments / kol.expected_comments
            ratio = words.text("{ratio} times", ratio=words.number(change, 1))
    yield Figure(words.text("Comments"), words.number(kol.comments), normal, ratio)
    if kol.negative_share is not None:
        normal = words.text("normal not known yet")
        if kol.expected_negative_share is not None:
            normal = words.text("normal: {usual}", usual=words.percent(kol.expected_negative_share))
        yield Figure(words.text("Negative"), words.percent(kol.negative_share), normal)


def _day(day: DayMood, words: Wording) -> Day:
    return Day(
        label=words.weekday(day.day),
        mood="-" if day.mood is None else words.signed(day.mood),
        comments=words.compact(day.comments),
    )
