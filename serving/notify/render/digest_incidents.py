"""Incidents and their ends in words."""

from collections.abc import Iterator

from monitoring.kinds import BY_VOLUME
from serving.locales.quoting import harmless
from serving.locales.wording import Wording
from serving.notify.render.content import LONGEST_NAME, SEVERITIES, Fact, kind_name, link, post_name
from serving.notify.render.rendered_digest import Entry
from serving.notify.render.sentences import comments, rise
from serving.notify.render.times import moment
from serving.storage.digest_record import Incident, IncidentRecovery, KolMood, WithdrawnAlert
from serving.storage.post_record import PostName


def entry(incident: Incident, words: Wording, public_url: str | None) -> Entry:
    """An incident in words.

    Args:
        incident: what the digest reports.
        words: the reader's language and the digest's time zone.
        public_url: under which people reach this service; None leaves the link out.
    """
    flag = words.text(SEVERITIES[incident.severity])
    if incident.ended is not None:
        flag = words.text("{flag}, over", flag=flag)
    page = None
    if public_url is not None:
        page = f"{public_url.rstrip('/')}/alerts/{incident.alert_id}"
    return Entry(
        tone=incident.severity,
        flag=flag,
        name=name_of(incident),
        kind=kind_name(incident.kind, words),
        lines=tuple(_lines(incident, words)),
        link=link(words.text("Open the alert"), page, words),
        post=None
        if incident.top_post_url is None
        else Fact(words.text("Open the post"), incident.top_post_url),
    )


def _lines(incident: Incident, words: Wording) -> Iterator[str]:
    yield _when(incident, words)
    if incident.found_at is not None:
        yield words.text(
            "Found late, on {moment}, when more comments arrived",
            moment=moment(incident.found_at, words),
        )
    yield rise(incident.kind, incident.figures, name_of(incident), words)
    peak = incident.peak
    if peak is not None and incident.kind in BY_VOLUME:
        yield words.text(
            "Peak: {comments} in the ten minutes from {moment}.",
            comments=comments(peak.comments, words),
            moment=moment(peak.start, words),
        )
    elif peak is not None:
        yield words.text(
            "Peak: {negative} of {comments} negative in the ten minutes from {moment}.",
            negative=words.number(peak.negative),
            comments=comments(peak.comments, words),
            moment=moment(peak.start, words),
        )
    if incident.top_post is not None:
        known = PostName(incident.top_post_text, incident.top_post_url)
        yield words.text("Top post: {post}", post=post_name(incident.top_post, known))
    yield _verdict(incident, words)


def _when(incident: Incident, words: Wording) -> str:
    began = moment(incident.began, words)
    if incident.lasts:
        when = words.text("Since {moment}, still open", moment=began)
    elif incident.ended is None:
        when = words.text("Since {moment}, closed by the team", moment=began)
    else:
        when = words.text(
            "{began} to {ended} ({span})",
            began=began,
            ended=moment(incident.ended, words, after=incident.began),
            span=words.span(incident.ended - incident.began),
        )
    if incident.waves == 1:
        return when
    waves = words.plural("{count} wave", "{count} waves", incident.waves)
    return words.text("{when}, in {waves}", when=when, waves=waves)


def _verdict(incident: Incident, words: Wording) -> str:
    if incident.verdict is None:
        return words.text("Not reviewed yet")
    actor = harmless(incident.judged_by or "?", LONGEST_NAME)
    if incident.verdict == "false_alarm":
        return words.text("Marked as a false alarm by {actor}", actor=actor)
    return words.text("Confirmed by {actor}", actor=actor)


def recovered(recovery: IncidentRecovery, words: Wording) -> str:
    """That an incident is over, and how long it took."""
    return words.text(
        "{name}: {kind} was back to normal on {moment}, {span} after it began.",
        name=name_of(recovery),
        kind=kind_name(recovery.kind, words),
        moment=moment(recovery.ended, words),
        span=words.span(recovery.ended - recovery.began),
    )


def withdrawn(alert: WithdrawnAlert, words: Wording) -> str:
    """Which alert no longer holds."""
    return words.text(
        "{name}: {kind}, reported for {moment}",
        name=name_of(alert),
        kind=kind_name(alert.kind, words),
        moment=moment(alert.opened_at, words),
    )


def name_of(of: Incident | IncidentRecovery | WithdrawnAlert | KolMood) -> str:
    """A KOL's name, or its id where there is none."""
    return harmless(of.name or of.kol_id, LONGEST_NAME)
