"""Stage 4 of planning: whether a team is at work, and until when its channels wait."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from monitoring.kinds import Severity
from serving.notify.planned_notification import PlannedNotification
from serving.notify.routing.routes import Route
from serving.notify.routing.team import Team
from serving.notify.stages.planning import Candidate, Planning


def schedule(planning: Planning) -> Planning:
    """Plan each channel once, at the earliest time that a route to it allows.

    The teams of a route take turns: those at work are notified. If none is, those on call
    are notified of what is critical, and the rest waits for the team that begins first.
    """
    found: dict[str, PlannedNotification] = {}
    for candidate in planning.candidates:
        planned = _planned(candidate, planning)
        earlier = found.get(candidate.channel)
        if planned is None or (candidate.place is None and earlier is not None):
            continue
        found[candidate.channel] = planned if earlier is None else _sooner(earlier, planned)
    return replace(planning, planned=tuple(found.values()))


def waits_until(
    routes: Sequence[Route], channel: str, severity: str, now: datetime
) -> datetime | None:
    """Until when a channel waits for the hours of the teams that use it.

    None, for at once, if one of them is at work, or anything else leads to the channel.
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


def _planned(candidate: Candidate, planning: Planning) -> PlannedNotification | None:
    """When a channel is notified; None if its team leaves it to another."""
    severity, now, routes = planning.route_input.severity, planning.now, planning.rules.routes
    if candidate.place is None:
        until = waits_until(routes, candidate.channel, severity, now)
        return _of(candidate, until, "was notified of the alert, and so is of its end")
    name, team = f"route {candidate.place + 1}", candidate.team
    if team is None:
        return _of(candidate, None, name)
    teams = routes[candidate.place].teams
    if any(one.opens(now) <= now for one in teams):
        if candidate.on_call or team.opens(now) > now:
            return None
        return _of(candidate, None, f"{name}: team {team.name} is at work")
    why = f"{name}: outside the hours of team {team.name}"
    if candidate.on_call:
        critical = severity == Severity.CRITICAL
        return _of(candidate, None, f"{why}, critical: on call") if critical else None
    until = team.waits_until(severity, now)
    if until is None:
        return _of(candidate, None, f"{why}, critical")
    if until == min(one.opens(now) for one in teams):
        return _of(candidate, until, f"{why}: waits until they begin")
    return None


def _of(candidate: Candidate, not_before: datetime | None, why: str) -> PlannedNotification:
    return PlannedNotification(
        candidate.channel, candidate.page, not_before, why, candidate.skipped
    )


def _sooner(left: PlannedNotification, right: PlannedNotification) -> PlannedNotification:
    """Of two ways to a channel the one that waits less."""
    waits_less = left.not_before is not None and (
        right.not_before is None or right.not_before < left.not_before
    )
    return replace(right if waits_less else left, page=left.page or right.page)


def _on_call(teams: Sequence[Team]) -> set[str]:
    return {name for team in teams for name in team.on_call}
