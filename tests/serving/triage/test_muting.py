"""What is refused, what a silence matches, and what is muted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitoring.drivers import Drivers, PostDriver
from serving.errors import InvalidRequest
from serving.triage.actions import LONGEST_SNOOZE, ActionRequest, check
from serving.triage.muting import alert_status
from serving.triage.silences import LONGEST, Matchers, Silence, check_span
from serving.triage.triage_status import Transition, triage_status_of
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import DRIVERS as EVERYDAY
from tests.serving.notify.conftest import transition
from tests.serving.triage.conftest import action

HOUR = timedelta(hours=1)
POSTS = tuple(PostDriver(post_id, 10, 9.0, 1.0, 8.0) for post_id in ("p7", "p8"))
DRIVERS = replace(EVERYDAY, posts=POSTS)
ALERT = transition()
ALERT = replace(ALERT, evidence=replace(ALERT.evidence, drivers=DRIVERS))


def silence(number: int = 3, **change: Any) -> Silence:
    matchers = {name: change.pop(name) for name in list(change) if name in Matchers.__slots__}
    values: dict[str, Any] = {
        "starts_at": NOW - HOUR,
        "ends_at": NOW + HOUR,
        "reason": "planned giveaway",
        "created_by": "mai",
        "created_at": NOW - HOUR,
    }
    return Silence(number, Matchers(**matchers), **values | change)


@pytest.mark.parametrize(
    ("requested", "field"),
    [
        (ActionRequest("note", "mai"), "text"),
        (ActionRequest("assign", "mai"), "assignee"),
        (ActionRequest("acknowledge", "mai", assignee="linh"), "assignee"),
        (ActionRequest("acknowledge", "mai", until=NOW + HOUR), "until"),
        (ActionRequest("snooze", "mai"), "until"),
        (ActionRequest("snooze", "mai", until=NOW), "until"),
        (ActionRequest("snooze", "mai", until=NOW + LONGEST_SNOOZE + HOUR), "until"),
    ],
)
def test_a_request_that_makes_no_sense(requested: ActionRequest, field: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{field}: ") as caught:
        check(requested, NOW)
    assert (caught.value.code, caught.value.field) == ("invalid_parameter", field)


@pytest.mark.parametrize(
    "requested",
    [
        ActionRequest("note", "mai", "they deleted the post"),
        ActionRequest("assign", "mai", assignee="linh"),
        ActionRequest("snooze", "mai", "lunch", until=NOW + LONGEST_SNOOZE),
        ActionRequest("false_alarm", "mai", "a meme"),
    ],
)
def test_a_request_that_does(requested: ActionRequest) -> None:
    check(requested, NOW)


@pytest.mark.parametrize(
    ("matchers", "muted"),
    [
        ({}, True),
        ({"kols": frozenset({"lena", "mina"})}, True),
        ({"kols": frozenset({"mina"})}, False),
        ({"kinds": frozenset({"backlash"})}, True),
        ({"kinds": frozenset({"brigade"})}, False),
        ({"posts": frozenset({"p7"})}, True),
        ({"posts": frozenset({"p8"})}, False),
        ({"max_severity": "critical"}, True),
        ({"max_severity": "warning"}, True),
        ({"max_severity": "info"}, False),
        ({"kols": frozenset({"lena"}), "max_severity": "info"}, False),
        ({"starts_at": NOW}, True),
        ({"starts_at": NOW + timedelta(microseconds=1)}, False),
        ({"ends_at": NOW}, False),
        ({"expired_by": "linh", "expired_at": NOW}, False),
    ],
)
def test_a_silence_mutes_what_it_matches_while_it_is_active(
    matchers: dict[str, Any], muted: bool
) -> None:
    found = alert_status(ALERT, triage_status_of([], [], NOW), [silence(**matchers)], NOW)
    assert found.muted == ("silenced by 3" if muted else None)


@pytest.mark.parametrize("drivers", [None, replace(DRIVERS, posts=())])
def test_an_alert_without_a_top_post_is_not_meant_by_a_post(drivers: Drivers | None) -> None:
    alert = replace(ALERT, evidence=replace(ALERT.evidence, drivers=drivers))
    of_a_post = silence(posts=frozenset({"p7"}))
    assert alert_status(alert, triage_status_of([], [], NOW), [of_a_post], NOW).muted is None


def test_an_action_mutes_before_a_silence_does() -> None:
    def said(*actions: Any, befallen: list[Transition] | None = None) -> str | None:
        work = triage_status_of(actions, befallen or [], NOW)
        return alert_status(ALERT, work, [silence(4, max_severity="warning")], NOW).muted

    seen = NOW - HOUR
    snoozed = action("snooze", at=seen, seen_at=seen, until=NOW + HOUR)
    resolved = action("resolve", "linh", at=seen, seen_at=seen)
    assert said() == "silenced by 4"
    assert said(action("acknowledge", at=seen, seen_at=seen)) == "silenced by 4"
    assert said(snoozed) == "snoozed until 2026-03-10 13:00 UTC by mai"
    assert said(snoozed, resolved) == "resolved, says linh"
    assert said(action("false_alarm", at=seen, seen_at=seen)) == "a false alarm, says mai"
    worse = [Transition("escalated", NOW)]
    assert said(snoozed, resolved, befallen=worse) == "silenced by 4"


@pytest.mark.parametrize(
    ("starts", "ends", "said"),
    [
        (timedelta(), timedelta(), "lies in the past"),
        (2 * HOUR, 2 * HOUR, "must lie after starts_at"),
        (timedelta(), LONGEST + HOUR, "lies more than 366 days ahead"),
    ],
)
def test_a_silence_without_a_sensible_length(starts: timedelta, ends: timedelta, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        check_span(NOW + starts, NOW + ends, NOW)
    assert (caught.value.code, caught.value.field) == ("invalid_range", "ends_at")


@pytest.mark.parametrize("ends", [timedelta(microseconds=1), LONGEST])
def test_a_silence_may_be_as_short_or_as_long_as_the_bounds(ends: timedelta) -> None:
    check_span(NOW, NOW + ends, NOW)
