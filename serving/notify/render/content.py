"""The content of notifications of alerts, the same for every channel.

Texts are in the reader's language, on one line each and cut to length; offensive words in comments
are masked. Texts are not escaped: each renderer escapes them as its channel needs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from monitoring.drivers import Sample
from monitoring.evidence import Evidence
from monitoring.kinds import BY_VOLUME, AlertKind, Reason, Severity
from serving.locales.quoting import cut, defused, harmless, holds_offence, one_line, quoted
from serving.locales.wording import Wording, msg, wording
from serving.notify.channels.base import Rejected
from serving.notify.notification import Notification
from serving.notify.render.delays import missing
from serving.notify.render.late import found_late
from serving.notify.render.sentences import audience, comments, what_changed
from serving.storage.post_record import PostName

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
    AlertKind.ATTENTION_SURGE: msg("attention surge"),
    AlertKind.DATA_GAP: msg("data gap"),
}
_HAPPENED = {
    "opened": msg("{kind} detected"),
    "escalated": msg("{kind} escalated"),
    "reopened": msg("{kind} reopened"),
    "aftershock": msg("{kind}: second wave, no larger so far"),
    "revised": msg("{kind} is not over after all"),
    "still_open": msg("{kind} still open"),
    "unacknowledged": msg("{kind} not acknowledged yet"),
    "test": msg("{kind} detected"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure beside its normal value.

    Attributes:
        label: what it counts.
        now: its value.
        normal: "normal: …".
        change: ratio to the normal value; None if there is no useful one.
    """

    label: str
    now: str
    normal: str
    change: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A text under a label.

    Attributes:
        label: what it is.
        text: the text; of a link its address.
        address: where the text leads; None for nowhere.
    """

    label: str
    text: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a notification of one transition.

    Attributes:
        alert_id: id of the alert.
        tone: "critical", "warning", "info", "over", or "withdrawn".
        flag: the tone in words, for a badge.
        name: name of the KOL.
        headline: what happened and how bad it is, without the name.
        notice: that this is a test, or was found late, and when; None otherwise.
        sentence: what changed, in a sentence or two.
        figures: figures and their normal values; empty for an alert that is over or withdrawn.
        facts: start, top post, audience, platforms whose comments may be missing.
        quotes_label: heading of the quotes.
        quotes: comments, in quotation marks.
        signed: the alert's id and the time of the transition.
        chart_label: alternative text of the chart.
        acknowledge_label: what the button says that acknowledges.
        page, acknowledge, chart: links with their labels; None if no public URL is set.
            `acknowledge` is None for an alert that is over or withdrawn, too.
        post: link to the top post; None if its address is not known.
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
    acknowledge_label: str
    page: Fact | None
    acknowledge: Fact | None
    chart: Fact | None
    post: Fact | None

    @property
    def subject(self) -> str:
        """One line: severity, KOL, what happened."""
        return f"{self.flag} · {self.name} · {self.headline}"

    @property
    def links(self) -> tuple[Fact, ...]:
        """The links that are set."""
        links = (self.page, self.acknowledge, self.post, self.chart)
        return tuple(link for link in links if link is not None)


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """A message about one transition, or about several.

    Attributes:
        subject: one line.
        items: at least one; if there are several, each is shown in short form.
    """

    subject: str
    items: tuple[Content, ...]


def write(notifications: Sequence[Notification], words: Wording) -> RenderedMessage:
    """The message about transitions.

    Args:
        notifications: at least one, oldest first.
        words: the reader's language and time zone.

    Raises:
        Rejected: the evidence cannot be read.
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


def shortened(message: RenderedMessage, longest: int) -> RenderedMessage:
    """The message with every text cut to so many characters; links that are longer are left out."""

    def short(link: Fact | None) -> Fact | None:
        return None if link is None or len(link.text) > longest else link

    def shorter(content: Content) -> Content:
        facts = [Fact(cut(fact.label, longest), cut(fact.text, longest)) for fact in content.facts]
        return replace(
            content,
            name=cut(content.name, longest),
            headline=cut(content.headline, longest),
            notice=content.notice and cut(content.notice, longest),
            sentence=cut(content.sentence, longest),
            facts=tuple(facts),
            quotes=tuple(cut(quote, longest) for quote in content.quotes),
            page=short(content.page),
            acknowledge=short(content.acknowledge),
            chart=short(content.chart),
            post=short(content.post),
        )

    items = tuple(shorter(item) for item in message.items)
    return RenderedMessage(cut(message.subject, longest), items)


def kind_name(kind: str, words: Wording) -> str:
    """A kind of alert in words."""
    return words.text(_KINDS.get(kind, kind.replace("_", " ")))


def _content(notification: Notification, words: Wording) -> Content:
    evidence, reason = notification.evidence, notification.reason
    trial = reason == "test"
    tone, flag = _tone(notification, words)
    over = tone in ("over", "withdrawn")
    name = harmless(notification.kol_name or notification.kol_id, LONGEST_NAME)
    drivers = None if over else evidence.drivers
    facts = () if over else tuple(_facts(notification, words))
    address = next((fact.address for fact in facts if fact.address is not None), None)
    headline = what_happened(
        reason,
        notification.kind,
        words,
        withdrawn=notification.withdrawn,
        late=notification.found_at is not None,
    )
    if not over:
        headline += f": {_how_bad(notification.kind, evidence, words)}"
    test = words.text("TEST")
    made_up = words.text("This is a test message with a made-up alert. Nothing has happened.")
    return Content(
        alert_id=notification.alert_id,
        tone=tone,
        flag=f"{test} · {flag}" if trial else flag,
        name=name,
        headline=headline,
        notice=made_up if trial else found_late(notification, words),
        sentence=what_changed(notification, name, words),
        figures=() if over else tuple(_figures(notification.kind, evidence, words)),
        facts=(*facts, *_late(notification, words)),
        quotes_label=words.text("What people say"),
        quotes=tuple(_quotes(drivers.representative)) if drivers else (),
        signed=Fact(
            words.text("Alert"), f"{notification.alert_id}, {words.moment(notification.at)}"
        ),
        chart_label=words.text("Chart of the comments on {name}", name=name),
        acknowledge_label=words.text("Acknowledge"),
        page=link(words.text("Open the alert"), notification.link, words),
        acknowledge=None
        if over
        else link(words.text("Acknowledge"), notification.acknowledge_link, words),
        chart=None if trial else link(words.text("Chart"), notification.chart_link, words),
        post=None if address is None else Fact(words.text("Open the post"), address),
    )


def _tone(notification: Notification, words: Wording) -> tuple[str, str]:
    """The tone of a notification, and the same in words."""
    if notification.withdrawn:
        return "withdrawn", words.text("WITHDRAWN")
    if notification.reason == Reason.RESOLVED:
        return "over", words.text("RESOLVED")
    return notification.severity, words.text(SEVERITIES[notification.severity])


def what_happened(
    reason: str, kind: str, words: Wording, *, withdrawn: bool = False, late: bool = False
) -> str:
    """A transition of an alert of a kind, in a few words.

    Args:
        reason: of the transition.
        kind: of the alert.
        words: the reader's language.
        withdrawn: whether a revision says that the alert no longer holds.
        late: whether it was found late.

    Raises:
        KeyError: there is no such reason.
    """
    named = kind_name(kind, words)
    if reason == Reason.RESOLVED:
        return words.text("{kind} is over", kind=named)
    if withdrawn:
        return words.text("{kind} withdrawn", kind=named)
    if late and reason == Reason.OPENED:
        return words.text("{kind} found late", kind=named)
    return words.text(_HAPPENED[reason], kind=named)


def _how_bad(kind: str, evidence: Evidence, words: Wording) -> str:
    if kind in BY_VOLUME:
        ratio = words.number(evidence.volume_ratio, 1)
        return words.text("{ratio} times the normal number of comments", ratio=ratio)
    if kind == AlertKind.DATA_GAP:
        now = comments(evidence.comments, words)
        normal = words.number(evidence.expected_comments)
        return words.text("{comments} (normal: {usual})", comments=now, usual=normal)
    return words.text(
        "{share} negative (normal: {usual})",
        share=words.percent(evidence.negative_share),
        usual=words.percent(evidence.expected_negative_share),
    )


def _figures(kind: str, evidence: Evidence, words: Wording) -> Iterator[Figure]:
    normal = words.number(evidence.expected_comments)
    yield Figure(
        words.text("Comments"),
        words.number(evidence.comments),
        words.text("normal: {usual}", usual=normal),
        words.text("{ratio} times", ratio=words.number(evidence.volume_ratio, 1)),
    )
    if kind != AlertKind.DATA_GAP:  # there are no comments, so there is no share
        normal = words.percent(evidence.expected_negative_share)
        yield Figure(
            words.text("Negative"),
            words.percent(evidence.negative_share),
            words.text("normal: {usual}", usual=normal),
        )


def post_name(post_id: str, name: PostName | None) -> str:
    """A post on one line: the beginning of its text, or its id where the text is not known."""
    if name is None or not name.text or not (text := one_line(name.text)):
        return harmless(post_id, LONGEST_NAME)
    return f"“{defused(cut(text, LONGEST_NAME))}”"


def _facts(notification: Notification, words: Wording) -> Iterator[Fact]:
    evidence, top = notification.evidence, notification.top_post
    drivers = evidence.drivers
    yield Fact(words.text("Since"), words.moment(evidence.incident_start))
    if drivers is None:
        return
    for post in drivers.posts[:1]:
        if post.post_id is None:
            name = words.text("comments without a post")
        else:
            name = post_name(post.post_id, top)
        yield Fact(
            words.text("Top post"),
            words.text(
                "{post}: {comments}, {excess} more negative ones than normal",
                post=name,
                comments=comments(post.comments, words),
                excess=words.number(post.excess),
            ),
            None if top is None else top.url,
        )
    yield Fact(words.text("Audience"), audience(drivers.audience, words))


def _late(notification: Notification, words: Wording) -> Iterator[Fact]:
    for sentence in missing(notification.late_sources, words):
        yield Fact(words.text("Normal delay"), sentence)


def _quotes(samples: Sequence[Sample]) -> Iterator[str]:
    shown = [sample for sample in samples if _showable(sample)]
    yield from (quoted(sample.text) for sample in shown[:_QUOTES])


def _showable(sample: Sample) -> bool:
    """Whether masking words is enough for what the model thinks of the comment."""
    offensive = sample.offensive
    return offensive is None or offensive < _OFFENSIVE or holds_offence(sample.text)


def link(label: str, address: str | None, words: Wording) -> Fact | None:
    """A link to a page in the language and time zone of the message."""
    if address is None:
        return None
    default = wording()
    asked = {
        name: value
        for name, value, unset in (
            ("language", str(words.locale), str(default.locale)),
            ("timezone", words.zone.key, default.zone.key),
        )
        if value != unset
    }
    joint = "&" if "?" in address else "?"
    return Fact(label, f"{address}{joint if asked else ''}{urlencode(asked, safe='/')}")
