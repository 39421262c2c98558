"""The triage status of an alert, by cases: what people did, how it changed, what follows."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from serving.triage.actions import Action, ActionKind
from serving.triage.triage_status import (
    _TAKES_BACK,
    Transition,
    TriageStatus,
    triage_status_of,
    verdict_of,
)
from tests.serving.conftest import NOW
from tests.serving.triage.conftest import action


def minute(number: int) -> datetime:
    return NOW + timedelta(minutes=number)


def did(at: int, verb: Any, actor: str = "mai", *, seen: int = 0, **more: Any) -> Action:
    """An act at a minute, by somebody who knew the alert as of another."""
    if "until" in more:
        more["until"] = minute(more["until"])
    return action(verb, actor, at=minute(at), seen_at=minute(seen), **more)


def transition(at: int, reason: str, found: int | None = None) -> Transition:
    return Transition(reason, minute(at), None if found is None else minute(found))


def in_force(work: TriageStatus) -> dict[str, str]:
    """Who did what is in force, and to whom it is assigned."""
    found = {
        name: alert_status.request.assignee or alert_status.request.actor
        for name in ("acknowledged", "assigned", "snoozed", "closed", "false_alarm")
        if (alert_status := getattr(work, name)) is not None
    }
    assert work.attended == bool({"acknowledged", "closed"} & set(found))
    return found


OPENED = transition(0, "opened")
CASES: dict[str, tuple[list[Action], list[Transition], dict[str, str]]] = {
    "nothing done": ([], [OPENED], {}),
    "a note changes nothing": ([did(1, "note", text="hm")], [OPENED], {}),
    "acknowledged": ([did(1, "acknowledge")], [OPENED], {"acknowledged": "mai"}),
    "the first who acknowledges counts": (
        [did(1, "acknowledge"), did(2, "acknowledge", "linh")],
        [OPENED],
        {"acknowledged": "mai"},
    ),
    "taken back by anybody": (
        [did(1, "acknowledge"), did(2, "unacknowledge", "linh")],
        [OPENED],
        {},
    ),
    "acknowledged again by another": (
        [did(1, "acknowledge"), did(2, "unacknowledge"), did(3, "acknowledge", "linh")],
        [OPENED],
        {"acknowledged": "linh"},
    ),
    "an escalation leaves the acknowledgement": (
        [did(1, "acknowledge")],
        [OPENED, transition(5, "escalated")],
        {"acknowledged": "mai"},
    ),
    "a second wave ends the acknowledgement": (
        [did(1, "acknowledge"), did(2, "assign", assignee="linh")],
        [OPENED, transition(5, "resolved"), transition(9, "reopened")],
        {"assigned": "linh"},
    ),
    "an escalation found late ends a snooze of before it was found": (
        [did(20, "snooze", seen=15, until=90)],
        [OPENED, transition(5, "escalated", found=30), transition(15, "aftershock")],
        {},
    ),
    "an escalation found late was known to who snoozed after it was found": (
        [did(40, "snooze", seen=0, until=90)],
        [OPENED, transition(5, "escalated", found=30)],
        {"snoozed": "mai"},
    ),
    "a revision ends nothing": (
        [did(1, "acknowledge"), did(2, "resolve")],
        [OPENED, transition(9, "revised", found=30)],
        {"acknowledged": "mai", "closed": "mai"},
    ),
    "a second wave is acknowledged anew": (
        [did(1, "acknowledge"), did(12, "acknowledge", "linh", seen=9)],
        [OPENED, transition(5, "resolved"), transition(9, "reopened")],
        {"acknowledged": "linh"},
    ),
    "what the actor knew does not end it": (
        [did(12, "acknowledge", seen=9)],
        [OPENED, transition(5, "resolved"), transition(9, "reopened")],
        {"acknowledged": "mai"},
    ),
    "event time may lag behind the clock": (
        [did(1, "resolve", seen=-60)],
        [transition(-60, "opened"), transition(-1, "escalated")],
        {},
    ),
    "the last assignment counts": (
        [did(1, "assign", assignee="linh"), did(2, "assign", assignee="bao")],
        [OPENED],
        {"assigned": "bao"},
    ),
    "unassigned": (
        [did(1, "assign", assignee="linh"), did(2, "unassign")],
        [OPENED],
        {},
    ),
    "snoozed": ([did(1, "snooze", until=90)], [OPENED], {"snoozed": "mai"}),
    "a snooze ends at its instant": ([did(1, "snooze", until=60)], [OPENED], {}),
    "a later, shorter snooze replaces a longer one": (
        [did(1, "snooze", until=90), did(2, "snooze", until=30)],
        [OPENED],
        {},
    ),
    "unsnoozed": ([did(1, "snooze", until=90), did(2, "unsnooze")], [OPENED], {}),
    "an escalation ends a snooze": (
        [did(1, "snooze", until=90)],
        [OPENED, transition(5, "escalated")],
        {},
    ),
    "its resolution does not end a snooze": (
        [did(1, "snooze", until=90)],
        [OPENED, transition(5, "resolved")],
        {"snoozed": "mai"},
    ),
    "closed": ([did(1, "resolve")], [OPENED], {"closed": "mai"}),
    "its own resolution leaves it closed": (
        [did(1, "resolve")],
        [OPENED, transition(5, "resolved")],
        {"closed": "mai"},
    ),
    "an aftershock leaves it closed": (
        [did(1, "acknowledge"), did(2, "resolve")],
        [OPENED, transition(5, "resolved"), transition(9, "aftershock")],
        {"acknowledged": "mai", "closed": "mai"},
    ),
    "an escalation opens it again": (
        [did(1, "resolve")],
        [OPENED, transition(5, "escalated")],
        {},
    ),
    "closed again after an escalation": (
        [did(1, "resolve"), did(7, "resolve", "linh", seen=5)],
        [OPENED, transition(5, "escalated")],
        {"closed": "linh"},
    ),
    "a second wave opens it again": (
        [did(1, "resolve")],
        [OPENED, transition(5, "resolved"), transition(9, "reopened")],
        {},
    ),
    "reopened by hand": ([did(1, "resolve"), did(2, "reopen", "linh")], [OPENED], {}),
    "a false alarm is closed": (
        [did(1, "false_alarm")],
        [OPENED],
        {"closed": "mai", "false_alarm": "mai"},
    ),
    "a verdict outlives an escalation": (
        [did(1, "false_alarm")],
        [OPENED, transition(5, "escalated")],
        {"false_alarm": "mai"},
    ),
    "the verdict is taken back": (
        [did(1, "false_alarm"), did(2, "not_false_alarm", "linh")],
        [OPENED],
        {},
    ),
    "who resolved it stays when the verdict is taken back": (
        [did(1, "resolve"), did(2, "false_alarm", "linh"), did(3, "not_false_alarm")],
        [OPENED],
        {"closed": "mai"},
    ),
    "reopened by hand, it was no false alarm": (
        [did(1, "false_alarm"), did(2, "reopen", "linh")],
        [OPENED],
        {},
    ),
    "what lies ahead does not count": (
        [did(1, "acknowledge"), did(61, "unacknowledge")],
        [OPENED],
        {"acknowledged": "mai"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_work(name: str) -> None:
    actions, transitions, expected = CASES[name]
    assert in_force(triage_status_of(actions, transitions, minute(60))) == expected


def test_every_verb_has_a_case() -> None:
    used = {done.request.action for actions, _, _ in CASES.values() for done in actions}
    assert used == set(ActionKind)
    assert {undone for verbs in _TAKES_BACK.values() for undone in verbs} < set(ActionKind)


@pytest.mark.parametrize(
    ("actions", "verdict"),
    [
        ([], None),
        ([did(1, "note", text="hm")], None),
        ([did(1, "assign", assignee="linh")], None),
        ([did(1, "snooze", until=90)], None),
        ([did(1, "acknowledge")], "confirmed"),
        ([did(1, "resolve")], "confirmed"),
        ([did(1, "acknowledge"), did(2, "false_alarm")], "false_alarm"),
        ([did(1, "false_alarm"), did(2, "not_false_alarm")], None),
        ([did(1, "acknowledge"), did(2, "unacknowledge")], None),
    ],
)
def test_verdict(actions: list[Action], verdict: str | None) -> None:
    assert verdict_of(triage_status_of(actions, (), minute(60))) == verdict
