"""Where people stand with an alert: a function of what they did and of what befell it since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from serving.triage.acts import Act, Verb

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
class Work:
    """Where people stand with an alert. Each attribute is the act that stands, None if none does.

    Attributes:
        acknowledged: somebody has seen it; ends when the alert is reopened.
        assigned: it is somebody's.
        snoozed: nobody is told until a time; ends with it, or when the alert gets worse.
        closed: done with by hand; ends when the alert gets worse.
        false_alarm: judged to be none; stands until it is taken back.
    """

    acknowledged: Act | None = None
    assigned: Act | None = None
    snoozed: Act | None = None
    closed: Act | None = None
    false_alarm: Act | None = None

    @property
    def attended(self) -> bool:
        """Whether somebody has taken notice, so that nobody else need be called."""
        return self.acknowledged is not None or self.closed is not None


def work_of(acts: Sequence[Act], transitions: Sequence[Transition], now: datetime) -> Work:
    """Where people stand with an alert.

    Args:
        acts: those on the alert, in the order in which they were made.
        transitions: the alert's.
        now: the instant; acts after it are left out.
    """
    standing: dict[Verb, Act] = {}
    for act in acts:
        if act.at > now:
            continue
        verb = act.deed.verb
        for other in _TAKES_BACK.get(verb, ()):
            standing.pop(other, None)
        former = standing.get(verb)
        if former is None or verb in _LAST_COUNTS or _ended(former, transitions):
            standing[verb] = act
    holds = {verb: act for verb, act in standing.items() if not _ended(act, transitions)}
    snoozed = holds.get("snooze")
    if snoozed is not None and (snoozed.deed.until is None or snoozed.deed.until <= now):
        snoozed = None
    return Work(
        acknowledged=holds.get("acknowledge"),
        assigned=holds.get("assign"),
        snoozed=snoozed,
        closed=holds.get("resolve") or holds.get("false_alarm"),
        false_alarm=standing.get("false_alarm"),
    )


def verdict_of(work: Work) -> Verdict | None:
    """What people made of an alert; None while nobody has judged it.

    Whoever acknowledges or resolves an alert without calling it a false one takes it for real.
    For a verdict, derive the work without transitions: what was confirmed once stays so when the
    alert is reopened.
    """
    if work.false_alarm is not None:
        return "false_alarm"
    return "confirmed" if work.attended else None


def _ended(act: Act, transitions: Sequence[Transition]) -> bool:
    """Whether the alert has since done what ends the act's effect."""
    reasons = _ENDED_BY.get(act.deed.verb, frozenset())
    return any(
        transition.at > act.seen_at and transition.reason in reasons for transition in transitions
    )
