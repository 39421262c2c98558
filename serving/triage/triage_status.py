"""Where people stand with an alert: a function of what they did and of what befell it since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from serving.triage.actions import Action, Verb

Verdict = Literal["confirmed", "false_alarm"]

# Which verbs take back what others did. To reopen an alert is to say that it is real after all.
_TAKES_BACK: dict[Verb, tuple[Verb, ...]] = {
    "unacknowledge": ("acknowledge",),
    "unassign": ("assign",),
    "unsnooze": ("snooze",),
    "reopen": ("resolve", "false_alarm"),
    "not_false_alarm": ("false_alarm",),
}
# Transitions that the actor could not know of, and that end what the act brought about.
_ENDED_BY: dict[Verb, frozenset[str]] = {
    "acknowledge": frozenset({"reopened"}),
    "snooze": frozenset({"reopened", "escalated"}),
    "resolve": frozenset({"reopened", "escalated"}),
    "false_alarm": frozenset({"reopened", "escalated"}),
}
_LAST_COUNTS: frozenset[Verb] = frozenset({"assign", "snooze"})  # of the others the first does


@dataclass(frozen=True, slots=True)
class Transition:
    """A step in the life of an alert, as the detector told it.

    Attributes:
        reason: "opened", "escalated", "resolved", "aftershock" or "reopened".
        at: event time, aware.
    """

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TriageStatus:
    """Where people stand with an alert. Each attribute is the act that stands, None if none does.

    Attributes:
        acknowledged: somebody has seen it; ends when the alert is reopened.
        assigned: it is somebody's.
        snoozed: nobody is told until a time; ends with it, or when the alert gets worse.
        closed: done with by hand; ends when the alert gets worse.
        false_alarm: judged to be none; stands until it is taken back.
    """

    acknowledged: Action | None = None
    assigned: Action | None = None
    snoozed: Action | None = None
    closed: Action | None = None
    false_alarm: Action | None = None

    @property
    def attended(self) -> bool:
        """Whether somebody has taken notice, so that nobody else need be called."""
        return self.acknowledged is not None or self.closed is not None


def triage_status_of(
    actions: Sequence[Action], transitions: Sequence[Transition], now: datetime
) -> TriageStatus:
    """Where people stand with an alert.

    Args:
        actions: those on the alert, in the order in which they were made.
        transitions: the alert's.
        now: the instant; acts after it are left out.
    """
    alert_status: dict[Verb, Action] = {}
    for action in actions:
        if action.at > now:
            continue
        verb = action.request.verb
        for other in _TAKES_BACK.get(verb, ()):
            alert_status.pop(other, None)
        former = alert_status.get(verb)
        if former is None or verb in _LAST_COUNTS or _ended(former, transitions):
            alert_status[verb] = action
    holds = {
        verb: action for verb, action in alert_status.items() if not _ended(action, transitions)
    }
    snoozed = holds.get("snooze")
    if snoozed is not None and (snoozed.request.until is None or snoozed.request.until <= now):
        snoozed = None
    return TriageStatus(
        acknowledged=holds.get("acknowledge"),
        assigned=holds.get("assign"),
        snoozed=snoozed,
        closed=holds.get("resolve") or holds.get("false_alarm"),
        false_alarm=alert_status.get("false_alarm"),
    )


def verdict_of(work: TriageStatus) -> Verdict | None:
    """What people made of an alert; None while nobody has judged it.

    Whoever acknowledges or resolves an alert without calling it a false one takes it for real.
    For a verdict, derive the work without transitions: what was confirmed once stays so when the
    alert is reopened.
    """
    if work.false_alarm is not None:
        return "false_alarm"
    return "confirmed" if work.attended else None


def _ended(action: Action, transitions: Sequence[Transition]) -> bool:
    """Whether the alert has since done what ends the act's effect."""
    reasons = _ENDED_BY.get(action.request.verb, frozenset())
    return any(
        transition.at > action.seen_at and transition.reason in reasons
        for transition in transitions
    )
