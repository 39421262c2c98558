"""What an alert went through, as a table of cases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.kinds import AlertKind, AlertState, Reason, Severity
from serving.storage.alert_history import raised, withdrawal
from serving.storage.alert_record import AlertEventRecord
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import EVIDENCE


def events(words: str) -> list[AlertEventRecord]:
    """Events from words such as "opened@3": the reason, and the minute if it is not its place."""
    found = []
    for place, word in enumerate(words.split()):
        reason, _, minute = word.partition("@")
        at = NOW + timedelta(minutes=int(minute or place))
        severity, kind = Severity.WARNING, AlertKind.BACKLASH
        found.append(
            AlertEventRecord(place, "a1", "lena", kind, severity, Reason(reason), at, EVIDENCE)
        )
    return found


@pytest.mark.parametrize(
    ("words", "state", "was_raised", "withdrew"),
    [
        ("opened", "open", "0", None),
        ("opened escalated resolved", "resolved", "0 1 2", None),
        ("opened resolved revised@9", "revised", "0 1", 2),
        ("opened resolved revised@8 revised@9", "revised", "0 1", 3),
        ("opened revised@9", "open", "0", None),  # its end no longer held
        ("opened revised@9 resolved@8", "resolved", "0 2", None),
        # What was found late is written last, and happened before.
        ("opened resolved@9 escalated@5", "resolved", "0 2 1", None),
        ("opened@5 resolved@5", "resolved", "0 1", None),
    ],
)
def test_what_was_raised_and_what_withdrew_it(
    words: str, state: str, was_raised: str, withdrew: int | None
) -> None:
    history = events(words)
    assert [str(event.event_id) for event in raised(history)] == was_raised.split()
    gone = withdrawal(history, AlertState(state))
    assert (None if gone is None else gone.event_id) == withdrew


def test_of_several_revisions_the_one_that_withdrew_the_alert_is_known() -> None:
    first, last = (AlertState.REVISED, AlertState.OPEN)
    history = events("opened revised@8 revised@9")
    history[1:] = [
        replace(event, revised_to=state)
        for event, state in zip(history[1:], (first, last), strict=True)
    ]
    gone = withdrawal(history, AlertState.REVISED)
    assert gone is not None
    assert gone.event_id == 1
