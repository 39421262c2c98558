"""Stage 3 of planning: the channels that are not to be notified after all."""

from dataclasses import replace
from datetime import datetime

from monitoring.kinds import AlertState, Reason
from serving.notify.stages.planning import Planning
from serving.triage.muting import alert_status

TOO_OLD, REBUILT = "too old", "notified before the rebuild"
LATE_AND_OVER = "found late, and over"


def mute(planning: Planning) -> Planning:
    """Skip what is too old, was found too late, was notified before a rebuild, or is muted.

    A stateful receiver is notified of the end of an alert, and of its withdrawal, even if the alert
    is muted: the system behind it would otherwise keep the alert open for ever.
    """
    muted = _muted(planning)
    reason, state = planning.route_input.reason, planning.state
    ends = reason == Reason.RESOLVED or (reason == Reason.REVISED and state is AlertState.REVISED)
    spared = planning.rules.stateful_receivers if ends else ()
    return replace(
        planning,
        candidates=tuple(
            replace(
                one,
                skipped=_too_late(planning, one.channel)
                or (None if one.channel in spared else muted),
            )
            for one in planning.candidates
        ),
    )


def _too_late(planning: Planning, channel: str) -> str | None:
    event, max_age = planning.event, planning.rules.max_age
    if event is not None and event.found_at is not None:
        if _over_when_found(planning, event.found_at, channel):
            return LATE_AND_OVER
    elif event is not None and max_age is not None and planning.now - event.at > max_age:
        return TOO_OLD
    return REBUILT if planning.rebuilt else None


def _over_when_found(planning: Planning, found_at: datetime, channel: str) -> bool:
    """Whether an incident was over for too long when it was found late.

    A channel that was notified of an alert is notified of its end in any case, and of a revision.
    """
    reason, ended_at = planning.route_input.reason, planning.ended_at
    within = planning.rules.late_page_within
    known = reason == Reason.RESOLVED and channel in planning.context.notified
    if known or reason == Reason.REVISED:
        return False
    return ended_at is not None and within is not None and found_at - ended_at > within


def _muted(planning: Planning) -> str | None:
    if planning.event is None:
        return None
    context = planning.context
    return alert_status(planning.event, context.triage, context.silences, planning.now).muted
