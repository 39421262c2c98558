"""The page of an alert that was found late, changed, or withdrawn."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitoring.kinds import AlertKind, AlertState, Reason, Severity
from serving.locales.wording import Wording, wording
from serving.storage.alert_record import AlertEventRecord, AlertRecord
from serving.triage.actions import ActionKind
from serving.triage.muting import AlertStatus
from serving.triage.triage_status import TriageStatus
from serving.web.alert_page import AlertView, describe
from serving.web.templates import page
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import EVIDENCE, WORDS

FOUND = NOW + timedelta(hours=6)
ENDED = NOW + timedelta(hours=4)


def event(reason: Reason, at: datetime = NOW, found: datetime | None = None) -> AlertEventRecord:
    return AlertEventRecord(
        1, "a1", "lena", AlertKind.BACKLASH, Severity.CRITICAL, reason, at, EVIDENCE, found
    )


def view(
    *events: AlertEventRecord,
    state: AlertState,
    ended: datetime | None = None,
    muted: str | None = None,
    words: Wording = WORDS,
) -> AlertView:
    numbered = [replace(one, event_id=number) for number, one in enumerate(events)]
    alert = AlertRecord(
        "a1", "lena", AlertKind.BACKLASH, Severity.CRITICAL, state, NOW, NOW, ended, EVIDENCE,
        events[0].found_at,
    )  # fmt: skip
    status = AlertStatus(TriageStatus(), muted)
    return describe(
        alert,
        numbered,
        [],
        status,
        late_sources=(),
        post_names={},
        kol_name="Lena",
        asked="acknowledge",
        words=words,
    )


def history(shown: AlertView) -> list[tuple[str, str]]:
    return [(past.at, past.what) for past in shown.history]


def test_found_late_and_over() -> None:
    shown = view(
        event(Reason.OPENED, found=FOUND),
        event(Reason.RESOLVED, ENDED, FOUND),
        state=AlertState.RESOLVED,
        ended=ENDED,
    )
    assert shown.head.subject == "RESOLVED · Lena · backlash is over"
    assert shown.head.notice == (
        "Found late: it happened from Mar 10, 11:20 to 16:00 and was found on Mar 10, 18:00 UTC, "
        "when more comments arrived."
    )
    assert history(shown) == [
        ("Mar 10, 2026, 16:00 UTC", "backlash is over (found late, Mar 10, 2026, 18:00 UTC)"),
        ("Mar 10, 2026, 12:00 UTC", "backlash detected (found late, Mar 10, 2026, 18:00 UTC)"),
    ]
    html = page("alert.html", WORDS, page=shown, actor="", remark="", fault=None, action="")
    assert f"<b>{shown.head.notice}</b>" in bytes(html.body).decode()


def test_an_escalation_found_late_is_not_how_it_is_now() -> None:
    shown = view(
        event(Reason.OPENED),
        event(Reason.RESOLVED, ENDED),
        event(Reason.ESCALATED, NOW + timedelta(hours=1), FOUND),
        state=AlertState.RESOLVED,
        ended=ENDED,
    )
    assert shown.head.headline == "backlash is over"
    assert shown.head.notice is None
    assert shown.rise.headline.startswith("backlash escalated")
    assert [what.split(" (")[0] for _, what in history(shown)] == [
        "backlash is over",
        "backlash escalated",
        "backlash detected",
    ]


@pytest.mark.parametrize("muted", [None, "silenced by 1"])
def test_withdrawn(muted: str | None) -> None:
    shown = view(
        event(Reason.OPENED),
        event(Reason.RESOLVED, ENDED),
        event(Reason.REVISED, FOUND, FOUND),
        state=AlertState.REVISED,
        muted=muted,
    )
    assert (shown.head.flag, shown.head.tone) == ("WITHDRAWN", "withdrawn")
    assert shown.head.notice is None
    assert shown.head.sentence.startswith("Withdrawn: with the comments that came late, there was")
    assert shown.rise.figures
    assert shown.alert_status == ("Withdrawn: there is nothing to do",)
    assert [offer.action for offer in shown.offers] == [ActionKind.NOTE]
    assert not shown.asked
    assert history(shown) == [
        ("Mar 10, 2026, 18:00 UTC", "backlash withdrawn"),
        ("Mar 10, 2026, 16:00 UTC", "backlash is over"),
        ("Mar 10, 2026, 12:00 UTC", "backlash detected"),
    ]
    html = page("alert.html", WORDS, page=shown, actor="", remark="", fault=None, action="")
    text = bytes(html.body).decode()
    assert '<p class="banner withdrawn">WITHDRAWN</p>' in text
    assert ".withdrawn { background: #" in text
    assert "What had been reported" in text
    assert "When it last got worse" not in text


def test_an_end_that_no_longer_holds() -> None:
    shown = view(
        event(Reason.OPENED),
        event(Reason.REVISED, FOUND, FOUND),  # the end was removed
        state=AlertState.OPEN,
    )
    assert shown.head.headline.startswith("backlash detected")
    assert shown.alert_status == ("Nobody has acknowledged it yet",)
    assert history(shown)[0] == ("Mar 10, 2026, 18:00 UTC", "backlash is not over after all")
    found = view(
        event(Reason.OPENED, found=FOUND), state=AlertState.OPEN, words=wording("vi", "UTC")
    )
    assert found.head.notice is not None
    assert found.head.notice.startswith("Phát hiện muộn: sự việc bắt đầu lúc 10 thg 3, 11:20")
