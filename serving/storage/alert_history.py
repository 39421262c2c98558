"""What of an alert's transitions still holds, now that comments came late. Pure functions."""

from collections.abc import Sequence

from monitoring.kinds import AlertState, Reason
from serving.storage.alert_record import AlertEventRecord

# What can follow the revision of an end, and never follows a withdrawal.
_GOES_ON = (Reason.RESOLVED, Reason.ESCALATED, Reason.REVISED)


def states_of(events: Sequence[AlertEventRecord], state: AlertState) -> list[AlertState]:
    """The state of an alert after each of its transitions.

    A revision withdraws an open alert; of a resolved one it can also withdraw the end. What follows
    tells which.

    Args:
        events: the alert's transitions in the order of their ids.
        state: of the alert now.
    """
    found = list[AlertState]()
    for place, event in enumerate(events):
        following = events[place + 1].reason if place + 1 < len(events) else None
        if event.reason is Reason.RESOLVED:
            found.append(AlertState.RESOLVED)
        elif event.reason is not Reason.REVISED:
            found.append(AlertState.OPEN)
        elif following is None:
            found.append(AlertState.REVISED if state is AlertState.REVISED else AlertState.OPEN)
        else:
            over = found[-1:] == [AlertState.RESOLVED]
            reopened = over and following in _GOES_ON
            found.append(AlertState.OPEN if reopened else AlertState.REVISED)
    return found


def holding(events: Sequence[AlertEventRecord], state: AlertState) -> list[AlertEventRecord]:
    """The transitions that still hold, in the order of event time; none of a withdrawn alert.

    Args:
        events: the alert's transitions in the order of their ids: those that were found late come
            after what happened later.
        state: of the alert now.
    """
    kept = list[AlertEventRecord]()
    for event, after in zip(events, states_of(events, state), strict=True):
        if event.reason is not Reason.REVISED:
            kept.append(event)
        elif after is AlertState.REVISED:
            kept.clear()
        else:
            for end in [one for one in kept if one.reason is Reason.RESOLVED][-1:]:
                kept.remove(end)
    return sorted(kept, key=lambda event: (event.at, event.event_id))
