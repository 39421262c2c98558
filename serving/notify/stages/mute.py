"""Stage 2 of planning: the channels that are not to be notified after all."""

from dataclasses import replace

from monitoring.kinds import Reason
from serving.notify.stages.planning import Candidate, Planning

TOO_OLD, REBUILT = "too old", "notified before the rebuild"


def mute(planning: Planning) -> Planning:
    """Skip what is too old, was notified before a rebuild, or is muted.

    A stateful receiver is notified of the end of an alert even if the alert is muted: the system
    behind it would otherwise keep the alert open for ever.
    """
    return replace(
        planning,
        candidates=tuple(replace(one, skipped=_why(one, planning)) for one in planning.candidates),
    )


def _why(candidate: Candidate, planning: Planning) -> str | None:
    if planning.max_age is not None and planning.age > planning.max_age:
        return TOO_OLD
    if planning.rebuilt:
        return REBUILT
    ends = planning.event.reason == Reason.RESOLVED
    if ends and candidate.channel in planning.stateful_receivers:
        return None
    return planning.muted
