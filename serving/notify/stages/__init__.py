"""The way of an alert event to a channel, as two visible lists of stages.

`PLANNING` runs in the transaction that commits the event. Its stages are pure: what they need of
the database is read before them. `SENDING` runs in the dispatcher, once for every message.
"""

from collections.abc import Awaitable, Callable

from serving.notify.lane import Lane
from serving.notify.planned_notification import PlannedNotification
from serving.notify.stages.deduplicate import deduplicate
from serving.notify.stages.group import group
from serving.notify.stages.log import log
from serving.notify.stages.message import Message
from serving.notify.stages.mute import mute
from serving.notify.stages.planning import Planning
from serving.notify.stages.retry import retry
from serving.notify.stages.route import route
from serving.notify.stages.schedule import schedule
from serving.notify.stages.send import send
from serving.notify.stages.suppress import suppress

PlanningStage = Callable[[Planning], Planning]
SendingStage = Callable[[Lane, Message], Awaitable[Message]]

PLANNING: tuple[PlanningStage, ...] = (route, deduplicate, mute, schedule)
SENDING: tuple[SendingStage, ...] = (group, suppress, send, retry, log)


def plan(planning: Planning) -> tuple[PlannedNotification, ...]:
    """Who is notified of an event, when, and why; each channel once, in the order of the routes."""
    for stage in PLANNING:
        planning = stage(planning)
    return planning.planned


async def deliver(lane: Lane, message: Message) -> Message:
    """Send what goes as one message, and write down what became of it.

    Raises:
        StoreError: the database failed; what was sent may be sent again.
    """
    for stage in SENDING:
        message = await stage(lane, message)
    return message
