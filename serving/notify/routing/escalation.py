"""Who is to be called because nobody acknowledged a page: a pure decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from serving.notify.planned_notification import PlannedNotification
from serving.notify.routing.routes import Route, RouteInput, taken
from serving.triage.muting import AlertStatus


@dataclass(frozen=True, slots=True)
class Call:
    """A notification of an alert that was to call somebody.

    Attributes:
        channel: its name.
        route_input: the transition; for an escalation, of the page that nobody acknowledged.
        at: event time of the page, which tells the pages of an alert apart.
        since: when it was due, aware: at once, or when a team's hours began.
        step: which step of an escalation, from 1; None for the page itself.
    """

    channel: str
    route_input: RouteInput
    at: datetime
    since: datetime
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Overdue:
    """A channel that is to be called now.

    Attributes:
        channel: its name.
        at: of the page that nobody acknowledged.
        step: which step this is, from 1.
    """

    channel: str
    at: datetime
    step: int


def overdue(
    routes: Sequence[Route], calls: Sequence[Call], alert_status: AlertStatus, now: datetime
) -> list[Overdue]:
    """Who is to be called now about an open alert; each channel once.

    The latest page on each route counts, and is over with an acknowledgement, an end by hand, or
    while the alert is muted. Steps come one after the other: a step that comes late, after a
    downtime or a snooze, leaves the next as much time as the route says.

    Args:
        routes: tried in order.
        calls: what was sent, in that order; not what was skipped.
        alert_status: what people did about the alert, and whether it is muted.
        now: the instant.
    """
    if alert_status.triage.attended or alert_status.muted is not None:
        return []
    found: dict[str, Overdue] = {}
    for place, route in enumerate(routes):
        for due in _of_route(routes, place, calls, now) if route.steps else ():
            found.setdefault(due.channel, due)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step that would follow a page if nobody acknowledged it.

    Attributes:
        place: of its route.
        step: which step, from 1.
        at: when.
        channels: whom it calls.
    """

    place: int
    step: int
    at: datetime
    channels: tuple[str, ...]


def planned_steps(
    routes: Sequence[Route],
    route_input: RouteInput,
    planned: Sequence[PlannedNotification],
    now: datetime,
) -> list[PlannedStep]:
    """The steps that would follow a transition if nobody acknowledged it.

    Args:
        routes: tried in order.
        route_input: the transition.
        planned: who is notified of it.
        now: the instant at which they are.
    """
    found = []
    for place in taken(routes, route_input):
        route = routes[place]
        waits = [one.not_before or now for one in planned if one.channel in route.own]
        if waits and route.calls(route_input):
            found += [
                PlannedStep(place, number, min(waits) + step.after, step.to)
                for number, step in enumerate(route.steps, 1)
            ]
    return found


def _of_route(
    routes: Sequence[Route], place: int, calls: Sequence[Call], now: datetime
) -> list[Overdue]:
    route = routes[place]
    pages = [
        call
        for call in calls
        if call.step is None
        and call.channel in route.own
        and place in taken(routes, call.route_input)
    ]
    if not pages:
        return []
    at = pages[-1].at
    before = min(page.since for page in pages if page.at == at)
    waited = timedelta()
    for number, step in enumerate(route.steps, 1):
        called = {
            call.channel: call.since for call in calls if (call.at, call.step) == (at, number)
        }
        missing = [channel for channel in step.to if channel not in called]
        if missing:
            if now < before + (step.after - waited):
                return []
            return [Overdue(channel, at, number) for channel in missing]
        before, waited = min(called[channel] for channel in step.to), step.after
    return []
