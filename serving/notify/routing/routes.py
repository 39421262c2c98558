"""Which routes a transition takes: a pure decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from monitoring.alerts import is_page
from monitoring.kinds import AlertKind, Reason, Severity
from serving.notify.routing.team import Team
from serving.triage.muting import MutableAlert

_ANYTHING_ELSE = ""  # no KOL and no platform has this name
_REASONS = ("opened", "escalated", "resolved")  # every way to be a page for a route, or none


@dataclass(frozen=True, slots=True)
class RouteInput:
    """What routes look at.

    Attributes:
        kol_id: whose alert.
        kind: of alert.
        severity: at this transition.
        reason: which transition.
        platform: on which most of the alert's comments were written; None where that is unknown.
        other_ids: ids that lead to the KOL: former ones, and those of KOLs merged into it.
    """

    kol_id: str
    kind: str
    severity: str
    reason: str = "opened"
    platform: str | None = None
    other_ids: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, alert: MutableAlert, reason: str, other_ids: frozenset[str] = frozenset()
    ) -> "RouteInput":
        """What routes look at of an alert, one of its events, or a message about it."""
        drivers = alert.evidence.drivers
        platforms = () if drivers is None else drivers.platforms
        platform = platforms[0][0] if platforms else None
        return cls(alert.kol_id, alert.kind, alert.severity, reason, platform, other_ids)

    @property
    def kol_ids(self) -> frozenset[str]:
        """Every id that the KOL may be named by."""
        return self.other_ids | {self.kol_id}


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """Whom to call when nobody acknowledges a page.

    Attributes:
        after: so long after the page.
        to: names of the channels.
    """

    after: timedelta
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Leads the transitions that it matches to channels.

    Attributes:
        channels: notified at once, at any hour.
        kols: ids of the KOLs; None for all.
        kinds: kinds of alert; None for all.
        platforms: the alert's main platform is one of these; None for any alert, also without a
            platform.
        min_severity: the least severe transition that it takes.
        pages_only: whether it takes only what is to call somebody.
        continues: whether the routes after it may also match what it matched.
        teams: they take turns; those at work are notified.
        steps: whom to call when nobody acknowledges a page of this route; each later than the one
            before.
    """

    channels: tuple[str, ...] = ()
    kols: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    platforms: frozenset[str] | None = None
    min_severity: str = "warning"
    pages_only: bool = False
    continues: bool = False
    teams: tuple[Team, ...] = ()
    steps: tuple[EscalationStep, ...] = ()

    def matches(self, route_input: RouteInput) -> bool:
        """Whether it takes a transition."""
        return (
            (self.kols is None or not self.kols.isdisjoint(route_input.kol_ids))
            and (self.kinds is None or route_input.kind in self.kinds)
            and (self.platforms is None or route_input.platform in self.platforms)
            and Severity(route_input.severity).rank >= Severity(self.min_severity).rank
            and (not self.pages_only or self.calls(route_input))
        )

    def calls(self, route_input: RouteInput) -> bool:
        """Whether a transition is a page to the people of this route.

        What `is_page` says, and what rises to the least severity that it takes: its people were
        not notified of the alert before.
        """
        risen = route_input.reason == "escalated" and route_input.severity == self.min_severity
        return risen or is_page(Reason(route_input.reason), Severity(route_input.severity))

    @property
    def own(self) -> frozenset[str]:
        """Every channel that it may notify before anything is escalated."""
        of_teams = (name for team in self.teams for name in (*team.channels, *team.on_call))
        return frozenset((*self.channels, *of_teams))

    @property
    def escalated(self) -> frozenset[str]:
        """Every channel that its steps call."""
        return frozenset(name for step in self.steps for name in step.to)


def taken(routes: Sequence[Route], route_input: RouteInput) -> list[int]:
    """Places of the routes that take a transition: the first match, more if it continues."""
    places = []
    for place, route in enumerate(routes):
        if route.matches(route_input):
            places.append(place)
            if not route.continues:
                break
    return places


def overlaps(routes: Sequence[Route]) -> dict[int, int]:
    """Routes that match exactly what an earlier one takes for itself, with the earlier one."""
    found: dict[int, int] = {}
    first: dict[object, int] = {}
    for place, route in enumerate(routes):
        matched = (route.kols, route.kinds, route.platforms, route.min_severity, route.pages_only)
        if matched in first:
            found[place] = first[matched]
        elif not route.continues:
            first[matched] = place
    return found


def unreachable(routes: Sequence[Route]) -> list[int]:
    """Places of the routes that no alert can reach, because earlier ones take all of theirs.

    Exact: every kind, severity and platform that a route names is tried, on KOLs of every set of
    routes that name the same KOLs, and on one that none names.
    """
    named = {kol_id for route in routes for kol_id in route.kols or ()}
    alike = {_naming(routes, kol_id): kol_id for kol_id in (*sorted(named), _ANYTHING_ELSE)}
    platforms = {name for route in routes for name in route.platforms or ()}
    reached = {
        place
        for kol_id, kind, severity, reason, platform in product(
            alike.values(), AlertKind, Severity, _REASONS, (*platforms, _ANYTHING_ELSE)
        )
        for place in taken(routes, RouteInput(kol_id, kind, severity, reason, platform))
    }
    return [place for place in range(len(routes)) if place not in reached]


def _naming(routes: Sequence[Route], kol_id: str) -> frozenset[int]:
    return frozenset(
        place
        for place, route in enumerate(routes)
        if route.kols is not None and kol_id in route.kols
    )
