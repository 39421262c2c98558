"""The words of a message; every channel takes them from here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from serving.delivery.channel import Rejected
from serving.delivery.notification import Notification
from serving.delivery.quoting import holds_offence, one_line, quoted

_GAP = "data_gap"  # nobody said anything, so there is no share
_COMMENTS = 3
_OFFENSIVE = 0.5  # P(offensive) from which a comment without a word to mask is not shown


@dataclass(frozen=True, slots=True)
class Message:
    """What a person reads.

    Attributes:
        subject: one line: how bad, who, what.
        body: plain text, several lines.
    """

    subject: str
    body: str


def render(notifications: Sequence[Notification]) -> Message:
    """One message about one transition, or a short one about each of several.

    Raises:
        Rejected: the evidence is not as it must be, so there is nothing to be said.
    """
    try:
        if len(notifications) == 1:
            (only,) = notifications
            return Message(_subject(only), "\n".join(_lines(only)))
        subjects = [_subject(notification) for notification in notifications]
        parts = [
            "\n".join([subject, *_short(notification)])
            for subject, notification in zip(subjects, notifications, strict=True)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise Rejected(f"the message cannot be written from its evidence: {error!r}") from error
    names = list(dict.fromkeys(_name(notification) for notification in notifications))
    who = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return Message(f"{len(notifications)} alert messages: {who}", "\n\n".join(parts))


def _name(notification: Notification) -> str:
    return one_line(notification.kol_name or notification.kol_id)


def _subject(notification: Notification) -> str:
    evidence = notification.evidence
    kind = notification.kind.replace("_", " ")
    if notification.reason == "test":
        return f"TEST · {_name(notification)} · this channel works"
    if notification.reason == "resolved":
        return f"RESOLVED · {_name(notification)} · {kind} is over"
    if notification.kind == "praise_surge":
        figures = f"{evidence['volume_ratio']:.1f} times the usual comments"
    elif notification.kind == _GAP:
        figures = f"{evidence['comments']:,} comments, usual {evidence['expected_comments']:,.0f}"
    else:
        usual = evidence["expected_negative_share"]
        figures = f"{evidence['negative_share']:.0%} negative, usual {usual:.0%}"
    severity = notification.severity.upper()
    return f"{severity} · {_name(notification)} · {kind} {notification.reason}: {figures}"


def _short(notification: Notification) -> Iterator[str]:
    yield one_line(notification.evidence["summary"])
    if notification.link:
        yield notification.link


def _lines(notification: Notification) -> Iterator[str]:
    evidence = notification.evidence
    yield one_line(evidence["summary"])
    yield ""
    if notification.reason not in ("resolved", "test"):  # an end needs no reasons
        yield from _figures(notification.kind, evidence)
    yield f"Alert     {notification.alert_id}, {_instant(notification.at)}"
    if notification.link:
        yield notification.link


def _figures(kind: str, evidence: Mapping[str, Any]) -> Iterator[str]:
    yield f"Since     {_instant(datetime.fromisoformat(evidence['incident_start']))}"
    yield (
        f"Comments  {evidence['comments']:,}, usual {evidence['expected_comments']:,.0f}"
        f" (x {evidence['volume_ratio']:.1f})"
    )
    if kind != _GAP:
        usual = evidence["expected_negative_share"]
        yield f"Negative  {evidence['negative_share']:.0%}, usual {usual:.0%}"
    drivers = evidence["drivers"]
    if drivers is None:
        return
    for post in drivers["posts"][:1]:
        name = "the comments without a post" if post["post_id"] is None else post["post_id"]
        yield (
            f"Top post  {one_line(name)}: {post['comments']:,} comments, "
            f"{post['excess']:,.0f} more negative than usual"
        )
    shown = [quoted(sample["text"]) for sample in drivers["representative"] if _showable(sample)]
    for index, text in enumerate(shown[:_COMMENTS]):
        yield f"{'' if index else 'Comments':<8}  {text}"
    audience = drivers["audience"]
    yield f"Audience  {audience['verdict']}: {'; '.join(audience['reasons'])}"


def _showable(sample: Mapping[str, Any]) -> bool:
    """Whether masking words is enough for what the model thinks of the comment."""
    offensive = sample["offensive"]
    return offensive is None or offensive < _OFFENSIVE or holds_offence(sample["text"])


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
