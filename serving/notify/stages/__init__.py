"""The way of an alert event to a channel, as two visible lists of stages.

`PLANNING` runs in the transaction that commits the event. Its stages are pure: what they need of
the database is read before them. `SENDING` runs in the dispatcher, once for every message.
"""

from collections.abc import Callable

from serving.notify.planned_notification import PlannedNotification
from serving.notify.stages.mute import mute
from serving.notify.stages.planning import Planning
from serving.notify.stages.route import route
from serving.notify.stages.schedule import schedule

PLANNING: tuple[Callable[[Planning], Planning], ...] = (route, mute, schedule)


def plan(planning: Planning) -> tuple[PlannedNotification, ...]:
    """Who is notified of an event, when, and why; each channel once, in the order of the routes."""
    for stage in PLANNING:
        planning = stage(planning)
    return planning.planned
