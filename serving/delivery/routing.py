"""Who is told of what: routes from alerts to channels, decided purely."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from monitoring.alerts import SEVERITIES

KINDS = ("backlash", "flip", "slow_burn", "brigade", "praise_surge", "data_gap")
_ANYBODY_ELSE = ""  # no KOL's id is empty


@dataclass(frozen=True, slots=True)
class Route:
    """Leads the alerts that it matches to channels.

    Attributes:
        channels: names of the channels.
        kols: ids of the KOLs; None for all.
        kinds: kinds of alert; None for all.
        min_severity: the least severe transition that it takes.
        goes_on: whether the routes after it see what it took.
    """

    channels: tuple[str, ...]
    kols: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    min_severity: str = "warning"
    goes_on: bool = False

    def matches(self, kol_id: str, kind: str, severity: str) -> bool:
        """Whether it takes a transition."""
        return (
            (self.kols is None or kol_id in self.kols)
            and (self.kinds is None or kind in self.kinds)
            and SEVERITIES.index(severity) >= SEVERITIES.index(self.min_severity)
        )


def taken(routes: Sequence[Route], kol_id: str, kind: str, severity: str) -> list[int]:
    """Places of the routes that take a transition: the first that matches, and on if it says so."""
    places = []
    for place, route in enumerate(routes):
        if route.matches(kol_id, kind, severity):
            places.append(place)
            if not route.goes_on:
                break
    return places


def channels_for(routes: Sequence[Route], kol_id: str, kind: str, severity: str) -> list[str]:
    """Channels to tell of a transition, each once, in the order of the routes."""
    names = (
        name for place in taken(routes, kol_id, kind, severity) for name in routes[place].channels
    )
    return list(dict.fromkeys(names))


def unreachable(routes: Sequence[Route]) -> list[int]:
    """Places of the routes that no alert can reach, because earlier ones take all of theirs.

    Exact: every KOL that a route names, one that none names, every kind and severity is tried.
    """
    named = {kol_id for route in routes for kol_id in route.kols or ()}
    reached = {
        place
        for kol_id, kind, severity in product({_ANYBODY_ELSE, *named}, KINDS, SEVERITIES)
        for place in taken(routes, kol_id, kind, severity)
    }
    return [place for place in range(len(routes)) if place not in reached]
