"""The brands, teams and routes of a channels file: read, and checked as a whole."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from serving.locales.wording import time_zone
from serving.notify.config.config_issues import ConfigIssues
from serving.notify.config.route_specs import Names, RouteSpec, StepSpec, TeamSpec
from serving.notify.config.toml_lines import Path as Place
from serving.notify.routing.hours import read_hours
from serving.notify.routing.routes import EscalationStep, Route, overlaps, unreachable
from serving.notify.routing.team import Team

_NAMES = TypeAdapter(Names)


class RouteReader:
    """Reads the brands, teams and routes of a file; what is wrong goes to `issues`."""

    def __init__(
        self,
        content: Mapping[str, Any],
        channels: Collection[str],
        issues: ConfigIssues,
        *,
        named: Collection[str] = (),
    ) -> None:
        """Prepare.

        Args:
            content: of the file.
            channels: names of the channels of the file.
            issues: where to report what is wrong.
            named: channels that something other than a route leads to.
        """
        self._issues = issues
        self._channels = channels
        self._named = set(named)
        self.brands: dict[str, frozenset[str]] = {}
        self.teams: dict[str, Team] = {}
        self._known_brands: Collection[str] = ()
        self._known_teams: Collection[str] = ()
        self._read_brands(content.get("brands", {}))
        self._read_teams(content.get("teams", {}))
        self.routes = self._read_routes(content.get("routes", []))

    def _read_brands(self, tables: object) -> None:
        if not isinstance(tables, dict):
            self._issues.add(("brands",), 'brands must be a table; write acme = ["kol"] below it')
            return
        self._known_brands = set(tables)
        for name, kols in tables.items():
            try:
                self.brands[name] = frozenset(_NAMES.validate_python(kols, strict=True))
            except ValidationError:
                self._issues.add(
                    ("brands", name), f'brand {name!r}: list the ids of its KOLs: ["kol-a"]'
                )

    def _read_teams(self, tables: object) -> None:
        if not isinstance(tables, dict):
            self._issues.add(("teams",), "teams must be tables; write [teams.NAME]")
            return
        self._known_teams = set(tables)
        for name, table in tables.items():
            place: Place = ("teams", name)
            if not isinstance(table, dict):
                self._issues.add(place, f"team {name!r} must be a table; write [teams.{name}]")
                continue
            try:
                spec = TeamSpec.model_validate(table)
            except ValidationError as error:
                self._issues.invalid(place, error)
                continue
            self._check_channels((*place, "channels"), spec.channels)
            self._check_channels((*place, "on_call"), spec.on_call or ())
            zone = time_zone(spec.timezone)
            self.teams[name] = Team(
                name=name,
                channels=tuple(dict.fromkeys(spec.channels)),
                hours=None if spec.hours is None else read_hours(spec.hours, zone),
                on_call=tuple(dict.fromkeys(spec.on_call or ())),
                zone=zone,
            )

    def _read_routes(self, tables: object) -> tuple[Route, ...]:
        if not isinstance(tables, list):
            self._issues.add(("routes",), "routes must be an array of tables; write [[routes]]")
            return ()
        routes: list[Route] = []
        places: list[Place] = []
        used: set[str] = set()
        for index, table in enumerate(tables):
            place: Place = ("routes", index)
            try:
                spec = RouteSpec.model_validate(table)
            except ValidationError as error:
                self._issues.invalid(place, error)
                continue
            used |= set(spec.teams or ())
            routes.append(self._route(place, spec))
            places.append(place)
        self._check_order(routes, places)
        for name in sorted(set(self.teams) - used):
            self._issues.add(
                ("teams", name), f"no route leads to team {name!r}; name it in a route's teams"
            )
        whole = len(self.teams) == len(self._known_teams) and len(routes) == len(tables)
        for name in sorted(set(self._channels) - self._named) if whole else ():
            self._issues.add(
                ("channels", name),
                f"no route leads to channel {name!r}; name it in a route's channels",
            )
        return tuple(routes)

    def _route(self, place: Place, spec: RouteSpec) -> Route:
        self._check_channels((*place, "channels"), spec.channels or ())
        kols = set(spec.kols or ())
        for name in spec.brands or ():
            if name not in self._known_brands:
                self._issues.unknown((*place, "brands"), "brand", name, self._known_brands)
            kols |= self.brands.get(name, {name})  # reported above; treated as a KOL
        for name in spec.teams or ():
            if name not in self._known_teams:
                self._issues.unknown((*place, "teams"), "team", name, self._known_teams)
        route = Route(
            channels=tuple(dict.fromkeys(spec.channels or ())),
            kols=None if spec.kols is spec.brands is None else frozenset(kols),
            kinds=None if spec.kinds is None else frozenset(spec.kinds),
            platforms=None if spec.platforms is None else frozenset(spec.platforms),
            min_severity=spec.min_severity,
            pages_only=spec.pages_only,
            continues=spec.continues,
            teams=tuple(
                self.teams[name] for name in dict.fromkeys(spec.teams or ()) if name in self.teams
            ),
            steps=tuple(EscalationStep(step.after, tuple(step.to)) for step in spec.escalate or ()),
        )
        self._check_steps((*place, "escalate"), route, spec.escalate or ())
        return route

    def _check_channels(self, place: Place, names: Collection[str]) -> None:
        self._named |= set(names)
        for name in dict.fromkeys(names):
            if name not in self._channels:
                self._issues.unknown(place, "channel", name, self._channels)

    def _check_steps(self, place: Place, route: Route, steps: Sequence[StepSpec]) -> None:
        called: dict[str, int] = {}
        for number, step in enumerate(steps, 1):
            self._check_channels(place, step.to)
            if number > 1 and step.after <= steps[number - 2].after:
                self._issues.add(
                    place,
                    f"step {number} does not come after step {number - 1}; 'after' counts from "
                    "the page, so give it a longer time",
                )
            for name in dict.fromkeys(step.to):
                if name in route.own:
                    self._issues.add(
                        place,
                        f"step {number} escalates to {name!r}, which the route notifies at the "
                        "start; name another channel",
                    )
                elif name in called:
                    self._issues.add(
                        place,
                        f"the escalation goes in a circle: step {number} calls {name!r}, which "
                        f"step {called[name]} called; name another channel",
                    )
                called.setdefault(name, number)

    def _check_order(self, routes: Sequence[Route], places: Sequence[Place]) -> None:
        same = overlaps(routes)
        for place, earlier in same.items():
            self._issues.add(
                places[place],
                "this route matches exactly what the route on line "
                f"{self._issues.line(places[earlier])} takes for itself; merge the two, or give "
                "that one 'continue = true'",
            )
        for place in unreachable(routes):
            if place not in same:
                self._issues.add(
                    places[place],
                    "no alert reaches this route, earlier ones take all of its alerts; "
                    "move it up, or give those 'continue = true'",
                )
