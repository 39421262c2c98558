"""What people did about an alert: computed from their actions and the later transitions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitoring.kinds import Reason
from serving.triage.actions import Action, ActionKind


class Verdict(StrEnum):
    """What people made of an alert."""

    CONFIRMED = "confirmed"
    FALSE_ALARM = "false_alarm"


# Which actions take back others. To reopen an alert is to say that it is real after all.
_TAKES_BACK: dict[ActionKind, tuple[ActionKind, ...]] = {
    ActionKind.UNACKNOWLEDGE: (ActionKind.ACKNOWLEDGE,),
    ActionKind.UNASSIGN: (ActionKind.ASSIGN,),
    ActionKind.UNSNOOZE: (ActionKind.SNOOZE,),
    ActionKind.REOPEN: (ActionKind.RESOLVE, ActionKind.FALSE_ALARM),
    ActionKind.NOT_FALSE_ALARM: (ActionKind.FALSE_ALARM,),
}
# Transitions that the actor could not know of, and that end the effect of the action.
_ENDED_BY: dict[ActionKind, frozenset[Reason]] = {
    ActionKind.ACKNOWLEDGE: frozenset({Reason.REOPENED}),
    ActionKind.SNOOZE: frozenset({Reason.REOPENED, Reason.ESCALATED}),
    ActionKind.RESOLVE: frozenset({Reason.REOPENED, Reason.ESCALATED}),
    ActionKind.FALSE_ALARM: frozenset({Reason.REOPENED, Reason.ESCALATED}),
}
_LAST_COUNTS: frozenset[ActionKind] = frozenset(
    {ActionKind.ASSIGN, ActionKind.SNOOZE}
)  # of the others the first does


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition of an alert.

    Attributes:
        reason: "opened", "escalated", "resolved", "aftershock", "reopened" or "revised".
        at: event time, aware.
        found_at: when, by the clock, comments that came late showed it; None if it was raised as it
            happened.
    """

    reason: Reason
    at: datetime
    found_at: datetime | None = None

    def follows(self, action: Action) -> bool:
        """Whether the actor could not know of it."""
        if self.found_at is not None:
            return self.found_at > action.at
        return self.at > action.seen_at


@dataclass(frozen=True, slots=True)
class TriageStatus:
    """What people did about an alert. Each attribute is the action in effect; None if none is.

    Attributes:
        acknowledged: somebody has seen it; ends when the alert is reopened.
        assigned: it is somebody's.
        snoozed: nobody is notified until a time; ends with it, or when the alert gets worse.
        closed: done with by hand; ends when the alert gets worse.
        false_alarm: judged to be wrong; until that is taken back.
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
        now: the instant; actions after it are left out.
    """
    latest: dict[ActionKind, Action] = {}
    for action in actions:
        if action.at > now:
            continue
        kind = action.request.action
        for other in _TAKES_BACK.get(kind, ()):
            latest.pop(other, None)
        former = latest.get(kind)
        if former is None or kind in _LAST_COUNTS or _ended(former, transitions):
            latest[kind] = action
    holds = {kind: action for kind, action in latest.items() if not _ended(action, transitions)}
    snoozed = holds.get(ActionKind.SNOOZE)
    if snoozed is not None and (snoozed.request.until is None or snoozed.request.until <= now):
        snoozed = None
    return TriageStatus(
        acknowledged=holds.get(ActionKind.ACKNOWLEDGE),
        assigned=holds.get(ActionKind.ASSIGN),
        snoozed=snoozed,
        closed=holds.get(ActionKind.RESOLVE) or holds.get(ActionKind.FALSE_ALARM),
        false_alarm=latest.get(ActionKind.FALSE_ALARM),
    )


def verdict_of(triage: TriageStatus) -> Verdict | None:
    """What people made of an alert; None while nobody has judged it.

    Whoever acknowledges or resolves an alert without calling it a false one takes it for real.
    For a verdict, derive the work without transitions: what was confirmed once stays so when the
    alert is reopened.
    """
    if triage.false_alarm is not None:
        return Verdict.FALSE_ALARM
    return Verdict.CONFIRMED if triage.attended else None


def _ended(action: Action, transitions: Sequence[Transition]) -> bool:
    """Whether a later transition ends the effect of the action."""
    reasons = _ENDED_BY.get(action.request.action, frozenset[Reason]())
    return any(
        transition.follows(action) and transition.reason in reasons for transition in transitions
    )
