"""What an alert went through, now that comments came late. Pure functions.

A re-run rewrites the transitions of an alert as they hold, and adds a revision. Those of an alert
that was withdrawn stay as they were.
"""

from collections.abc import Sequence

from monitoring.kinds import AlertState, Reason
from serving.storage.alert_record import AlertEventRecord


def raised(events: Sequence[AlertEventRecord]) -> list[AlertEventRecord]:
    """The transitions without revisions, in the order of event time: what detectors raised.

    Args:
        events: the alert's transitions in the order of their ids.
    """
    found = (event for event in events if event.reason is not Reason.REVISED)
    return sorted(found, key=lambda event: (event.at, event.event_id))


def withdrawal(events: Sequence[AlertEventRecord], state: AlertState) -> AlertEventRecord | None:
    """The revision that withdrew an alert; None if it holds.

    Other revisions say that a reported end was none.

    Args:
        events: the alert's transitions in the order of their ids.
        state: of the alert now.
    """
    revisions = [
        event
        for event in events
        if event.reason is Reason.REVISED and event.revised_to in (None, AlertState.REVISED)
    ]
    return revisions[-1] if revisions and state is AlertState.REVISED else None
