"""Who is to be called because nobody acknowledged a page: decided purely."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from serving.delivery.routing import Occasion, Route, taken
from serving.delivery.telling import Telling
from serving.triage.muting import Standing

UNACKNOWLEDGED = "unacknowledged"  # the reason of what an escalation says


@dataclass(frozen=True, slots=True)
class Call:
    """Something that a channel was told of an alert and that was to call somebody.

    Attributes:
        channel: its name.
        occasion: the transition; for an escalation, of the page that nobody acknowledged.
        at: event time of the page in microseconds, which tells pages of an alert apart.
        since: from when on it was to be told, aware: at once, or when a team's hours began.
        step: which step of an escalation, from 1; None for the page itself.
    """

    channel: str
    occasion: Occasion
    at: int
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
    at: int
    step: int


def overdue(
    routes: Sequence[Route], calls: Sequence[Call], standing: Standing, now: datetime
) -> list[Overdue]:
    """Who is to be called now about an open alert; each channel once.

    The latest page on each route counts, and is over with an acknowledgement, an end by hand, or
    while the alert is muted. Steps come one after the other: a step that comes late, after a
    downtime or a snooze, leaves the next as much time as the route says.

    Args:
        routes: tried in order.
        calls: what was told, in that order; not what was kept back.
        standing: how people stand with the alert.
        now: the instant.
    """
    if standing.work.attended or standing.muted is not None:
        return []
    found: dict[str, Overdue] = {}
    for place, route in enumerate(routes):
        for due in _of_route(routes, place, calls, now) if route.steps else ():
            found.setdefault(due.channel, due)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Planned:
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


def planned(
    routes: Sequence[Route], occasion: Occasion, told: Sequence[Telling], now: datetime
) -> list[Planned]:
    """The steps that would follow a transition if nobody acknowledged it.

    Args:
        routes: tried in order.
        occasion: the transition.
        told: who is told of it.
        now: the instant at which it is told.
    """
    found = []
    for place in taken(routes, occasion):
        route = routes[place]
        waits = [telling.not_before or now for telling in told if telling.channel in route.own]
        if waits and route.calls(occasion):
            found += [
                Planned(place, number, min(waits) + step.after, step.to)
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
        if call.step is None and call.channel in route.own and place in taken(routes, call.occasion)
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
