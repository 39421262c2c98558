"""Who is told when: teams and their hours, on call, the watch that teams share, and the end."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from serving.notify.routing.hours import read_hours
from serving.notify.routing.plan import plan, waits_until
from serving.notify.routing.routes import Route, RouteInput, Step
from serving.notify.routing.team import Team
from tests.serving.notify.test_escalation import MINUTE

HANOI = Team(
    "hanoi",
    ("hanoi-desk",),
    read_hours(["Mon-Fri 08:00-19:00"], ZoneInfo("Asia/Ho_Chi_Minh")),
    on_call=("hanoi-phone",),
)
NEW_YORK = Team(
    "ny", ("ny-desk",), read_hours(["Mon-Fri 09:00-18:00"], ZoneInfo("America/New_York"))
)
ALWAYS = Team("always", ("hotline",))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=UTC)


HANOI_AT_WORK, NY_AT_WORK, EMPTY = at("10 05:00"), at("10 20:00"), at("10 12:30")
HANOI_NEXT, NY_NEXT = at("11 01:00"), at("10 13:00")


@pytest.mark.parametrize(
    ("teams", "severity", "now", "told"),
    [
        ((HANOI,), "warning", HANOI_AT_WORK, {"hanoi-desk": None}),
        ((HANOI,), "critical", HANOI_AT_WORK, {"hanoi-desk": None}),
        ((HANOI,), "warning", EMPTY, {"hanoi-desk": HANOI_NEXT}),
        ((HANOI,), "critical", EMPTY, {"hanoi-phone": None, "hanoi-desk": HANOI_NEXT}),
        ((NEW_YORK,), "warning", EMPTY, {"ny-desk": NY_NEXT}),
        ((NEW_YORK,), "critical", EMPTY, {"ny-desk": None}),
        # The watch is shared: who is at work is told, else who begins first.
        ((HANOI, NEW_YORK), "warning", HANOI_AT_WORK, {"hanoi-desk": None}),
        ((HANOI, NEW_YORK), "critical", NY_AT_WORK, {"ny-desk": None}),
        ((HANOI, NEW_YORK), "warning", EMPTY, {"ny-desk": NY_NEXT}),
        ((HANOI, NEW_YORK), "critical", EMPTY, {"hanoi-phone": None, "ny-desk": None}),
        ((HANOI, ALWAYS), "warning", EMPTY, {"hotline": None}),
    ],
)
def test_a_team_is_told_in_its_hours(
    teams: tuple[Team, ...], severity: str, now: datetime, told: dict[str, datetime | None]
) -> None:
    found = plan((Route(teams=teams),), RouteInput("lena", "backlash", severity), now)
    assert {planned.channel: planned.not_before for planned in found} == told


def test_the_reasons_are_told() -> None:
    routes = (Route(("crm",), continues=True), Route(teams=(HANOI,)))
    found = plan(routes, RouteInput("lena", "backlash", "critical"), EMPTY)
    assert [(planned.channel, planned.why) for planned in found] == [
        ("crm", "route 1"),
        ("hanoi-phone", "route 2: outside the hours of team hanoi, critical: on call"),
        ("hanoi-desk", "route 2: outside the hours of team hanoi: waits until they begin"),
    ]


def test_a_channel_of_two_routes_is_told_once_and_as_soon_as_either_says() -> None:
    waits = Route(teams=(HANOI,), continues=True)
    direct = Route(("b", "hanoi-desk"), min_severity="info")
    sooner = Team("early", ("hanoi-desk",), read_hours(["Wed 07:00-08:00"], HANOI.hours.zone))
    warning = RouteInput("lena", "backlash", "warning")
    for routes, until in (
        ((waits, direct), None),
        ((Route(("hanoi-desk",), continues=True), waits), None),
        ((waits, Route(teams=(sooner,))), at("11 00:00")),
        ((Route(teams=(sooner,), continues=True), waits), at("11 00:00")),
    ):
        found = {planned.channel: planned for planned in plan(routes, warning, EMPTY)}
        assert found["hanoi-desk"].not_before == until


def test_a_page_on_one_route_is_a_page() -> None:
    routes = (Route(("a",), continues=True), Route(("a", "b"), min_severity="critical"))
    risen = RouteInput("lena", "backlash", "critical", "escalated")
    found = plan(routes, risen, EMPTY)
    assert [(planned.channel, planned.page) for planned in found] == [("a", True), ("b", True)]
    (news,) = plan(routes[:1], risen, EMPTY)
    assert not news.page


def test_whoever_was_told_is_told_of_the_end() -> None:
    routes = (
        Route(("phone", "mirror"), min_severity="critical", pages_only=True, continues=True,
              steps=(Step(15 * MINUTE, ("boss",)),)),
        Route(teams=(HANOI, NEW_YORK)),
    )  # fmt: skip
    over = RouteInput("lena", "backlash", "critical", "resolved")
    before = ("phone", "mirror", "boss", "hanoi-phone", "hanoi-desk", "gone")
    found = plan(routes, over, NY_AT_WORK, told=before, stateful_receivers={"mirror"})
    assert {planned.channel: planned.not_before for planned in found} == {
        "ny-desk": None,  # is at work
        "mirror": None,
        "boss": None,
        "hanoi-phone": None,
        "hanoi-desk": HANOI_NEXT,
    }
    assert not any(planned.page for planned in found)
    assert plan(routes, RouteInput("lena", "backlash", "info", "resolved"), NY_AT_WORK) == []


@pytest.mark.parametrize(
    ("channel", "severity", "now", "until"),
    [
        ("hanoi-desk", "warning", EMPTY, HANOI_NEXT),
        ("hanoi-desk", "critical", EMPTY, HANOI_NEXT),  # somebody else is on call
        ("ny-desk", "critical", EMPTY, None),
        ("ny-desk", "warning", NY_AT_WORK, None),
        ("hanoi-phone", "warning", EMPTY, None),
        ("crm", "warning", EMPTY, None),
    ],
)
def test_how_long_a_channel_is_left_alone(
    channel: str, severity: str, now: datetime, until: datetime | None
) -> None:
    routes = (Route(("crm",)), Route(teams=(HANOI, NEW_YORK)))
    assert waits_until(routes, channel, severity, now) == until
