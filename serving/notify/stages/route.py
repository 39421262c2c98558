"""Stage 1 of planning: the channels that routes lead an event to."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from monitoring.kinds import Reason
from serving.notify.routing.routes import Route, taken
from serving.notify.stages.planning import Candidate, Planning


def route(planning: Planning) -> Planning:
    """Find the channels, in the order of the routes.

    A channel that was notified of an alert is notified of its end, unless every route to it asks
    for pages only. A stateful receiver is notified of the end in any case. Of a revision exactly
    those are notified that were notified of the alert.
    """
    event, routes = planning.route_input, planning.rules.routes
    if event.reason == Reason.REVISED:
        notified = planning.context.notified
        return replace(planning, candidates=tuple(Candidate(one, False, None) for one in notified))
    found = [
        candidate
        for place in taken(routes, event)
        for candidate in _of_route(place, routes[place], page=routes[place].calls(event))
    ]
    if event.reason == Reason.RESOLVED:
        wanted = _keep_notified(routes).union(planning.rules.stateful_receivers)
        found += [
            Candidate(name, False, None) for name in planning.context.notified if name in wanted
        ]
    return replace(planning, candidates=tuple(found))


def _of_route(place: int, route: Route, *, page: bool) -> Iterator[Candidate]:
    for channel in route.channels:
        yield Candidate(channel, page, place)
    for team in route.teams:
        for channel in team.on_call:
            yield Candidate(channel, page, place, team, on_call=True)
        for channel in team.channels:
            yield Candidate(channel, page, place, team)


def _keep_notified(routes: Iterable[Route]) -> set[str]:
    """The channels that some route leads to without asking for pages only."""
    return {
        name
        for route in routes
        for name in (*route.escalated, *(() if route.pages_only else route.own))
    }
