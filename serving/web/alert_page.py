"""The content of an alert's page: what changed, its triage status, and what can be done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter

from monitoring.kinds import AlertState, Reason
from serving.locales.quoting import one_line
from serving.locales.wording import Wording, msg
from serving.notify.notification import Notification
from serving.notify.render.content import Content, Fact, what_happened, write
from serving.notify.render.delays import missing
from serving.notify.render.late import found_late
from serving.storage.alert_history import raised, withdrawal
from serving.storage.alert_record import AlertEventRecord, AlertRecord
from serving.storage.notification_reason import NotificationReason
from serving.storage.post_names import PostNames, name_of_top_post
from serving.storage.source_delay import LateSource
from serving.triage.actions import Action, ActionKind
from serving.triage.muting import AlertStatus
from serving.triage.silences import ARCHIVED

SNOOZES = (1, 4, 24)  # hours that the page offers
_DONE: dict[ActionKind, str] = {
    ActionKind.ACKNOWLEDGE: msg("{who} acknowledged it"),
    ActionKind.UNACKNOWLEDGE: msg("{who} withdrew the acknowledgement"),
    ActionKind.ASSIGN: msg("{who} assigned it to {assignee}"),
    ActionKind.UNASSIGN: msg("{who} removed the assignment"),
    ActionKind.NOTE: msg("{who} added a note"),
    ActionKind.SNOOZE: msg("{who} snoozed it until {until}"),
    ActionKind.UNSNOOZE: msg("{who} ended the snooze"),
    ActionKind.RESOLVE: msg("{who} closed it"),
    ActionKind.REOPEN: msg("{who} reopened it"),
    ActionKind.FALSE_ALARM: msg("{who} marked it as a false alarm"),
    ActionKind.NOT_FALSE_ALARM: msg("{who} withdrew the false alarm"),
}
_OFFERED: dict[ActionKind, str] = {
    ActionKind.ACKNOWLEDGE: msg("Acknowledge"),
    ActionKind.UNACKNOWLEDGE: msg("Withdraw the acknowledgement"),
    ActionKind.SNOOZE: msg("Snooze"),
    ActionKind.UNSNOOZE: msg("End the snooze"),
    ActionKind.RESOLVE: msg("Close"),
    ActionKind.REOPEN: msg("Reopen"),
    ActionKind.FALSE_ALARM: msg("False alarm"),
    ActionKind.NOTE: msg("Add a note"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A button.

    Attributes:
        action: the action.
        label: its text.
    """

    action: ActionKind
    label: str


@dataclass(frozen=True, slots=True)
class Past:
    """Something that happened.

    Attributes:
        at: its time, in words.
        what: what happened, on one line.
        remark: the note of its actor; None if there is none.
    """

    at: str
    what: str
    remark: str | None


@dataclass(frozen=True, slots=True)
class AlertView:
    """The page.

    Attributes:
        head: the last transition that holds; of a withdrawn alert its withdrawal.
        rise: the last transition before the end, for the figures, comments and facts.
        chart: address of the chart, relative to the page.
        alert_status: the triage status, at least one line.
        asked: whether the link asked for the first action, so that the form comes first.
        offers: actions that are possible now; the first is highlighted.
        missing: what the alert may not have seen yet, one sentence for each late platform.
        history: transitions and actions, newest first.
        words: the reader's language and time zone.
    """

    head: Content
    rise: Content
    chart: str
    alert_status: tuple[str, ...]
    asked: bool
    offers: tuple[Offer, ...]
    missing: tuple[str, ...]
    history: tuple[Past, ...]
    words: Wording

    @property
    def labels(self) -> dict[str, str]:
        """The page's own labels."""
        text = self.words.text
        return {
            "standing": text("Status"),
            "name": text("Your name"),
            "reader": text(
                "Your role lets you read. Ask an admin for the role responder to work on alerts."
            ),
            "remark": text("Note (optional)"),
            "hours": text("Snooze for"),
            "history": text("History"),
            "at_rise": text("What had been reported")
            if self.head.tone == "withdrawn"
            else text("When it last got worse"),
        }

    @property
    def snoozes(self) -> list[tuple[int, str]]:
        """Lengths of a snooze in hours, each with its label."""
        words = self.words
        return [(hours, words.plural("{count} hour", "{count} hours", hours)) for hours in SNOOZES]

    @property
    def id_fact(self) -> Fact:
        """The alert's id under its label."""
        return Fact(self.words.text("Alert"), self.head.alert_id)


def describe(
    alert: AlertRecord,
    events: Sequence[AlertEventRecord],
    actions: Sequence[Action],
    alert_status: AlertStatus,
    *,
    kol_name: str | None,
    late_sources: Sequence[LateSource],
    post_names: PostNames,
    asked: str | None,
    words: Wording,
) -> AlertView:
    """The page of an alert.

    Args:
        alert: the alert.
        events: its transitions, oldest first, at least one.
        actions: what people did to it, oldest first.
        alert_status: its triage status.
        kol_name: the KOL's name; None where its profile has none.
        late_sources: platforms whose comments may be missing, the slowest first.
        post_names: of the posts that the alert's evidence names, those that are known.
        asked: the action that the link asks for; it comes first if it is possible.
        words: the reader's language and time zone.

    Raises:
        Rejected: the evidence cannot be read.
    """
    seen, gone = raised(events), withdrawal(events, alert.state)
    last = gone or seen[-1]
    risen = next((event for event in reversed(seen) if event.reason is not Reason.RESOLVED), last)

    def notification(event: AlertEventRecord) -> Notification:
        return Notification(
            key="",
            alert_id=event.alert_id,
            kol_id=event.kol_id,
            kol_name=kol_name,
            kind=event.kind,
            severity=event.severity,
            reason=event.reason,
            at=event.at,
            opened_at=alert.opened_at,
            evidence=event.evidence,
            public_url=None,
            state=alert.state if event is gone else AlertState.OPEN,
            ended_at=alert.resolved_at,
            found_at=event.found_at,
            top_post=name_of_top_post(event.kol_id, event.evidence, post_names),
        )

    withdrawn = gone is not None
    head, rise = (write([notification(event)], words).items[0] for event in (last, risen))
    if alert.found_at is not None and not withdrawn:
        found = replace(
            notification(risen), reason=NotificationReason.OPENED, found_at=alert.found_at
        )
        head = replace(head, notice=found_late(found, words))
    past = [_transition(event, words, withdrawn=event is gone) for event in events]
    past += [(action.at, _past(action, words)) for action in actions]
    offers = [ActionKind.NOTE] if withdrawn else _offered(alert_status)
    offered = sorted(offers, key=lambda kind: kind != asked)
    return AlertView(
        head=head,
        rise=rise,
        chart=f"../v1/alerts/{alert.alert_id}/chart.png{asking(words)}",
        alert_status=tuple(_alert_status(alert_status, words, withdrawn=withdrawn)),
        asked=asked in offered,
        offers=tuple(Offer(kind, words.text(_OFFERED[kind])) for kind in offered),
        missing=tuple(missing(late_sources, words)),
        history=tuple(what for _, what in sorted(past, key=itemgetter(0), reverse=True)),
        words=words,
    )


def asking(words: Wording) -> str:
    """A query that asks for the same language and time zone."""
    return f"?language={words.locale}&timezone={words.zone.key}"


def _transition(
    event: AlertEventRecord, words: Wording, *, withdrawn: bool
) -> tuple[datetime, Past]:
    """A transition with its time. A revision happens when it is found."""
    what = what_happened(event.reason, event.kind, words, withdrawn=withdrawn)
    if event.found_at is not None and event.reason is not Reason.REVISED:
        found = words.moment(event.found_at)
        what = words.text("{what} (found late, {found})", what=what, found=found)
    return event.at, Past(words.moment(event.at), what, None)


def _past(action: Action, words: Wording) -> Past:
    request = action.request
    what = words.text(
        _DONE[request.action],
        who=one_line(request.actor),
        assignee=one_line(request.assignee or ""),
        until="" if request.until is None else words.moment(request.until),
    )
    return Past(words.moment(action.at), what, request.text)


def _alert_status(alert_status: AlertStatus, words: Wording, *, withdrawn: bool) -> Iterator[str]:
    triage = alert_status.triage
    if withdrawn:
        yield words.text("Withdrawn: there is nothing to do")
    if triage.closed is not None:
        yield _said(triage.closed, words)
    if triage.acknowledged is not None:
        yield _said(triage.acknowledged, words)
    elif triage.closed is None and not withdrawn:
        yield words.text("Nobody has acknowledged it yet")
    if triage.assigned is not None:
        yield _said(triage.assigned, words)
    if withdrawn:
        return
    if triage.snoozed is not None:
        yield _said(triage.snoozed, words)
    if alert_status.muted is not None and triage.closed is None and triage.snoozed is None:
        archived = alert_status.muted == ARCHIVED
        yield words.text("The KOL is archived") if archived else words.text("Muted by a silence")
    if alert_status.muted is not None:
        yield words.text("No notifications are sent for it now")


def _said(action: Action, words: Wording) -> str:
    return f"{_past(action, words).what} · {words.moment(action.at)}"


def _offered(alert_status: AlertStatus) -> Iterator[ActionKind]:
    """Possible actions, the most common first, because the Enter key triggers the first."""
    triage = alert_status.triage
    yield ActionKind.ACKNOWLEDGE if triage.acknowledged is None else ActionKind.NOTE
    if triage.closed is None:
        yield ActionKind.SNOOZE if triage.snoozed is None else ActionKind.UNSNOOZE
        yield ActionKind.RESOLVE
    else:
        yield ActionKind.REOPEN
    if triage.false_alarm is None:
        yield ActionKind.FALSE_ALARM
    yield ActionKind.NOTE if triage.acknowledged is None else ActionKind.UNACKNOWLEDGE
