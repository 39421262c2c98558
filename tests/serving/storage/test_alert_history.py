"""What of an alert's transitions still holds, as a table of cases."""

from datetime import timedelta

import pytest

from monitoring.kinds import AlertKind, AlertState, Reason, Severity
from serving.storage.alert_history import holding, states_of
from serving.storage.alert_record import AlertEventRecord
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import EVIDENCE


def events(words: str) -> list[AlertEventRecord]:
    """Events from words such as "opened@3": the reason, and the minute if it is not its place."""
    found = []
    for place, word in enumerate(words.split()):
        reason, _, minute = word.partition("@")
        at = NOW + timedelta(minutes=int(minute or place))
        found.append(
            AlertEventRecord(
                place,
                "a1",
                "lena",
                AlertKind.BACKLASH,
                Severity.WARNING,
                Reason(reason),
                at,
                EVIDENCE,
            )
        )
    return found


@pytest.mark.parametrize(
    ("words", "state", "states", "holds"),
    [
        ("opened", "open", "open", "0"),
        ("opened resolved", "resolved", "open resolved", "0 1"),
        ("opened escalated resolved reopened", "open", "open open resolved open", "0 1 2 3"),
        # Withdrawn; and found again.
        ("opened revised", "revised", "open revised", ""),
        ("opened resolved revised", "revised", "open resolved revised", ""),
        ("opened revised opened", "open", "open revised open", "2"),
        ("opened resolved revised opened", "open", "open resolved revised open", "3"),
        ("opened resolved revised reopened", "open", "open resolved revised open", "3"),
        # An end that no longer holds.
        ("opened resolved revised", "open", "open resolved open", "0"),
        ("opened resolved revised resolved", "resolved", "open resolved open resolved", "0 3"),
        ("opened resolved revised escalated", "open", "open resolved open open", "0 3"),
        ("opened resolved reopened resolved revised", "open", "open resolved open resolved open",
         "0 1 2"),
        ("opened resolved revised revised", "revised", "open resolved open revised", ""),
        # What was found late comes last, and happened before.
        ("opened resolved@9 escalated@5", "resolved", "open resolved open", "0 2 1"),
        ("opened@7 resolved@9 resolved@8", "resolved", "open resolved resolved", "0 2 1"),
    ],
)  # fmt: skip
def test_what_holds(words: str, state: str, states: str, holds: str) -> None:
    history = events(words)
    assert states_of(history, AlertState(state)) == states.split()
    held = holding(history, AlertState(state))
    assert [str(event.event_id) for event in held] == holds.split()
