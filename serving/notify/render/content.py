"""What there is to say of transitions of alerts, said once for every channel.

Texts are in the reader's language, on one line each and cut to length; other people's words are
masked. They are not escaped: each renderer does that as its channel needs it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from monitoring.drivers import Drivers, Sample
from monitoring.evidence import Evidence
from monitoring.kinds import AlertKind, Reason, Severity
from serving.locales.quoting import cut, holds_offence, one_line, quoted
from serving.locales.wording import Wording, msg, wording
from serving.notify.channels.base import Rejected
from serving.notify.notification import Notification
from serving.notify.render.sentences import audience, comments, what_changed

_QUOTES = 3
LONGEST_NAME = 60
_OFFENSIVE = 0.5  # P(offensive) from which a comment without a word to mask is not shown
SEVERITIES: dict[str, str] = {
    Severity.CRITICAL: msg("CRITICAL"),
    Severity.WARNING: msg("WARNING"),
    Severity.INFO: msg("INFO"),
}
_KINDS: dict[str, str] = {
    AlertKind.BACKLASH: msg("backlash"),
    AlertKind.FLIP: msg("mood flip"),
    AlertKind.SLOW_BURN: msg("slow burn"),
    AlertKind.BRIGADE: msg("brigade"),
    AlertKind.PRAISE_SURGE: msg("praise surge"),
    AlertKind.COMMENT_FLOOD: msg("comment flood"),
    AlertKind.DATA_GAP: msg("data gap"),
}
_HAPPENED = {
    "opened": msg("{kind} detected"),
    "escalated": msg("{kind} escalated"),
    "reopened": msg("{kind} reopened"),
    "aftershock": msg("{kind}: second wave, no larger so far"),
    "still_open": msg("{kind} still open"),
    "unacknowledged": msg("{kind} not acknowledged yet"),
    "test": msg("{kind} detected"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure beside its usual value.

    Attributes:
        label: what it counts.
        now: its value.
        usual: "usually …".
        change: how far it is from the usual; None where that says nothing.
    """

    label: str
    now: str
    usual: str
    change: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """Something worth knowing, under a label."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """What one transition says.

    Attributes:
        alert_id: which alert.
        tone: "critical", "warning", "info", or "over".
        flag: the tone in words, for a badge.
        name: the KOL's.
        headline: what happened and how bad, without the name.
        notice: that this is only a test; None where it is not.
        sentence: of what changed.
        figures: against normal; none at an end.
        facts: since when, the top post, who writes.
        quotes_label: heading of the quotes.
        quotes: comments, in quotation marks.
        signed: the alert's id and the time of the transition.
        chart_label: what a reader sees in place of the chart.
        page, acknowledge, chart: addresses, each with the words of its link; None where no public
            URL is set, and `acknowledge` where nothing is to be done.
    """

    alert_id: str
    tone: str
    flag: str
    name: str
    headline: str
    notice: str | None
    sentence: str
    figures: tuple[Figure, ...]
    facts: tuple[Fact, ...]
    quotes_label: str
    quotes: tuple[str, ...]
    signed: Fact
    chart_label: str
    page: Fact | None
    acknowledge: Fact | None
    chart: Fact | None

    @property
    def subject(self) -> str:
        """One line: how bad, who, what."""
        return f"{self.flag} · {self.name} · {self.headline}"

    @property
    def links(self) -> tuple[Fact, ...]:
        """What can be opened: label and address."""
        return tuple(link for link in (self.page, self.acknowledge, self.chart) if link is not None)


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """One message: of one transition, or of a burst of them.

    Attributes:
        subject: one line.
        items: at least one; more than one are to be told shortly.
    """

    subject: str
    items: tuple[Content, ...]


def write(notifications: Sequence[Notification], words: Wording) -> RenderedMessage:
    """Say what transitions have to say.

    Args:
        notifications: at least one, oldest first.
        words: the reader's language and time zone.

    Raises:
        Rejected: the evidence is not as it must be, so there is nothing to be said.
    """
    try:
        items = tuple(_content(notification, words) for notification in notifications)
    except (KeyError, TypeError, ValueError) as error:
        raise Rejected(f"the message cannot be written from its evidence: {error!r}") from error
    if len(items) == 1:
        return RenderedMessage(items[0].subject, items)
    names = list(dict.fromkeys(item.name for item in items))
    who = ", ".join(names[:3])
    if len(names) > 3:
        who = words.plural(
            "{who} and {count} more", "{who} and {count} more", len(names) - 3, who=who
        )
    subject = words.plural("{count} alert update", "{count} alert updates", len(items))
    return RenderedMessage(f"{subject}: {who}", items)


def kind_name(kind: str, words: Wording) -> str:
    """A kind of alert in words."""
    return words.text(_KINDS.get(kind, kind.replace("_", " ")))


def _content(notification: Notification, words: Wording) -> Content:
    evidence, reason = notification.evidence, notification.reason
    over, trial = reason == Reason.RESOLVED, reason == "test"
    name = cut(one_line(notification.kol_name or notification.kol_id), LONGEST_NAME)
    drivers = None if over else evidence.drivers
    flag = words.text("RESOLVED") if over else words.text(SEVERITIES[notification.severity])
    test = words.text("TEST")
    headline = what_happened(reason, notification.kind, words)
    if not over:
        headline += f": {_how_bad(notification.kind, evidence, words)}"
    return Content(
        alert_id=notification.alert_id,
        tone="over" if over else notification.severity,
        flag=f"{test} · {flag}" if trial else flag,
        name=name,
        headline=headline,
        notice=words.text("This is a test message with a made-up alert. Nothing has happened.")
        if trial
        else None,
        sentence=what_changed(notification, name, words),
        figures=() if over else tuple(_figures(notification.kind, evidence, words)),
        facts=() if over else tuple(_facts(evidence, drivers, words)),
        quotes_label=words.text("What people say"),
        quotes=tuple(_quotes(drivers.representative)) if drivers else (),
        signed=Fact(
            words.text("Alert"), f"{notification.alert_id}, {words.moment(notification.at)}"
        ),
        chart_label=words.text("Chart of the comments on {name}", name=name),
        page=link(words.text("Open the alert"), notification.link, words),
        acknowledge=None
        if over
        else link(words.text("Acknowledge"), notification.acknowledge_link, words),
        chart=None if trial else link(words.text("Chart"), notification.chart_link, words),
    )


def what_happened(reason: str, kind: str, words: Wording) -> str:
    """A transition of an alert of a kind, in a few words.

    Raises:
        KeyError: there is no such reason.
    """
    named = kind_name(kind, words)
    if reason == Reason.RESOLVED:
        return words.text("{kind} is over", kind=named)
    return words.text(_HAPPENED[reason], kind=named)


def _how_bad(kind: str, evidence: Evidence, words: Wording) -> str:
    if kind in (AlertKind.PRAISE_SURGE, AlertKind.COMMENT_FLOOD):
        ratio = words.number(evidence.volume_ratio, 1)
        return words.text("{ratio} times the normal number of comments", ratio=ratio)
    if kind == AlertKind.DATA_GAP:
        now = comments(evidence.comments, words)
        usual = words.number(evidence.expected_comments)
        return words.text("{comments} (normal: {usual})", comments=now, usual=usual)
    return words.text(
        "{share} negative (normal: {usual})",
        share=words.percent(evidence.negative_share),
        usual=words.percent(evidence.expected_negative_share),
    )


def _figures(kind: str, evidence: Evidence, words: Wording) -> Iterator[Figure]:
    usual = words.number(evidence.expected_comments)
    yield Figure(
        words.text("Comments"),
        words.number(evidence.comments),
        words.text("normal: {usual}", usual=usual),
        words.text("{ratio} times", ratio=words.number(evidence.volume_ratio, 1)),
    )
    if kind != AlertKind.DATA_GAP:  # nobody said anything, so there is no share
        usual = words.percent(evidence.expected_negative_share)
        yield Figure(
            words.text("Negative"),
            words.percent(evidence.negative_share),
            words.text("normal: {usual}", usual=usual),
        )


def _facts(evidence: Evidence, drivers: Drivers | None, words: Wording) -> Iterator[Fact]:
    yield Fact(words.text("Since"), words.moment(evidence.incident_start))
    if drivers is None:
        return
    for post in drivers.posts[:1]:
        if post.post_id is None:
            name = words.text("comments without a post")
        else:
            name = cut(one_line(post.post_id), LONGEST_NAME)
        yield Fact(
            words.text("Top post"),
            words.text(
                "{post}: {comments}, {excess} more negative ones than normal",
                post=name,
                comments=comments(post.comments, words),
                excess=words.number(post.excess),
            ),
        )
    yield Fact(words.text("Audience"), audience(drivers.audience, words))


def _quotes(samples: Sequence[Sample]) -> Iterator[str]:
    shown = [sample for sample in samples if _showable(sample)]
    yield from (quoted(sample.text) for sample in shown[:_QUOTES])


def _showable(sample: Sample) -> bool:
    """Whether masking words is enough for what the model thinks of the comment."""
    offensive = sample.offensive
    return offensive is None or offensive < _OFFENSIVE or holds_offence(sample.text)


def link(label: str, address: str | None, words: Wording) -> Fact | None:
    """A link to what is read in the words of the message that it stands in."""
    if address is None:
        return None
    usual = wording()
    asked = {
        name: value
        for name, value, default in (
            ("language", str(words.locale), str(usual.locale)),
            ("timezone", words.zone.key, usual.zone.key),
        )
        if value != default
    }
    joint = "&" if "?" in address else "?"
    return Fact(label, f"{address}{joint if asked else ''}{urlencode(asked, safe='/')}")
