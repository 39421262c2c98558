"""Which routes a transition takes, as a table; and which routes nothing can reach."""

from dataclasses import replace

import pytest

from monitoring.drivers import Drivers
from serving.notify.routing.routes import Route, RouteInput, overlaps, taken, unreachable
from tests.serving.notify.conftest import DRIVERS, transition

LENA = frozenset({"lena"})
TIKTOK = frozenset({"tiktok"})
ROUTES = (
    Route(("ceo",), min_severity="critical", continues=True),
    Route(("lena-team", "crm"), kols=LENA),
    Route(("marketing",), kinds=frozenset({"praise_surge"}), min_severity="info"),
    Route(("tiktok-desk",), platforms=TIKTOK),
    Route(("phone",), pages_only=True, continues=True),
    Route(("desk", "crm")),
)


@pytest.mark.parametrize(
    ("route_input", "places"),
    [
        (RouteInput("lena", "backlash", "critical"), [0, 1]),
        (RouteInput("lena", "brigade", "warning"), [1]),
        (RouteInput("mina", "backlash", "critical"), [0, 4, 5]),
        (RouteInput("mina", "flip", "warning"), [4, 5]),
        (RouteInput("mina", "flip", "warning", "reopened"), [4, 5]),
        (RouteInput("mina", "flip", "warning", "aftershock"), [5]),
        (RouteInput("mina", "flip", "warning", "resolved"), [5]),
        (RouteInput("mina", "praise_surge", "info"), [2]),
        (RouteInput("lena", "praise_surge", "info"), [2]),
        (RouteInput("mina", "backlash", "info"), []),
        (RouteInput("mina", "data_gap", "info"), []),
        (RouteInput("mina", "backlash", "warning", platform="tiktok"), [3]),
        (RouteInput("mina", "backlash", "warning", platform="instagram"), [4, 5]),
    ],
)
def test_a_transition_takes_these_routes(route_input: RouteInput, places: list[int]) -> None:
    assert taken(ROUTES, route_input) == places


@pytest.mark.parametrize(
    ("min_severity", "severity", "reason", "calls"),
    [
        ("warning", "warning", "opened", True),
        ("warning", "critical", "reopened", True),
        ("info", "info", "opened", False),
        ("warning", "critical", "escalated", False),  # its people were called at the opening
        ("critical", "critical", "escalated", True),  # its people are notified for the first time
        ("warning", "warning", "escalated", True),
        ("warning", "critical", "aftershock", False),
        ("warning", "critical", "resolved", False),
    ],
)
def test_which_transitions_are_pages(
    min_severity: str, severity: str, reason: str, calls: bool
) -> None:
    route = Route(("phone",), min_severity=min_severity, pages_only=True)
    route_input = RouteInput("lena", "backlash", severity, reason)
    assert route.calls(route_input) == route.matches(route_input) == calls


@pytest.mark.parametrize(
    ("drivers", "platform"),
    [
        (replace(DRIVERS, platforms=(("tiktok", 90), ("instagram", 10))), "tiktok"),
        (DRIVERS, None),
        (None, None),
    ],
)
def test_routes_look_at_the_platform_of_most_comments(
    drivers: Drivers | None, platform: str | None
) -> None:
    event = transition()
    event = replace(event, evidence=replace(event.evidence, drivers=drivers))
    assert RouteInput.of(event, "opened").platform == platform


@pytest.mark.parametrize(
    ("routes", "places"),
    [
        (ROUTES, []),
        ((Route(("a",)), Route(("b",), kols=LENA)), [1]),
        ((Route(("a",), continues=True), Route(("b",), kols=LENA)), []),
        ((Route(("a",)), Route(("b",), min_severity="info")), []),
        ((Route(("a",), min_severity="critical"), Route(("b",))), []),
        ((Route(("a",), pages_only=True), Route(("b",))), []),
        ((Route(("a",)), Route(("b",), pages_only=True)), [1]),
        ((Route(("a",)), Route(("b",), platforms=TIKTOK)), [1]),
        ((Route(("a",), platforms=TIKTOK), Route(("b",))), []),
        # A page of the first is an escalation to critical too, an opening as a warning is not.
        (
            (
                Route(("a",), min_severity="critical", pages_only=True),
                Route(("b",), min_severity="critical"),
            ),
            [],
        ),
        (  # two that take it all between them
            (
                Route(("a",), min_severity="critical"),
                Route(("b",), kols=LENA),
                Route(("c",), kols=LENA, kinds=frozenset({"flip"})),
            ),
            [2],
        ),
    ],
)
def test_unreachable_routes_are_found(routes: tuple[Route, ...], places: list[int]) -> None:
    assert unreachable(routes) == places


def test_routes_for_many_kols_are_checked_quickly() -> None:
    """KOLs that the same routes name are tried once: 10,000 of them are as one."""
    many = frozenset(f"kol-{number}" for number in range(10_000))
    asked = 0

    class Counted(Route):
        def matches(self, route_input: RouteInput) -> bool:
            nonlocal asked
            asked += 1
            return super().matches(route_input)

    assert unreachable((Counted(("a",), kols=many), Counted(("b",)))) == []
    assert asked < 1000


def test_routes_that_match_the_same_are_found() -> None:
    routes = (
        Route(("a",), kols=LENA, continues=True),
        Route(("b",), kols=LENA),
        Route(("c",), kols=LENA),
        Route(("d",), kols=LENA, pages_only=True),
        Route(("e",)),
        Route(("f",), kols=LENA),
    )
    assert overlaps(routes) == {2: 1, 5: 1}
