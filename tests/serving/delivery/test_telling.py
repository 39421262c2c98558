"""Who is told when: teams and their hours, on call, the watch that teams share, and the end."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from serving.delivery.hours import read_hours
from serving.delivery.routing import Occasion, Route, Step
from serving.delivery.team import Team
from serving.delivery.telling import tellings, waits_until
from tests.serving.delivery.test_escalation import MINUTE

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


HANOI_AT_WORK, NY_AT_WORK, NOBODY = at("10 05:00"), at("10 20:00"), at("10 12:30")
HANOI_NEXT, NY_NEXT = at("11 01:00"), at("10 13:00")


@pytest.mark.parametrize(
    ("teams", "severity", "now", "told"),
    [
        ((HANOI,), "warning", HANOI_AT_WORK, {"hanoi-desk": None}),
        ((HANOI,), "critical", HANOI_AT_WORK, {"hanoi-desk": None}),
        ((HANOI,), "warning", NOBODY, {"hanoi-desk": HANOI_NEXT}),
        ((HANOI,), "critical", NOBODY, {"hanoi-phone": None, "hanoi-desk": HANOI_NEXT}),
        ((NEW_YORK,), "warning", NOBODY, {"ny-desk": NY_NEXT}),
        ((NEW_YORK,), "critical", NOBODY, {"ny-desk": None}),
        # The watch is shared: who is at work is told, else who begins first.
        ((HANOI, NEW_YORK), "warning", HANOI_AT_WORK, {"hanoi-desk": None}),
        ((HANOI, NEW_YORK), "critical", NY_AT_WORK, {"ny-desk": None}),
        ((HANOI, NEW_YORK), "warning", NOBODY, {"ny-desk": NY_NEXT}),
        ((HANOI, NEW_YORK), "critical", NOBODY, {"hanoi-phone": None, "ny-desk": None}),
        ((HANOI, ALWAYS), "warning", NOBODY, {"hotline": None}),
    ],
)
def test_a_team_is_told_in_its_hours(
    teams: tuple[Team, ...], severity: str, now: datetime, told: dict[str, datetime | None]
) -> None:
    found = tellings((Route(teams=teams),), Occasion("lena", "backlash", severity), now)
    assert {telling.channel: telling.not_before for telling in found} == told


def test_the_reasons_are_told() -> None:
    routes = (Route(("crm",), goes_on=True), Route(teams=(HANOI,)))
    found = tellings(routes, Occasion("lena", "backlash", "critical"), NOBODY)
    assert [(telling.channel, telling.why) for telling in found] == [
        ("crm", "route 1"),
        ("hanoi-phone", "route 2: outside the hours of team hanoi, critical: on call"),
        ("hanoi-desk", "route 2: outside the hours of team hanoi: waits until they begin"),
    ]


def test_a_channel_of_two_routes_is_told_once_and_as_soon_as_either_says() -> None:
    waits = Route(teams=(HANOI,), goes_on=True)
    direct = Route(("b", "hanoi-desk"), min_severity="info")
    sooner = Team("early", ("hanoi-desk",), read_hours(["Wed 07:00-08:00"], HANOI.hours.zone))
    warning = Occasion("lena", "backlash", "warning")
    for routes, until in (
        ((waits, direct), None),
        ((Route(("hanoi-desk",), goes_on=True), waits), None),
        ((waits, Route(teams=(sooner,))), at("11 00:00")),
        ((Route(teams=(sooner,), goes_on=True), waits), at("11 00:00")),
    ):
        found = {telling.channel: telling for telling in tellings(routes, warning, NOBODY)}
        assert found["hanoi-desk"].not_before == until


def test_a_page_on_one_route_is_a_page() -> None:
    routes = (Route(("a",), goes_on=True), Route(("a", "b"), min_severity="critical"))
    risen = Occasion("lena", "backlash", "critical", "escalated")
    found = tellings(routes, risen, NOBODY)
    assert [(telling.channel, telling.page) for telling in found] == [("a", True), ("b", True)]
    (news,) = tellings(routes[:1], risen, NOBODY)
    assert not news.page


def test_whoever_was_told_is_told_of_the_end() -> None:
    routes = (
        Route(("phone", "mirror"), min_severity="critical", pages_only=True, goes_on=True,
              steps=(Step(15 * MINUTE, ("boss",)),)),
        Route(teams=(HANOI, NEW_YORK)),
    )  # fmt: skip
    over = Occasion("lena", "backlash", "critical", "resolved")
    before = ("phone", "mirror", "boss", "hanoi-phone", "hanoi-desk", "gone")
    found = tellings(routes, over, NY_AT_WORK, told=before, mirrors={"mirror"})
    assert {telling.channel: telling.not_before for telling in found} == {
        "ny-desk": None,  # is at work
        "mirror": None,
        "boss": None,
        "hanoi-phone": None,
        "hanoi-desk": HANOI_NEXT,
    }
    assert not any(telling.page for telling in found)
    assert tellings(routes, Occasion("lena", "backlash", "info", "resolved"), NY_AT_WORK) == []


@pytest.mark.parametrize(
    ("channel", "severity", "now", "until"),
    [
        ("hanoi-desk", "warning", NOBODY, HANOI_NEXT),
        ("hanoi-desk", "critical", NOBODY, HANOI_NEXT),  # somebody else is on call
        ("ny-desk", "critical", NOBODY, None),
        ("ny-desk", "warning", NY_AT_WORK, None),
        ("hanoi-phone", "warning", NOBODY, None),
        ("crm", "warning", NOBODY, None),
    ],
)
def test_how_long_a_channel_is_left_alone(
    channel: str, severity: str, now: datetime, until: datetime | None
) -> None:
    routes = (Route(("crm",)), Route(teams=(HANOI, NEW_YORK)))
    assert waits_until(routes, channel, severity, now) == until
