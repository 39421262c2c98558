"""Nobody is notified of the same thing twice: the decision, as a table of cases."""

from datetime import timedelta

import pytest

from monitoring.kinds import AlertState, Reason, Severity
from serving.notify.stages.deduplicate import is_repeated
from serving.storage.event_context import PastEvent, PastNotification
from serving.storage.notification_reason import NotificationReason
from tests.serving.conftest import NOW

_WITHDRAWN = "withdrawn"


def sent(words: str) -> list[PastNotification]:
    """Notifications from words such as "escalated!@5": the reason, a "!" if it was critical, and
    the minute if it is not its place. "withdrawn" is a revision after which the alert no longer
    holds.
    """
    found = []
    for place, word in enumerate(words.split()):
        name, _, minute = word.partition("@")
        reason = name.rstrip("!")
        gone = reason == _WITHDRAWN
        found.append(
            PastNotification(
                "crm",
                NotificationReason("revised" if gone else reason),
                Severity.CRITICAL if "!" in name else Severity.WARNING,
                NOW + timedelta(minutes=int(minute or place)),
                AlertState.REVISED if gone else AlertState.OPEN,
            )
        )
    return found


@pytest.mark.parametrize(
    ("known", "happened", "this", "repeated"),
    [
        # An opening is sent once, whatever its time and severity, until it is withdrawn.
        ("", "opened", "opened", False),
        ("opened", "opened", "opened@3", True),
        ("opened@3", "opened", "opened!@1", True),
        ("escalated!", "opened escalated", "opened!", True),
        ("still_open", "opened", "opened@3", True),
        ("opened resolved", "opened resolved", "opened@3", True),
        ("opened withdrawn", "opened revised", "opened", False),
        ("opened withdrawn opened", "opened revised", "opened@3", True),
        ("opened resolved revised", "opened revised", "opened@3", True),
        # An end is sent again only after another wave, or if it was taken back.
        ("", "opened resolved", "resolved", False),
        ("opened", "opened resolved", "resolved@1", False),
        ("opened escalated!", "opened escalated resolved", "resolved@2", False),
        ("opened resolved@5", "opened resolved@7", "resolved@7", True),
        ("opened resolved@5", "opened resolved@3", "resolved@3", True),
        ("resolved@5", "opened resolved@7", "resolved@7", True),
        ("opened resolved@5 revised@6", "opened resolved@7", "resolved@7", False),
        ("opened resolved@5 revised@6 resolved@7", "opened resolved@9", "resolved@9", True),
        ("opened resolved@5 reopened@6", "opened resolved@5 reopened@6 resolved@9", "resolved@9",
         False),
        ("opened resolved@5", "opened resolved@5 reopened@6 resolved@9", "resolved@9", False),
        ("opened resolved@5", "opened resolved@5 aftershock@6 resolved@9", "resolved@9", False),
        ("opened resolved@5", "opened escalated@6 resolved@9", "resolved@9", True),
        # An escalation is sent once in a wave, for each severity.
        ("", "opened escalated", "escalated!", False),
        ("opened", "opened escalated@5", "escalated!@5", False),
        ("opened!", "opened escalated@5", "escalated!@5", True),
        ("opened escalated!@5", "opened escalated@3", "escalated!@3", True),
        ("opened escalated!@5", "opened escalated@7", "escalated!@7", True),
        ("still_open!@3", "opened escalated@5", "escalated!@5", True),
        ("opened! resolved@5 reopened@6", "opened resolved@5 reopened@6 escalated@8",
         "escalated!@8", False),
        ("opened! reopened@6", "opened resolved@5 reopened@6 escalated@8", "escalated!@8", False),
        ("opened!", "opened resolved@5 reopened@6 escalated@8", "escalated!@8", False),
        ("opened! withdrawn@5", "opened revised@5 escalated@8", "escalated!@8", False),
        ("resolved!@9", "opened escalated@5 resolved@9", "escalated!@5", False),
        # The end of the second wave lies behind what is found in the first.
        ("reopened!@7", "opened escalated@3 resolved@5 reopened@7", "escalated!@3", False),
        # A wave is sent once; that an aftershock has become larger is news.
        ("opened resolved@5", "opened resolved@5 reopened@6", "reopened@6", False),
        ("opened", "opened resolved@5 reopened@6", "reopened@6", False),
        ("opened resolved@5 reopened@6", "opened resolved@4 reopened@7", "reopened@7", True),
        ("opened resolved@5 reopened@6 resolved@9", "opened resolved@4 reopened@7 resolved@9",
         "reopened@7", True),
        ("opened resolved@5 still_open@6", "opened resolved@4 reopened@7", "reopened@7", True),
        ("opened resolved@5 aftershock@6", "opened resolved@5 aftershock@6 reopened@8",
         "reopened@8", False),
        ("opened resolved@5 aftershock@6", "opened resolved@5 aftershock@7", "aftershock@7", True),
        ("opened resolved@5 reopened@6", "opened resolved@5 aftershock@7", "aftershock@7", True),
        ("opened reopened@6", "opened resolved@5 reopened@6 resolved@8 reopened@9", "reopened@9",
         False),
        # A withdrawal is for those that were notified of the alert, once.
        ("", "opened", "withdrawn@9", True),
        ("opened", "opened", "withdrawn@9", False),
        ("opened resolved", "opened resolved", "withdrawn@9", False),
        ("opened resolved revised", "opened", "withdrawn@9", False),
        ("opened withdrawn", "opened", "withdrawn@9", True),
        ("opened withdrawn opened", "opened", "withdrawn@9", False),
        # That an end no longer holds is for those that were notified of the end.
        ("", "opened", "revised@9", True),
        ("opened", "opened", "revised@9", True),
        ("opened resolved", "opened", "revised@9", False),
        ("opened resolved revised", "opened", "revised@9", True),
        ("opened resolved reopened", "opened", "revised@9", True),
    ],
)  # fmt: skip
def test_what_is_repeated(known: str, happened: str, this: str, *, repeated: bool) -> None:
    events = [PastEvent(Reason(one.reason.value), one.at) for one in sent(happened)]
    (one,) = sent(this)
    assert is_repeated(one, sent(known), events) is repeated
