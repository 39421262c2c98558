"""Who is called because nobody acknowledged a page: rows, acts and now, as a table."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from serving.notify.planned_notification import PlannedNotification
from serving.notify.routing.escalation import Call, PlannedStep, overdue, planned_steps
from serving.notify.routing.routes import EscalationStep, Route, RouteInput
from serving.triage.actions import Action
from serving.triage.muting import AlertStatus
from serving.triage.triage_status import Transition, triage_status_of
from tests.serving.conftest import NOW
from tests.serving.triage.conftest import action

MINUTE = timedelta(minutes=1)
CHAIN = (EscalationStep(15 * MINUTE, ("boss",)), EscalationStep(60 * MINUTE, ("ceo", "chair")))
ROUTES = (Route(("desk",), steps=CHAIN),)
WARNING = RouteInput("lena", "backlash", "warning")


def page(minutes: float = 0, channel: str = "desk", at: int = 1, **change: object) -> Call:
    route_input = RouteInput("lena", "backlash", **{"severity": "warning"} | change)  # type: ignore[arg-type]
    return Call(channel, route_input, at, NOW + minutes * MINUTE)


def step(number: int, minutes: float, channel: str = "boss", at: int = 1) -> Call:
    return Call(channel, WARNING, at, NOW + minutes * MINUTE, number)


def called(
    calls: Sequence[Call],
    minutes: float,
    *,
    actions: Sequence[Action] = (),
    transitions: Sequence[Transition] = (),
    muted: str | None = None,
    routes: Sequence[Route] = ROUTES,
) -> list[tuple[str, int]]:
    now = NOW + minutes * MINUTE
    alert_status = AlertStatus(triage_status_of(actions, transitions, now), muted)
    return [(due.channel, due.step) for due in overdue(routes, calls, alert_status, now)]


def ack(minutes: float) -> Action:
    return action("acknowledge", at=NOW + minutes * MINUTE, seen_at=NOW)


@pytest.mark.parametrize(
    ("calls", "minutes", "expected"),
    [
        ([], 600, []),
        ([page()], 14.9, []),
        ([page()], 15, [("boss", 1)]),
        ([page()], 600, [("boss", 1)]),  # after a downtime too one step comes after the other
        ([page(), step(1, 15)], 59.9, []),
        ([page(), step(1, 15)], 60, [("ceo", 2), ("chair", 2)]),
        ([page(), step(1, 600)], 644.9, []),  # the first came late: the second waits as long
        ([page(), step(1, 600)], 645, [("ceo", 2), ("chair", 2)]),
        ([page(), step(1, 15), step(2, 60, "ceo")], 60, [("chair", 2)]),
        ([page(), step(1, 15), step(2, 60, "ceo"), step(2, 60, "chair")], 9999, []),
        ([page(480)], 490, []),  # a page that waited for the morning counts from there
        ([page(480)], 495, [("boss", 1)]),
        ([page(480), page(0, "desk")], 15, [("boss", 1)]),
        # A second page begins anew; what was called about the first counts for nothing.
        ([page(), step(1, 15), page(100, at=2, reason="reopened")], 110, []),
        ([page(), step(1, 15), page(100, at=2, reason="reopened")], 115, [("boss", 1)]),
        # What the route did not page is not its to escalate.
        ([page(channel="elsewhere")], 600, []),
        ([page(severity="info")], 600, []),
    ],
)
def test_who_is_due(calls: list[Call], minutes: float, expected: list[tuple[str, int]]) -> None:
    assert called(calls, minutes) == expected


@pytest.mark.parametrize(
    ("actions", "transitions", "muted", "expected"),
    [
        ([ack(5)], [], None, []),
        ([ack(15.1)], [], None, [("boss", 1)]),  # not yet
        ([ack(5), action("unacknowledge", at=NOW + 9 * MINUTE, seen_at=NOW)], [], None,
         [("boss", 1)]),
        ([ack(5)], [Transition("reopened", NOW + 6 * MINUTE)], None, [("boss", 1)]),
        ([action("resolve", at=NOW + MINUTE, seen_at=NOW)], [], None, []),
        ([action("false_alarm", at=NOW + MINUTE, seen_at=NOW)], [], None, []),
        ([action("assign", at=NOW + MINUTE, seen_at=NOW, assignee="mai")], [], None, [("boss", 1)]),
        ([], [], "silenced by 1", []),
    ],
)  # fmt: skip
def test_what_people_do_ends_it(
    actions: list[Action],
    transitions: list[Transition],
    muted: str | None,
    expected: list[tuple[str, int]],
) -> None:
    found = called([page()], 15, actions=actions, transitions=transitions, muted=muted)
    assert found == expected


def test_each_route_has_its_own_steps_and_a_channel_is_called_once() -> None:
    routes = (
        Route(("desk",), continues=True, steps=(EscalationStep(5 * MINUTE, ("boss",)),)),
        Route(("crm",), continues=True, steps=(EscalationStep(5 * MINUTE, ("boss", "legal")),)),
        Route(("crm",)),
    )
    both = [page(), page(channel="crm")]
    assert called(both, 5, routes=routes) == [("boss", 1), ("legal", 1)]
    assert called([*both, step(1, 5), step(1, 5, "legal")], 99, routes=routes) == []


def test_a_route_for_what_is_critical_counts_from_the_rise() -> None:
    routes = (Route(("phone",), min_severity="critical", pages_only=True, steps=CHAIN),)
    opened = page()
    risen = page(30, "phone", at=2, severity="critical", reason="escalated")
    assert called([opened, risen], 44, routes=routes) == []
    assert called([opened, risen], 45, routes=routes) == [("boss", 1)]


def plan(route_input: RouteInput, not_before: datetime | None = None) -> list[PlannedStep]:
    planned = [PlannedNotification("desk", True, not_before, "")]
    return planned_steps(ROUTES, route_input, planned, NOW)


def test_what_would_follow_is_planned_beforehand() -> None:
    assert plan(WARNING) == [
        PlannedStep(0, 1, NOW + 15 * MINUTE, ("boss",)),
        PlannedStep(0, 2, NOW + 60 * MINUTE, ("ceo", "chair")),
    ]
    morning = NOW + 480 * MINUTE
    assert plan(WARNING, morning)[0].at == morning + 15 * MINUTE
    assert plan(RouteInput("lena", "backlash", "warning", "resolved")) == []
