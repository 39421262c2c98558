"""Stage 2 of planning: the channels that are not to be notified after all."""

from dataclasses import replace

from monitoring.kinds import Reason
from serving.notify.stages.planning import Planning
from serving.triage.muting import alert_status

TOO_OLD, REBUILT = "too old", "notified before the rebuild"


def mute(planning: Planning) -> Planning:
    """Skip what is too old, was notified before a rebuild, or is muted.

    A stateful receiver is notified of the end of an alert even if the alert is muted: the system
    behind it would otherwise keep the alert open for ever.
    """
    too_late, muted = _too_late(planning), _muted(planning)
    ends = planning.route_input.reason == Reason.RESOLVED
    spared = planning.rules.stateful_receivers if ends else ()
    return replace(
        planning,
        candidates=tuple(
            replace(one, skipped=too_late or (None if one.channel in spared else muted))
            for one in planning.candidates
        ),
    )


def _too_late(planning: Planning) -> str | None:
    event, max_age = planning.event, planning.rules.max_age
    if event is not None and max_age is not None and planning.now - event.at > max_age:
        return TOO_OLD
    return REBUILT if planning.rebuilt else None


def _muted(planning: Planning) -> str | None:
    if planning.event is None:
        return None
    context = planning.context
    return alert_status(planning.event, context.triage, context.silences, planning.now).muted
