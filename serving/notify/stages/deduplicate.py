"""Stage 2 of planning: nobody is notified of the same thing twice.

A detector reports each transition once. But comments that come late change when something happened,
and a transition may be given again with another time. What counts is what a channel was sent.
"""

from collections.abc import Sequence
from dataclasses import replace

from monitoring.kinds import Reason
from serving.notify.stages.planning import Planning
from serving.storage.event_context import PastEvent, PastNotification
from serving.storage.notification_reason import NotificationReason

_WAVES = (Reason.OPENED, Reason.AFTERSHOCK, Reason.REOPENED)
# Who was sent one of these about a wave knows that it is as large as that.
_LARGE = (
    NotificationReason.REOPENED,
    NotificationReason.STILL_OPEN,
    NotificationReason.UNACKNOWLEDGED,
)


def deduplicate(planning: Planning) -> Planning:
    """Leave out the channels that were notified of what comments that came late show again.

    A revision is for those that were notified of what it takes back.
    """
    event, context = planning.event, planning.context
    if event is None or (event.found_at is None and event.reason != Reason.REVISED):
        return planning

    def repeated(channel: str) -> bool:
        this = PastNotification(
            channel, NotificationReason(event.reason), event.severity, event.at, planning.state
        )
        sent = [past for past in context.notifications if past.channel == channel]
        return is_repeated(this, sent, context.events)

    kept = tuple(one for one in planning.candidates if not repeated(one.channel))
    return replace(planning, candidates=kept)


def is_repeated(
    this: PastNotification, sent: Sequence[PastNotification], events: Sequence[PastEvent]
) -> bool:
    """Whether a channel was notified of a transition already, or of nothing that it takes back.

    Args:
        this: the notification of the transition.
        sent: what the channel was sent of the alert, oldest first.
        events: what has happened to the alert, as far as is known now.
    """
    last = sent[-1] if sent else None
    match this.reason:
        case NotificationReason.OPENED:
            return last is not None and not last.withdrawn
        case NotificationReason.RESOLVED:
            ended = last is not None and last.reason is NotificationReason.RESOLVED
            return ended and last is not None and not _followed_by_wave(last, events)
        case NotificationReason.REVISED if this.withdrawn:
            return last is None or last.withdrawn
        case NotificationReason.REVISED:
            return last is None or last.reason is not NotificationReason.RESOLVED
    wave = [one for one in _since_revision(sent) if _of_one_wave(one, this, events)]
    if this.reason is NotificationReason.ESCALATED:
        return any(one.severity.rank >= this.severity.rank for one in wave)
    return any(one.reason in (this.reason, *_LARGE) for one in wave)


def _followed_by_wave(end: PastNotification, events: Sequence[PastEvent]) -> bool:
    """Whether another wave followed an end."""
    return any(event.reason in _WAVES and event.at > end.at for event in events)


def _since_revision(sent: Sequence[PastNotification]) -> Sequence[PastNotification]:
    """What a channel was sent after the last revision."""
    places = [place for place, one in enumerate(sent) if one.reason is NotificationReason.REVISED]
    return sent[places[-1] + 1 :] if places else sent


def _of_one_wave(
    one: PastNotification, other: PastNotification, events: Sequence[PastEvent]
) -> bool:
    """Whether no end lies between two notifications, and neither is of an end."""
    first, last = sorted((one.at, other.at))
    ends = [event.at for event in events if event.reason is Reason.RESOLVED]
    return one.reason is not NotificationReason.RESOLVED and not any(
        first < end <= last for end in ends
    )
