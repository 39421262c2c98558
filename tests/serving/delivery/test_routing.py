"""Who is told of what, as a table; and which routes nothing can reach."""

import pytest

from serving.delivery.routing import Route, channels_for, unreachable

LENA = frozenset({"lena"})
ROUTES = (
    Route(("ceo",), min_severity="critical", goes_on=True),
    Route(("lena-team", "crm"), kols=LENA),
    Route(("marketing",), kinds=frozenset({"praise_surge"}), min_severity="info"),
    Route(("desk", "crm")),
)


@pytest.mark.parametrize(
    ("kol_id", "kind", "severity", "told"),
    [
        ("lena", "backlash", "critical", ["ceo", "lena-team", "crm"]),
        ("lena", "brigade", "warning", ["lena-team", "crm"]),
        ("mina", "backlash", "critical", ["ceo", "desk", "crm"]),
        ("mina", "flip", "warning", ["desk", "crm"]),
        ("mina", "praise_surge", "info", ["marketing"]),
        ("lena", "praise_surge", "info", ["marketing"]),
        ("mina", "backlash", "info", []),
        ("mina", "data_gap", "info", []),
    ],
)
def test_a_transition_goes_to_these_channels(
    kol_id: str, kind: str, severity: str, told: list[str]
) -> None:
    assert channels_for(ROUTES, kol_id, kind, severity) == told


def test_a_channel_of_two_routes_is_told_once() -> None:
    routes = (Route(("a", "b"), goes_on=True), Route(("b", "c")))
    assert channels_for(routes, "lena", "backlash", "warning") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("routes", "places"),
    [
        (ROUTES, []),
        ((Route(("a",)), Route(("b",), kols=LENA)), [1]),
        ((Route(("a",), goes_on=True), Route(("b",), kols=LENA)), []),
        ((Route(("a",)), Route(("b",), min_severity="info")), []),
        ((Route(("a",), min_severity="critical"), Route(("b",))), []),
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
