"""Nobody is notified of the same thing twice: the decision, as a table of cases."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from monitoring.kinds import AlertState, Reason, Severity
from serving.notify.stages.deduplicate import KnownEvent, is_repeated, known
from serving.storage.event_context import PastEvent, PastNotification
from serving.storage.notification_reason import NotificationReason
from tests.serving.conftest import NOW

MINUTE = timedelta(minutes=1)
_WITHDRAWN = "withdrawn"


def event(word: str) -> KnownEvent:
    """An event from a word: a "!" behind it is critical; in brackets the channel was not notified;
    "withdrawn" is a revision after which the alert no longer holds.
    """
    name = word.strip("()").rstrip("!")
    return KnownEvent(
        Reason.REVISED if name == _WITHDRAWN else Reason(name),
        Severity.CRITICAL if "!" in word else Severity.WARNING,
        notified="(" not in word,
        withdrawn=name == _WITHDRAWN,
    )


@pytest.mark.parametrize(
    ("past", "this", "repeated"),
    [
        # An opening is sent once, whatever became of the alert, unless it was withdrawn.
        ("", "opened", False),
        ("(opened)", "opened", False),
        ("opened", "opened", True),
        ("opened", "opened!", True),
        ("(opened) escalated!", "opened!", True),
        ("opened resolved", "opened", True),
        ("opened withdrawn", "opened", False),
        ("opened (withdrawn)", "opened", True),
        ("opened withdrawn opened", "opened", True),
        ("opened resolved revised", "opened", True),
        # An end is sent again only after a wave, or where its withdrawal was sent.
        ("", "resolved", False),
        ("opened", "resolved", False),
        ("opened escalated!", "resolved", False),
        ("opened resolved", "resolved", True),
        ("(opened) resolved", "resolved", True),
        ("opened (resolved)", "resolved", False),
        ("opened resolved revised", "resolved", False),
        ("opened resolved (revised)", "resolved", True),
        ("opened resolved revised resolved", "resolved", True),
        ("opened resolved reopened", "resolved", False),
        ("opened resolved (reopened)", "resolved", False),
        ("opened resolved (aftershock)", "resolved", False),
        ("opened resolved (escalated)", "resolved", True),
        # An escalation is sent once in a wave, for each severity.
        ("", "escalated!", False),
        ("opened", "escalated!", False),
        ("opened!", "escalated!", True),
        ("(opened!)", "escalated!", False),
        ("opened escalated!", "escalated!", True),
        ("opened! resolved reopened", "escalated!", False),
        ("opened! (resolved) reopened", "escalated!", False),
        ("opened! resolved revised", "escalated!", False),
        # A wave is sent once; a larger one after an aftershock is news.
        ("opened resolved", "reopened", False),
        ("opened resolved reopened", "reopened", True),
        ("opened resolved (reopened)", "reopened", False),
        ("opened resolved aftershock", "reopened", False),
        ("opened (resolved) reopened (resolved)", "reopened", False),
        ("opened resolved aftershock", "aftershock", True),
        ("opened resolved reopened", "aftershock", True),
        ("opened resolved aftershock resolved", "aftershock", False),
        # A withdrawal is for those that were notified of the alert, once.
        ("", "withdrawn", True),
        ("(opened)", "withdrawn", True),
        ("opened", "withdrawn", False),
        ("opened resolved", "withdrawn", False),
        ("opened (resolved) revised", "withdrawn", False),
        ("opened withdrawn", "withdrawn", True),
        ("opened withdrawn (opened)", "withdrawn", True),
        ("opened withdrawn opened", "withdrawn", False),
        # That an end no longer holds is for those that were notified of the end.
        ("", "revised", True),
        ("opened", "revised", True),
        ("opened resolved", "revised", False),
        ("opened (resolved)", "revised", True),
        ("opened resolved revised", "revised", True),
        ("opened resolved reopened", "revised", True),
    ],
)
def test_what_is_repeated(past: str, this: str, *, repeated: bool) -> None:
    assert is_repeated(event(this), [event(word) for word in past.split()]) is repeated


def sent(
    reason: str, minute: int, severity: str = "warning", state: str = "open"
) -> PastNotification:
    return PastNotification(
        "crm", NotificationReason(reason), Severity(severity), NOW + minute * MINUTE,
        AlertState(state),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("notifications", "expected"),
    [
        ([], "(opened) (escalated!) (resolved)"),
        ([sent("opened", 0), sent("resolved", 9)], "opened (escalated!) resolved"),
        # The message after a mute has the alert as its last transition left it.
        ([sent("still_open", 5, "critical")], "(opened) escalated! (resolved)"),
        ([sent("unacknowledged", 0, "critical")], "opened! (escalated!) (resolved)"),
        # An event that the store no longer has, and another time of one that it has.
        ([sent("opened", 1)], "opened (opened) (escalated!) (resolved)"),
        ([sent("still_open", 1, "critical")], "opened! (opened) (escalated!) (resolved)"),
        ([sent("revised", 1, state="revised")], "withdrawn (opened) (escalated!) (resolved)"),
        ([sent("revised", 1)], "revised (opened) (escalated!) (resolved)"),
    ],
)
def test_what_a_channel_knows(notifications: Sequence[PastNotification], expected: str) -> None:
    events = [
        PastEvent(Reason.OPENED, Severity.WARNING, NOW),
        PastEvent(Reason.ESCALATED, Severity.CRITICAL, NOW + 5 * MINUTE),
        PastEvent(Reason.RESOLVED, Severity.WARNING, NOW + 9 * MINUTE),
    ]
    assert known(events, notifications) == [event(word) for word in expected.split()]
