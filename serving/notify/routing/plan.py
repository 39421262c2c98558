"""Who is told of a transition, when, and why: decided purely."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from serving.notify.routing.routes import Route, RouteInput, taken
from serving.notify.routing.team import CRITICAL, Team


@dataclass(frozen=True, slots=True)
class PlannedNotification:
    """A channel that is to be told.

    Attributes:
        channel: its name.
        page: whether this is to call somebody.
        not_before: until when it waits, aware; None for at once.
        why: in a few words.
    """

    channel: str
    page: bool
    not_before: datetime | None
    why: str


def plan(
    routes: Sequence[Route],
    route_input: RouteInput,
    now: datetime,
    *,
    told: Collection[str] = (),
    stateful_receivers: Collection[str] = (),
) -> list[PlannedNotification]:
    """Who is told of a transition; each channel once, in the order of the routes.

    Args:
        routes: tried in order.
        route_input: the transition.
        now: the instant.
        told: channels that were told of the alert before. They are told of its end, unless all
            that leads to them asks for pages only.
        stateful_receivers: channels that are told of the end in any case if they were told before.
    """
    found: dict[str, PlannedNotification] = {}
    for place in taken(routes, route_input):
        for planned in _of_route(routes[place], f"route {place + 1}", route_input, now):
            before = found.get(planned.channel)
            found[planned.channel] = planned if before is None else _sooner(before, planned)
    if route_input.reason == "resolved":
        posted = _kept_posted(routes).union(stateful_receivers)
        for channel in told:
            if channel in posted and channel not in found:
                until = waits_until(routes, channel, route_input.severity, now)
                why = "was told of the alert, and so is of its end"
                found[channel] = PlannedNotification(channel, False, until, why)
    return list(found.values())


def waits_until(
    routes: Sequence[Route], channel: str, severity: str, now: datetime
) -> datetime | None:
    """Until when the hours of the teams that have a channel leave it alone.

    None, for at once, where one of them is at work, or anything else leads to the channel.
    """
    at_any_hour = {
        name
        for route in routes
        for name in (*route.channels, *route.escalated, *_on_call(route.teams))
    }
    teams = [team for route in routes for team in route.teams if channel in team.channels]
    if channel in at_any_hour or not teams:
        return None
    waits = [team.waits_until(severity, now) for team in teams]
    return None if None in waits else min(until for until in waits if until is not None)


def _of_route(
    route: Route, name: str, route_input: RouteInput, now: datetime
) -> Iterator[PlannedNotification]:
    page = route.calls(route_input)
    for channel in route.channels:
        yield PlannedNotification(channel, page, None, name)
    at_work = [team for team in route.teams if team.opens(now) <= now]
    for team in at_work:
        for channel in team.channels:
            yield PlannedNotification(channel, page, None, f"{name}: team {team.name} is at work")
    if at_work or not route.teams:
        return
    first = min(team.opens(now) for team in route.teams)
    for team in route.teams:
        why = f"{name}: outside the hours of team {team.name}"
        until = team.waits_until(route_input.severity, now)
        if route_input.severity == CRITICAL:
            for channel in team.on_call:
                yield PlannedNotification(channel, page, None, f"{why}, critical: on call")
        for channel in team.channels:
            if until is None:
                yield PlannedNotification(channel, page, None, f"{why}, critical")
            elif until == first:
                yield PlannedNotification(channel, page, until, f"{why}: waits until they begin")


def _sooner(left: PlannedNotification, right: PlannedNotification) -> PlannedNotification:
    """Of two ways to a channel the one that waits less."""
    waits_less = left.not_before is not None and (
        right.not_before is None or right.not_before < left.not_before
    )
    return replace(right if waits_less else left, page=left.page or right.page)


def _kept_posted(routes: Iterable[Route]) -> set[str]:
    """The channels that something leads to which does not ask for pages only."""
    return {
        name
        for route in routes
        for name in (*route.escalated, *(() if route.pages_only else route.own))
    }


def _on_call(teams: Iterable[Team]) -> Iterator[str]:
    for team in teams:
        yield from team.on_call
