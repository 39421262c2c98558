"""What people do to an alert. An action is written once and never changed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from serving.errors import InvalidRequest

LONGEST_SNOOZE = timedelta(days=30)


class ActionKind(StrEnum):
    """What people can do to an alert."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    ASSIGN = "assign"
    UNASSIGN = "unassign"
    NOTE = "note"
    SNOOZE = "snooze"
    UNSNOOZE = "unsnooze"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    FALSE_ALARM = "false_alarm"
    NOT_FALSE_ALARM = "not_false_alarm"


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """What somebody wants to do to an alert.

    Attributes:
        action: what.
        actor: who.
        text: a remark; what a note says.
        assignee: to whom it is assigned; only of an assignment.
        until: when a snooze ends, aware; only of a snooze.
    """

    action: ActionKind
    actor: str
    text: str | None = None
    assignee: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody did to an alert.

    Attributes:
        action_id: its place among all actions; 0 before it is written.
        alert_id: to which alert.
        request: what, and by whom.
        at: when, by the clock.
        seen_at: event time of the alert's latest transition at that moment: what the actor
            could know. It decides which transitions came after the action, and is the same after a
            rebuild.
    """

    action_id: int
    alert_id: str
    request: ActionRequest
    at: datetime
    seen_at: datetime


def check(request: ActionRequest, now: datetime) -> None:
    """Refuse an action that makes no sense.

    Raises:
        InvalidRequest: `invalid_parameter`, with the field at fault.
    """
    if request.action == ActionKind.NOTE and request.text is None:
        raise _fault("text", "a note needs it; say what there is to know")
    if request.action == ActionKind.ASSIGN and request.assignee is None:
        raise _fault("assignee", "an assignment needs it; name the person")
    if request.action != ActionKind.ASSIGN and request.assignee is not None:
        raise _fault("assignee", "only 'assign' takes it; leave it out")
    if request.action != ActionKind.SNOOZE and request.until is not None:
        raise _fault("until", "only 'snooze' takes it; leave it out")
    if request.action != ActionKind.SNOOZE:
        return
    if request.until is None:
        raise _fault("until", "a snooze needs it; give the instant at which it ends")
    if request.until <= now:
        raise _fault("until", "lies in the past; give an instant still to come")
    if request.until - now > LONGEST_SNOOZE:
        raise _fault("until", f"lies more than {LONGEST_SNOOZE.days} days ahead; snooze for less")


def _fault(field: str, message: str) -> InvalidRequest:
    return InvalidRequest("invalid_parameter", f"{field}: {message}", field=field)
