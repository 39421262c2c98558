"""Stage 2 of planning: nobody is notified of the same thing twice.

A detector reports each transition once. But comments that come late change when something happened,
and a transition may be given again with another time. What counts is what a channel was sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitoring.kinds import AlertState, Reason, Severity
from serving.notify.stages.planning import Planning
from serving.storage.event_context import PastEvent, PastNotification
from serving.storage.notification_reason import NotificationReason

_WAVES = (Reason.OPENED, Reason.AFTERSHOCK, Reason.REOPENED)
_ENDS = (Reason.RESOLVED, Reason.REVISED)
# These carry the alert as its last transition left it.
_AS_IT_WAS = (NotificationReason.STILL_OPEN, NotificationReason.UNACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """A transition of an alert, and whether one channel was notified of it.

    Attributes:
        reason: what happened.
        severity: at the transition.
        notified: whether the channel was notified.
        withdrawn: whether the alert no longer held then; only of a revision that it was notified
            of.
    """

    reason: Reason
    severity: Severity = Severity.WARNING
    notified: bool = True
    withdrawn: bool = False


def deduplicate(planning: Planning) -> Planning:
    """Leave out the channels that were notified of what comments that came late show again.

    A revision is for those that were notified of what it takes back.
    """
    event, context = planning.event, planning.context
    if event is None or (event.found_at is None and event.reason != Reason.REVISED):
        return planning
    this = KnownEvent(
        Reason(event.reason),
        Severity(event.severity),
        withdrawn=planning.state is AlertState.REVISED,
    )
    kept = tuple(
        one
        for one in planning.candidates
        if not is_repeated(
            this,
            known(
                context.events,
                [past for past in context.notifications if past.channel == one.channel],
            ),
        )
    )
    return replace(planning, candidates=kept)


def known(
    events: Sequence[PastEvent], notifications: Sequence[PastNotification]
) -> list[KnownEvent]:
    """What happened to an alert, as one channel knows it.

    Args:
        events: what happened to the alert, oldest first.
        notifications: what the channel was sent, oldest first. What is about no event of the store
            any more, as after a rebuild, comes first.
    """
    found = [KnownEvent(event.reason, event.severity, notified=False) for event in events]
    gone = list[KnownEvent]()
    for past in notifications:
        withdrawn = past.state is AlertState.REVISED
        places = [
            place
            for place, event in enumerate(events)
            if event.at == past.at
            and (past.reason in _AS_IT_WAS or event.reason.value == past.reason)
        ]
        if places:
            reason = events[places[-1]].reason
            found[places[-1]] = KnownEvent(reason, past.severity, withdrawn=withdrawn)
        else:
            reason = Reason.OPENED if past.reason in _AS_IT_WAS else Reason(past.reason)
            gone.append(KnownEvent(reason, past.severity, withdrawn=withdrawn))
    return [*gone, *found]


def is_repeated(this: KnownEvent, past: Sequence[KnownEvent]) -> bool:
    """Whether a channel was notified of a transition already, or of nothing that it takes back.

    Args:
        this: the transition.
        past: what happened before, oldest first, as the channel knows it.
    """
    notified = [event for event in past if event.notified]
    last = notified[-1] if notified else None
    match this.reason:
        case Reason.OPENED:
            return last is not None and not last.withdrawn
        case Reason.RESOLVED:
            return last is not None and last.reason is Reason.RESOLVED and not _again(past)
        case Reason.REVISED if this.withdrawn:
            return last is None or last.withdrawn
        case Reason.REVISED:
            return last is None or last.reason is not Reason.RESOLVED
    wave = [event for event in _since_end(past) if event.notified]
    if this.reason is Reason.ESCALATED:
        return any(event.severity.rank >= this.severity.rank for event in wave)
    larger = {Reason.REOPENED, this.reason}
    return any(event.reason in larger for event in wave)


def _since_end(past: Sequence[KnownEvent]) -> Sequence[KnownEvent]:
    """What happened since the last end or revision."""
    ends = [place for place, event in enumerate(past) if event.reason in _ENDS]
    return past[ends[-1] + 1 :] if ends else past


def _again(past: Sequence[KnownEvent]) -> bool:
    """Whether a wave began since the last end that the channel was notified of."""
    ends = [
        place
        for place, event in enumerate(past)
        if event.notified and event.reason is Reason.RESOLVED
    ]
    return any(event.reason in _WAVES for event in past[ends[-1] + 1 :])
