"""Sentences about what changed and about the audience, from an alert's evidence.

They are composed from the figures, because the evidence's own `summary` is in English only.
"""

from datetime import timedelta

from monitoring.audience import Audience
from monitoring.evidence import Evidence
from monitoring.kinds import BY_VOLUME, AlertKind, Reason
from serving.locales.wording import Wording, msg
from serving.notify.notification import Notification
from serving.notify.render.late import withdrawal
from serving.storage.digest_record import Figures

_FEW = 5  # with fewer comments a share is meaningless
_RISE: dict[str, str] = {
    AlertKind.BACKLASH: msg(
        "Negative comments on {name} jumped to {share} ({negative} of {total}) in {span}."
    ),
    AlertKind.FLIP: msg(
        "The mood on {name} turned while the number of comments stayed normal: {share} "
        "negative ({negative} of {total}) in {span}."
    ),
    AlertKind.SLOW_BURN: msg(
        "Negative comments on {name} have been growing: {share} ({negative} of {total}) in {span}."
    ),
    AlertKind.BRIGADE: msg(
        "A few accounts are pushing negative comments on {name}: {share} ({negative} of"
        " {total}) in {span}."
    ),
    AlertKind.PRAISE_SURGE: msg(
        "Praise for {name}: {comments} in {span}, {share} of them negative."
    ),
    AlertKind.ATTENTION_SURGE: msg(
        "Comments on {name} surged to {total} in {span}, {share} of them negative."
    ),
    AlertKind.COMMENT_FLOOD: msg(
        "Near-identical comments flood {name}: {comments} in {span}, {share} of them negative."
    ),
}
_VERDICTS = {
    "organic": msg("organic (these look like real people)"),
    "mixed": msg("mixed (part of it looks coordinated)"),
    "coordinated": msg("coordinated"),
}


def what_changed(notification: Notification, name: str, words: Wording) -> str:
    """What changed, for a person who reads nothing else.

    Args:
        notification: the transition.
        name: the KOL's, harmless already.
        words: the reader's language.

    Raises:
        KeyError, TypeError, ValueError: the evidence is malformed.
    """
    if notification.withdrawn:
        return withdrawal(notification, words)
    if notification.reason != Reason.RESOLVED:
        late = notification.found_at is not None
        what = rise(notification.kind, notification.evidence, name, words, late=late)
        if notification.reason != Reason.REVISED:
            return what
        again = words.text(
            "Its end no longer holds: with the comments that came late, it is not over."
        )
        return f"{again} {what}"
    if notification.kind == AlertKind.DATA_GAP:
        return _return(notification, name, words)
    return _end(notification, words)


def rise(
    kind: str,
    evidence: Evidence | Figures,
    name: str,
    words: Wording,
    *,
    late: bool = False,
) -> str:
    """Why an alert was raised, in a sentence or two.

    Args:
        kind: of alert.
        evidence: the figures; those of a digest have no scores.
        name: the KOL's, harmless already.
        words: the reader's language.
        late: whether it was found late, so that its window is not the last minutes.

    Raises:
        KeyError, TypeError, ValueError: the evidence is malformed.
    """
    now = isinstance(evidence, Evidence) and not late
    if kind == AlertKind.DATA_GAP:
        return _gap(evidence, name, words)
    if kind == AlertKind.COMMENT_FLOOD and isinstance(evidence, Evidence):  # with its scores
        return _flood(evidence, name, words, now=now)
    figures = {
        "name": name,
        "share": words.percent(evidence.negative_share),
        "negative": words.number(evidence.negative_share * evidence.comments),
        "total": words.number(evidence.comments),
        "comments": comments(evidence.comments, words),
        "span": _stretch(_window(evidence), words, now=now),
    }
    sentence = _RISE.get(kind, _RISE[AlertKind.BACKLASH])
    return f"{words.text(sentence, **figures)} {_normal(kind, evidence, words)}"


def _stretch(length: timedelta, words: Wording, *, now: bool) -> str:
    """A length of time; for what is reported as it happens, as "the last …"."""
    span = words.span(length)
    return words.text("the last {span}", span=span) if now else span


def _normal(kind: str, evidence: Evidence | Figures, words: Wording) -> str:
    """A second sentence: what is normal at that hour."""
    normal = words.number(evidence.expected_comments)
    if kind == AlertKind.ATTENTION_SURGE:  # of a day, not of an hour
        return words.text("Normal in that time: about {usual}.", usual=normal)
    if round(evidence.expected_comments) == 0:
        return words.text("Normal at this hour: almost no comments.")
    if kind in BY_VOLUME:
        return words.text("Normal at this hour: about {usual}.", usual=normal)
    return words.text(
        "Normal at this hour: {usual_share} of about {usual}.",
        usual_share=words.percent(evidence.expected_negative_share),
        usual=normal,
    )


def audience(found: Audience, words: Wording) -> str:
    """Whether real people write, and the figures that support it.

    Args:
        found: the audience in the evidence.
        words: the reader's language.

    Raises:
        KeyError, TypeError: the audience is malformed.
    """
    parts = []
    if found.authors is not None:
        parts.append(words.plural("{count} author", "{count} authors", found.authors))
    shares = (
        (found.newcomer_share, msg("{share} of the comments are from accounts not seen before")),
        (
            found.turned_share,
            msg("{share} of the negative ones are from people who were not negative before"),
        ),
        (found.top_five_share, msg("{share} are from the five busiest accounts")),
        (found.near_duplicate_share, msg("{share} nearly repeat another comment")),
    )
    for share, sentence in shares:
        if share is not None:
            parts.append(words.text(sentence, share=words.percent(share)))
    verdict = _VERDICTS[found.verdict]
    return f"{words.text(verdict)}: {'; '.join(parts)}"


def comments(count: int, words: Wording) -> str:
    """A number of comments in words."""
    return words.plural("{count} comment", "{count} comments", count)


def _end(notification: Notification, words: Wording) -> str:
    evidence = notification.evidence
    lasted = words.span(notification.at - evidence.incident_start)
    if notification.found_at is not None:  # its window is not the last minutes
        return words.text("Over after {span}.", span=lasted)
    last = words.span(_window(evidence))
    # Of attention the volume is what is over; its mood may never have changed.
    if evidence.comments < _FEW or notification.kind == AlertKind.ATTENTION_SURGE:
        return words.text(
            "Over after {span}. {comments} in the last {last}; normal: about {usual}.",
            span=lasted,
            last=last,
            comments=comments(evidence.comments, words),
            usual=words.number(evidence.expected_comments),
        )
    return words.text(
        "Over after {span}. {share} of the {comments} in the last {last} are negative; "
        "normal: {usual_share}.",
        span=lasted,
        last=last,
        share=words.percent(evidence.negative_share),
        comments=comments(evidence.comments, words),
        usual_share=words.percent(evidence.expected_negative_share),
    )


def _flood(evidence: Evidence, name: str, words: Wording, *, now: bool) -> str:
    """What the only detector of floods scored."""
    (score,) = evidence.scores
    n, copies, normal = (score.inputs[key] for key in ("n", "k", "p"))
    return words.text(
        "{share} of {comments} on {name} in {span} are near-identical. Normal: {usual}."
        " Possible causes are advertising, a giveaway or bots. The mood is no worse "
        "than normal.",
        name=name,
        share=words.percent(copies / n),
        comments=comments(int(n), words),
        span=_stretch(timedelta(minutes=score.scale_minutes), words, now=now),
        usual=words.percent(normal),
    )


def _gap(evidence: Evidence | Figures, name: str, words: Wording) -> str:
    return words.text(
        "No comments on {name} for {span}. Normal in that time: about {usual}. A "
        "platform or a data feed may be down.",
        name=name,
        span=words.span(_window(evidence)),
        usual=words.number(evidence.expected_comments),
    )


def _return(notification: Notification, name: str, words: Wording) -> str:
    """A gap that ends at its start ends because the missing comments arrived late."""
    if notification.at == notification.opened_at:
        return words.text("The missing comments on {name} have arrived.", name=name)
    evidence = notification.evidence
    return words.text(
        "Comments on {name} are back after {span} without any. Normal in that time: about {usual}.",
        name=name,
        span=words.span(notification.at - evidence.incident_start),
        usual=words.number(evidence.expected_comments),
    )


def _window(evidence: Evidence | Figures) -> timedelta:
    return evidence.window_end - evidence.window_start
