"""The sentence of what changed, and the verdict on who writes, from an alert's evidence.

Composed anew from the figures and not taken from the evidence's own `summary`, which is English.
"""

from datetime import timedelta

from monitoring.audience import Audience
from monitoring.evidence import Evidence
from monitoring.kinds import AlertKind, Reason
from serving.locales.wording import Wording, msg
from serving.notify.notification import Notification
from serving.storage.digest_record import Figures

_FEW = 5  # comments of which a share says nothing
_ROSE: dict[str, str] = {
    AlertKind.BACKLASH: msg(
        "Negative comments on {name} rose: {share} of {comments} in {span}; "
        "usually {usual_share} of {usual}."
    ),
    AlertKind.FLIP: msg(
        "The mood on {name} turned at usual volume: {share} of {comments} in {span} are negative; "
        "usually {usual_share} of {usual}."
    ),
    AlertKind.SLOW_BURN: msg(
        "Negative comments on {name} have been growing: {share} of {comments} in {span}; "
        "usually {usual_share} of {usual}."
    ),
    AlertKind.BRIGADE: msg(
        "A few accounts push negative comments on {name}: {share} of {comments} in {span}; "
        "usually {usual_share} of {usual}."
    ),
}
_VERDICTS = {
    "organic": msg("organic, real people as far as one can tell"),
    "mixed": msg("mixed, some of it looks coordinated"),
    "coordinated": msg("coordinated"),
}


def what_changed(notification: Notification, name: str, words: Wording) -> str:
    """One sentence for a person who reads nothing else.

    Args:
        notification: the transition.
        name: the KOL's, harmless already.
        words: the reader's language.

    Raises:
        KeyError, TypeError, ValueError: the evidence is not as it must be.
    """
    if notification.reason != Reason.RESOLVED:
        return rise(notification.kind, notification.evidence, name, words)
    if notification.kind == AlertKind.DATA_GAP:
        return _return(notification, name, words)
    return _end(notification, words)


def rise(kind: str, evidence: Evidence | Figures, name: str, words: Wording) -> str:
    """One sentence of what an alert was raised for.

    Args:
        kind: of alert.
        evidence: the figures; those of a digest have no scores.
        name: the KOL's, harmless already.
        words: the reader's language.

    Raises:
        KeyError, TypeError, ValueError: the evidence is not as it must be.
    """
    if kind == AlertKind.DATA_GAP:
        return _gap(evidence, name, words)
    if kind == AlertKind.COMMENT_FLOOD and isinstance(evidence, Evidence):  # with its scores
        return _flood(evidence, name, words)
    figures = {
        "name": name,
        "share": words.percent(evidence.negative_share),
        "comments": comments(evidence.comments, words),
        "span": words.span(_window(evidence)),
        "usual": words.number(evidence.expected_comments),
    }
    if kind == AlertKind.COMMENT_FLOOD:
        return words.text(
            "Near-copies flood {name}: {comments} in {span}, {share} of them negative; usually "
            "{usual} at this hour.",
            **figures,
        )
    if kind == AlertKind.PRAISE_SURGE:
        return words.text(
            "Praise for {name}: {comments} in {span}, {share} of them negative; usually {usual} "
            "at this hour.",
            **figures,
        )
    usual_share = words.percent(evidence.expected_negative_share)
    sentence = _ROSE.get(kind, _ROSE[AlertKind.BACKLASH])
    return words.text(sentence, **figures, usual_share=usual_share)


def audience(found: Audience, words: Wording) -> str:
    """Whether a real crowd writes, and what speaks for it.

    Args:
        found: the audience in the evidence.
        words: the reader's language.

    Raises:
        KeyError, TypeError: the audience is not as it must be.
    """
    parts = []
    if found.authors is not None:
        parts.append(words.plural("{count} author", "{count} authors", found.authors))
    shares = (
        (found.newcomer_share, msg("{share} of the comments from accounts not seen before")),
        (found.turned_share, msg("{share} of the negative ones from people who were not negative")),
        (found.top_five_share, msg("{share} by the five busiest accounts")),
        (found.near_duplicate_share, msg("{share} nearly repeat another")),
    )
    for share, sentence in shares:
        if share is not None:
            parts.append(words.text(sentence, share=words.percent(share)))
    verdict = _VERDICTS[found.verdict]
    return f"{words.text(verdict)}: {'; '.join(parts)}"


def comments(count: int, words: Wording) -> str:
    """So many comments, in words."""
    return words.plural("{count} comment", "{count} comments", count)


def _end(notification: Notification, words: Wording) -> str:
    evidence = notification.evidence
    lasted = words.span(notification.at - evidence.incident_start)
    last = words.span(_window(evidence))
    if evidence.comments < _FEW:
        return words.text(
            "It is over after {span}: {comments} in the last {last}, usually {usual}.",
            span=lasted,
            last=last,
            comments=comments(evidence.comments, words),
            usual=words.number(evidence.expected_comments),
        )
    return words.text(
        "It is over after {span}: {share} of {comments} in the last {last} are negative, "
        "usually {usual_share}.",
        span=lasted,
        last=last,
        share=words.percent(evidence.negative_share),
        comments=comments(evidence.comments, words),
        usual_share=words.percent(evidence.expected_negative_share),
    )


def _flood(evidence: Evidence, name: str, words: Wording) -> str:
    """From what its one detector judged."""
    (score,) = evidence.scores
    n, copies, usual = (score.inputs[key] for key in ("n", "k", "p"))
    return words.text(
        "Near-copies on {name}: {share} of {comments} in {span}; usually {usual}. Advertising, a "
        "prize draw or bots may be behind it; the mood is no darker than usual.",
        name=name,
        share=words.percent(copies / n),
        comments=comments(int(n), words),
        span=words.span(timedelta(minutes=score.scale_minutes)),
        usual=words.percent(usual),
    )


def _gap(evidence: Evidence | Figures, name: str, words: Wording) -> str:
    return words.text(
        "No comments on {name} for {span}; usually {usual} in that time. A platform or a feed may "
        "be down.",
        name=name,
        span=words.span(_window(evidence)),
        usual=words.number(evidence.expected_comments),
    )


def _return(notification: Notification, name: str, words: Wording) -> str:
    """A gap that ends as it was opened ends because what was missing came late."""
    if notification.at == notification.opened_at:
        return words.text("The comments on {name} that were missing have arrived.", name=name)
    evidence = notification.evidence
    return words.text(
        "Comments on {name} come again after {span} without any; usually {usual} in that time.",
        name=name,
        span=words.span(notification.at - evidence.incident_start),
        usual=words.number(evidence.expected_comments),
    )


def _window(evidence: Evidence | Figures) -> timedelta:
    return evidence.window_end - evidence.window_start
