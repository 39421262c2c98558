"""Puts the drivers into an alert event: what people say, where, and who they are."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitoring.alerts import AlertEvent
from monitoring.drivers import explain
from monitoring.events import ScoredComment
from monitoring.monitors import gap
from serving.storage.comment_log import CommentLog

INCIDENT_COMMENTS = 2000
BASELINE_COMMENTS = 2000
BASELINE_SPAN = timedelta(days=14)


async def with_drivers(
    event: AlertEvent, log: CommentLog, *, committed_seq: int, ahead: Sequence[ScoredComment] = ()
) -> AlertEvent:
    """The event with its drivers, computed from the log as it stood when the event arose.

    A data gap has none, because there are no comments.

    Args:
        event: as the engine raised it.
        log: the comment log.
        committed_seq: place up to which scores are committed; later ones are in `ahead`.
        ahead: scored comments of this step up to the one that raised the event, in log order.
    """
    if event.kind == gap.KIND:
        return event
    evidence = event.evidence
    start, end = evidence.incident_start, evidence.window_end
    incident = await log.scored_between(
        event.kol_id, start, end, up_to_seq=committed_seq, limit=INCIDENT_COMMENTS
    )
    baseline = await log.scored_between(
        event.kol_id,
        start - BASELINE_SPAN,
        start,
        up_to_seq=committed_seq,
        limit=BASELINE_COMMENTS,
    )
    for scored in ahead:
        if scored.comment.kol_id != event.kol_id:
            continue
        if start <= scored.comment.created_at < end:
            incident.append(scored)
        elif start - BASELINE_SPAN <= scored.comment.created_at < start:
            baseline.append(scored)
    drivers = await asyncio.to_thread(
        explain,
        _latest(incident, INCIDENT_COMMENTS),
        _latest(baseline, BASELINE_COMMENTS),
        evidence.expected_negative_share,
    )
    rises = event.reason != "resolved" and event.severity != "info"
    return replace(event, evidence=evidence.explained(drivers, aloud=rises))


def _latest(comments: list[ScoredComment], limit: int) -> list[ScoredComment]:
    return sorted(comments, key=_place)[-limit:]


def _place(scored: ScoredComment) -> tuple[datetime, str, str]:
    """Sorts comments in whatever order they came in."""
    comment = scored.comment
    return comment.created_at, comment.platform, comment.comment_id
