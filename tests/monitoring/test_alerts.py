from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from monitoring.alerts import Alert, advance, alert_id
from monitoring.evidence import DetectorScore, Evidence
from monitoring.kinds import AlertFamily, AlertKind, Severity
from monitoring.policy import Policy
from monitoring.signals import Signal
from monitoring.summary import summarise, summarise_end
from tests.monitoring.streams import START

HOUR = timedelta(hours=1)
POLICY = Policy()
EVIDENCE = Evidence(
    window_start=START - HOUR,
    window_end=START,
    incident_start=START - HOUR,
    comments=40,
    negative=25.0,
    expected_comments=10.0,
    expected_negative_share=0.15,
    volume_ratio=4.0,
    scores=(DetectorScore("share_shift", 60.0, 12.0, 8.0),),
)
FIRING = Signal(
    "lena", AlertFamily.BACKLASH, AlertKind.BACKLASH, Severity.WARNING, 1.5, 2.0, False, EVIDENCE
)
QUIET = replace(FIRING, score=0.2, rate=0.01)
CRITICAL = replace(FIRING, severity=Severity.CRITICAL, score=3.0)
OVER = replace(QUIET, recovered=True)
LARGER = replace(FIRING, rate=2.5)


def opened() -> Alert:
    alert, _ = advance(None, FIRING, START, POLICY)
    assert alert is not None
    return alert


def resolved() -> Alert:
    alert, _ = advance(opened(), OVER, START + HOUR, POLICY)
    assert alert is not None
    return alert


def shaken() -> Alert:
    alert, _ = advance(resolved(), FIRING, START + 2 * HOUR, POLICY)
    assert alert is not None
    return alert


def outgrown() -> Alert:
    alert, _ = advance(shaken(), LARGER, START + 3 * HOUR, POLICY)
    assert alert is not None
    return alert


CASES = [
    ("nothing stays nothing", lambda: None, QUIET, 0, [], None),
    ("a firing signal opens", lambda: None, FIRING, 0, ["opened"], "open"),
    ("no evidence, no alert", lambda: None, replace(FIRING, evidence=None), 0, [], None),
    ("still firing reports nothing new", opened, FIRING, 0.2, [], "open"),
    ("worse escalates", opened, CRITICAL, 0.2, ["escalated"], "open"),
    (
        "milder does not",
        lambda: replace(opened(), severity=Severity.CRITICAL),
        FIRING,
        0.2,
        [],
        "open",
    ),
    ("a falling score alone resolves nothing", opened, QUIET, 5, [], "open"),
    ("recovery within the hold waits", opened, OVER, 0.4, [], "open"),
    ("recovery after the hold resolves", opened, OVER, 0.6, ["resolved"], "resolved"),
    ("an endless incident is the new normal", opened, FIRING, 72, ["resolved"], "resolved"),
    ("the tail does not page again", resolved, replace(FIRING, rate=0.5), 2, [], "resolved"),
    ("a second wave is an aftershock", resolved, FIRING, 2, ["aftershock"], "open"),
    ("a weak one is none at once", resolved, replace(FIRING, rate=0.4), 2, [], "resolved"),
    ("but a day later", resolved, replace(FIRING, rate=0.4), 26, ["reopened"], "open"),
    ("an aftershock as large as before does not page", shaken, FIRING, 3, [], "open"),
    ("one that outgrows them does", shaken, LARGER, 3, ["reopened"], "open"),
    ("but once", outgrown, LARGER, 4, [], "open"),
    ("too late to reopen: a new alert", resolved, FIRING, 50, ["opened"], "open"),
    ("too late and quiet: forgotten", resolved, QUIET, 50, [], None),
]


@pytest.mark.parametrize(
    ("start", "signal", "hours", "reasons", "state"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_table_of_transitions(start, signal, hours, reasons, state):
    before = start()
    after, events = advance(before, signal, START + hours * HOUR, POLICY)
    assert [event.reason for event in events] == reasons
    assert (None if after is None else after.state) == state
    for event in events:
        assert event.at == START + hours * HOUR
        assert event.alert_id == after.alert_id
    if before is not None and after is not None and reasons != ["opened"]:
        assert after.alert_id == before.alert_id
        assert after.waves == before.waves + (after.is_open and not before.is_open)


def test_a_new_alert_after_a_forgotten_one_has_another_id():
    later = replace(EVIDENCE, incident_start=START + 49 * HOUR)
    after, _ = advance(resolved(), replace(FIRING, evidence=later), START + 50 * HOUR, POLICY)
    assert after.alert_id != resolved().alert_id


def test_id_depends_on_kol_family_and_start_only():
    assert alert_id("lena", "backlash", START) == alert_id("lena", "backlash", START)
    others = {
        alert_id("lena", "backlash", START),
        alert_id("mina", "backlash", START),
        alert_id("lena", "praise", START),
        alert_id("lena", "backlash", START + HOUR),
    }
    assert len(others) == 4


def test_informing_and_resolving_events_do_not_page():
    _, opening = advance(None, FIRING, START, POLICY)
    _, informing = advance(None, replace(FIRING, severity=Severity.INFO), START, POLICY)
    _, resolving = advance(opened(), OVER, START + HOUR, POLICY)
    assert [event.pages for event in opening + informing + resolving] == [True, False, False]


def test_a_second_wave_pages_when_it_is_larger_or_people_have_turned_away():
    _, small = advance(resolved(), FIRING, START + 2 * HOUR, POLICY)
    _, larger = advance(shaken(), LARGER, START + 3 * HOUR, POLICY)
    _, later = advance(resolved(), FIRING, START + 30 * HOUR, POLICY)
    assert [event.pages for event in small + larger + later] == [False, True, True]


def test_alert_reads_back():
    for alert in (opened(), resolved()):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(alert), type=Alert) == alert


def test_evidence_reads_back():
    assert Evidence.from_dict(EVIDENCE.to_dict()) == EVIDENCE


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (
            "backlash",
            "Negative comments on @lena jumped to 62% (25 of 40) in the last 60 minutes. "
            "Normal at this hour: 15% of about 10.",
        ),
        (
            "flip",
            "The mood on @lena turned while the number of comments stayed normal: 62% "
            "negative (25 of 40)",
        ),
        ("slow_burn", "Negative comments on @lena have been growing: 62% (25 of 40)"),
        ("brigade", "A few accounts are pushing negative comments on @lena: 62% (25 of 40)"),
        (
            "praise_surge",
            "Praise for @lena: 40 comments in the last 60 minutes, 62% of them negative. "
            "Normal at this hour: about 10.",
        ),
        (
            "attention_surge",
            "Comments on @lena surged to 40 in the last 60 minutes, 62% of them negative. "
            "Normal in that time: about 10.",
        ),
    ],
)
def test_one_sentence_says_it(kind, says):
    assert summarise(kind, "lena", EVIDENCE).startswith(says)


def test_an_hour_that_is_normally_empty_is_called_so():
    quiet = replace(EVIDENCE, expected_comments=0.4)
    end = "in the last 60 minutes. Normal at this hour: almost no comments."
    assert summarise("backlash", "lena", quiet).endswith(end)
    busier = replace(EVIDENCE, expected_comments=0.6)
    assert summarise("backlash", "lena", busier).endswith("Normal at this hour: 15% of about 1.")


def test_a_flood_is_described_by_what_its_detector_judged():
    inputs = {"n": 210, "k": 134.4, "x": 0.0, "p": 0.03, "p1": 0.19, "phi": 1.0, "kappa": 25.0}
    flood = replace(EVIDENCE, scores=(DetectorScore("copies_shift", 60.0, 14.0, 9.0, inputs),))
    assert summarise("comment_flood", "lena", flood) == (
        "64% of 210 comments on @lena in the last 60 minutes are near-identical. Normal: 3%."
    )


def test_the_end_is_described_by_the_share_or_by_silence():
    now = START + 4 * HOUR
    assert summarise_end("lena", now, EVIDENCE) == (
        "Over after 5 hours on @lena. 62% of the last 40 comments are negative; normal: 15%."
    )
    silent = replace(EVIDENCE, comments=0, negative=0.0)
    assert summarise_end("lena", now, silent) == (
        "Over after 5 hours on @lena. 0 comments in the last half hour; normal: about 10."
    )


@pytest.mark.parametrize(("rate", "fraction", "again"), [(0.9, 0.4, True), (0.9, 0.5, False)])
def test_the_policy_says_how_large_a_second_wave_must_be(rate, fraction, again):
    policy = replace(POLICY, reopen_fraction=fraction)
    _, events = advance(resolved(), replace(FIRING, rate=rate), START + HOUR, policy)
    assert bool(events) is again


@pytest.mark.parametrize(
    ("hours", "rate", "again"),
    [(0, 1.0, True), (0, 0.99, False), (12, 0.5, True), (12, 0.49, False), (24, 0.25, True)],
)
def test_the_rate_of_a_second_wave_halves_every_twelve_hours(hours, rate, again):
    _, events = advance(resolved(), replace(FIRING, rate=rate), START + HOUR + hours * HOUR, POLICY)
    assert bool(events) is again
