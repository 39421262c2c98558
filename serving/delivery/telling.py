"""Who is told of a transition, when, and why: decided purely."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from serving.delivery.routing import Occasion, Route, taken
from serving.delivery.team import CRITICAL, Team


@dataclass(frozen=True, slots=True)
class Telling:
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


def tellings(
    routes: Sequence[Route],
    occasion: Occasion,
    now: datetime,
    *,
    told: Collection[str] = (),
    mirrors: Collection[str] = (),
) -> list[Telling]:
    """Who is told of a transition; each channel once, in the order of the routes.

    Args:
        routes: tried in order.
        occasion: the transition.
        now: the instant.
        told: channels that were told of the alert before. They are told of its end, unless all
            that leads to them asks for pages only.
        mirrors: channels that are told of the end in any case if they were told before.
    """
    found: dict[str, Telling] = {}
    for place in taken(routes, occasion):
        for telling in _of_route(routes[place], f"route {place + 1}", occasion, now):
            before = found.get(telling.channel)
            found[telling.channel] = telling if before is None else _sooner(before, telling)
    if occasion.reason == "resolved":
        posted = _kept_posted(routes).union(mirrors)
        for channel in told:
            if channel in posted and channel not in found:
                until = waits_until(routes, channel, occasion.severity, now)
                why = "was told of the alert, and so is of its end"
                found[channel] = Telling(channel, False, until, why)
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


def _of_route(route: Route, name: str, occasion: Occasion, now: datetime) -> Iterator[Telling]:
    page = route.calls(occasion)
    for channel in route.channels:
        yield Telling(channel, page, None, name)
    at_work = [team for team in route.teams if team.opens(now) <= now]
    for team in at_work:
        for channel in team.channels:
            yield Telling(channel, page, None, f"{name}: team {team.name} is at work")
    if at_work or not route.teams:
        return
    first = min(team.opens(now) for team in route.teams)
    for team in route.teams:
        why = f"{name}: outside the hours of team {team.name}"
        until = team.waits_until(occasion.severity, now)
        if occasion.severity == CRITICAL:
            for channel in team.on_call:
                yield Telling(channel, page, None, f"{why}, critical: on call")
        for channel in team.channels:
            if until is None:
                yield Telling(channel, page, None, f"{why}, critical")
            elif until == first:
                yield Telling(channel, page, until, f"{why}: waits until they begin")


def _sooner(left: Telling, right: Telling) -> Telling:
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
