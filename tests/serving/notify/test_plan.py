"""Who is notified when: teams and their hours, on call, teams that share the watch, the end."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from serving.notify.planned_notification import PlannedNotification
from serving.notify.routing.hours import read_hours
from serving.notify.routing.routes import EscalationStep, Route, RouteInput
from serving.notify.routing.team import Team
from serving.notify.stages import plan
from serving.notify.stages.planning import Planning, RoutingRules
from serving.notify.stages.schedule import waits_until
from serving.storage.event_context import EventContext
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


def planned(
    routes: Sequence[Route],
    event: RouteInput,
    now: datetime,
    *,
    notified: Sequence[str] = (),
    stateful_receivers: Collection[str] = (),
) -> list[PlannedNotification]:
    rules = RoutingRules(routes, stateful_receivers)
    return list(plan(Planning(event, rules, now, context=EventContext(notified))))


@pytest.mark.parametrize(
    ("teams", "severity", "now", "expected"),
    [
        ((HANOI,), "warning", HANOI_AT_WORK, {"hanoi-desk": None}),
        ((HANOI,), "critical", HANOI_AT_WORK, {"hanoi-desk": None}),
        ((HANOI,), "warning", EMPTY, {"hanoi-desk": HANOI_NEXT}),
        ((HANOI,), "critical", EMPTY, {"hanoi-phone": None, "hanoi-desk": HANOI_NEXT}),
        ((NEW_YORK,), "warning", EMPTY, {"ny-desk": NY_NEXT}),
        ((NEW_YORK,), "critical", EMPTY, {"ny-desk": None}),
        # Teams share the watch: those at work are notified, otherwise the team that begins first.
        ((HANOI, NEW_YORK), "warning", HANOI_AT_WORK, {"hanoi-desk": None}),
        ((HANOI, NEW_YORK), "critical", NY_AT_WORK, {"ny-desk": None}),
        ((HANOI, NEW_YORK), "warning", EMPTY, {"ny-desk": NY_NEXT}),
        ((HANOI, NEW_YORK), "critical", EMPTY, {"hanoi-phone": None, "ny-desk": None}),
        ((HANOI, ALWAYS), "warning", EMPTY, {"hotline": None}),
    ],
)
def test_a_team_is_notified_in_its_hours(
    teams: tuple[Team, ...], severity: str, now: datetime, expected: dict[str, datetime | None]
) -> None:
    found = planned((Route(teams=teams),), RouteInput("lena", "backlash", severity), now)
    assert {one.channel: one.not_before for one in found} == expected


def test_each_plan_has_its_reason() -> None:
    routes = (Route(("crm",), continues=True), Route(teams=(HANOI,)))
    found = planned(routes, RouteInput("lena", "backlash", "critical"), EMPTY)
    assert [(one.channel, one.why) for one in found] == [
        ("crm", "route 1"),
        ("hanoi-phone", "route 2: outside the hours of team hanoi, critical: on call"),
        ("hanoi-desk", "route 2: outside the hours of team hanoi: waits until they begin"),
    ]


def test_a_channel_of_two_routes_is_notified_once_and_as_soon_as_either_allows() -> None:
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
        found = {one.channel: one for one in planned(routes, warning, EMPTY)}
        assert found["hanoi-desk"].not_before == until


def test_a_page_on_one_route_is_a_page() -> None:
    routes = (Route(("a",), continues=True), Route(("a", "b"), min_severity="critical"))
    risen = RouteInput("lena", "backlash", "critical", "escalated")
    found = planned(routes, risen, EMPTY)
    assert [(one.channel, one.page) for one in found] == [("a", True), ("b", True)]
    (news,) = planned(routes[:1], risen, EMPTY)
    assert not news.page


def test_a_channel_that_was_notified_of_an_alert_is_notified_of_its_end() -> None:
    routes = (
        Route(("phone", "stateful"), min_severity="critical", pages_only=True, continues=True,
              steps=(EscalationStep(15 * MINUTE, ("boss",)),)),
        Route(teams=(HANOI, NEW_YORK)),
    )  # fmt: skip
    over = RouteInput("lena", "backlash", "critical", "resolved")
    before = ("phone", "stateful", "boss", "hanoi-phone", "hanoi-desk", "gone")
    found = planned(routes, over, NY_AT_WORK, notified=before, stateful_receivers={"stateful"})
    assert {one.channel: one.not_before for one in found} == {
        "ny-desk": None,  # is at work
        "stateful": None,
        "boss": None,
        "hanoi-phone": None,
        "hanoi-desk": HANOI_NEXT,
    }
    assert not any(one.page for one in found)
    assert planned(routes, RouteInput("lena", "backlash", "info", "resolved"), NY_AT_WORK) == []


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
def test_how_long_a_channel_waits(
    channel: str, severity: str, now: datetime, until: datetime | None
) -> None:
    routes = (Route(("crm",)), Route(teams=(HANOI, NEW_YORK)))
    assert waits_until(routes, channel, severity, now) == until


def test_a_channel_waits_for_no_hours_if_another_route_or_nothing_leads_to_it() -> None:
    team = Route(teams=(HANOI,))
    assert waits_until((team,), "hanoi-desk", "warning", EMPTY) == HANOI_NEXT
    for other in (
        Route(("hanoi-desk",)),
        Route(("crm",), steps=(EscalationStep(15 * MINUTE, ("hanoi-desk",)),)),
        Route(teams=(Team("always", ("hanoi-desk",)),)),
        Route(teams=(Team("ny", ("ny-desk",), NEW_YORK.hours, on_call=("hanoi-desk",)),)),
    ):
        assert waits_until((team, other), "hanoi-desk", "warning", EMPTY) is None
    assert waits_until((team,), "elsewhere", "warning", EMPTY) is None
    assert waits_until((), "elsewhere", "critical", EMPTY) is None
