"""What a re-run changes: which alerts are the same, which are new, which are gone, and the news."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.alerts import AlertEvent
from monitoring.errors import HistoryError
from monitoring.evidence import Evidence
from monitoring.kinds import AlertKind, Reason, Severity
from monitoring.matching import compare, match, timelines_of
from tests.monitoring.streams import START

HOUR = timedelta(hours=1)
NOW = START + timedelta(days=9)
LONG_AGO = START - timedelta(days=1)
OPEN, RISE, OVER, AFTER, WAVE, REVISED = (
    Reason.OPENED,
    Reason.ESCALATED,
    Reason.RESOLVED,
    Reason.AFTERSHOCK,
    Reason.REOPENED,
    Reason.REVISED,
)
Step = tuple[Reason, float] | tuple[Reason, float, Severity]


def event(
    alert_id: str,
    reason: Reason,
    hours: float,
    severity: Severity = Severity.WARNING,
    kind: AlertKind = AlertKind.BACKLASH,
    start: float = 0.0,
) -> AlertEvent:
    at = START + hours * HOUR
    evidence = Evidence(
        window_start=at - HOUR,
        window_end=at,
        incident_start=START + start * HOUR,
        comments=20,
        negative=12.0,
        expected_comments=4.0,
        expected_negative_share=0.1,
        volume_ratio=5.0,
        scores=(),
    )
    return AlertEvent(alert_id, "lena", kind, severity, reason, at, evidence)


def story(alert_id: str, *steps: Step, **more: object) -> list[AlertEvent]:
    start = steps[0][1] - 0.5
    return [event(alert_id, *step, start=start, **more) for step in steps]  # type: ignore[arg-type]


def ids(pairs: object) -> list[tuple[str, str]]:
    return [(old.alert_id, new.alert_id) for old, new in pairs]  # type: ignore[attr-defined]


def test_alerts_of_one_id_are_the_same_whenever_they_were():
    stored, derived = story("a", (OPEN, 1), (OVER, 2)), story("a", (OPEN, 50))
    matching = match(timelines_of(stored), timelines_of(derived))
    assert ids(matching.kept) == [("a", "a")]
    assert not matching.found
    assert not matching.gone


def test_others_are_matched_by_overlap_within_their_family_each_once():
    stored = timelines_of(
        story("long", (OPEN, 1), (OVER, 9))
        + story("late", (OPEN, 20))
        + story("praise", (OPEN, 1), (OVER, 9), kind=AlertKind.PRAISE_SURGE)
    )
    derived = timelines_of(
        story("x", (OPEN, 2), (OVER, 4))
        + story("y", (OPEN, 3), (OVER, 9))
        + story("z", (OPEN, 30), (OVER, 40))
    )
    matching = match(stored, derived)
    assert sorted(ids(matching.kept)) == [("late", "z"), ("long", "y")]
    assert [one.alert_id for one in matching.found] == ["x"]
    assert [one.alert_id for one in matching.gone] == ["praise"]


def test_incidents_that_only_touch_are_two():
    stored, derived = story("a", (OPEN, 1), (OVER, 2)), story("b", (OPEN, 2.5), (OVER, 3))
    assert not match(timelines_of(stored), timelines_of(derived)).kept


CRITICAL = Severity.CRITICAL


@pytest.mark.parametrize(
    ("stored", "derived", "news"),
    [
        pytest.param([(OPEN, 1)], [(OPEN, 1.2)], [], id="only dated otherwise"),
        pytest.param([(OPEN, 1), (OVER, 3)], [(OPEN, 1), (OVER, 4)], [], id="over at another time"),
        pytest.param([(OPEN, 1)], [(OPEN, 1), (OVER, 3)], [(OVER, 3)], id="over"),
        pytest.param([(OPEN, 1)], [(OPEN, 1), (RISE, 2, CRITICAL)], [(RISE, 2)], id="worse"),
        pytest.param([(OPEN, 1)], [(OPEN, 1, CRITICAL)], [(RISE, 1)], id="worse from the start"),
        pytest.param([(OPEN, 1), (RISE, 2, CRITICAL)], [(OPEN, 1)], [], id="milder"),
        pytest.param(
            [(OPEN, 1), (OVER, 3)], [(OPEN, 1)], [(REVISED, None)], id="not over after all"
        ),
        pytest.param(
            [(OPEN, 1), (OVER, 3)],
            [(OPEN, 1), (OVER, 3), (AFTER, 5)],
            [(AFTER, 5)],
            id="a second wave that lasts",
        ),
        pytest.param(
            [(OPEN, 1), (OVER, 3)],
            [(OPEN, 1), (OVER, 3), (WAVE, 5), (RISE, 6, CRITICAL), (OVER, 8)],
            [(WAVE, 6), (OVER, 8)],
            id="a second wave that is over, at its worst",
        ),
        pytest.param(
            [(OPEN, 1), (OVER, 3), (WAVE, 5)],
            [(OPEN, 1), (OVER, 8)],
            [(OVER, 8)],
            id="one long wave that is over",
        ),
        pytest.param([], [(OPEN, 1)], [(OPEN, 1)], id="found"),
        pytest.param(
            [],
            [(OPEN, 1), (RISE, 2, CRITICAL), (OVER, 4)],
            [(OPEN, 2), (OVER, 4)],
            id="found at its worst, over",
        ),
        pytest.param([(OPEN, 1), (OVER, 3)], [], [(REVISED, None)], id="no incident after all"),
    ],
)
def test_the_news_of_a_re_run(
    stored: list[Step], derived: list[Step], news: list[tuple[Reason, float | None]]
) -> None:
    old = timelines_of(story("old", *stored)) if stored else []
    new = story("new", *derived) if derived else []
    revised, known_as = compare(old, new, {}, LONG_AGO, NOW)
    found = [(event.reason, event.at) for alert in revised for event in alert.news]
    assert found == [(reason, NOW if at is None else START + at * HOUR) for reason, at in news]
    assert all(event.found_at == NOW for alert in revised for event in alert.news)
    assert known_as == ({"new": "old"} if stored and derived else {})
    assert {alert.alert_id for alert in revised} <= ({"old"} if stored else {"new"})


def test_what_is_derived_alike_changes_nothing():
    stored = timelines_of(story("a", (OPEN, 1), (RISE, 2, CRITICAL), (OVER, 4)))
    assert compare(stored, stored[0].events, {}, LONG_AGO, NOW) == ([], {})


def test_what_lies_before_the_change_is_taken_as_it_was_stored():
    stored = timelines_of(story("a", (OPEN, 1), (OVER, 4)))
    (revised,), _ = compare(stored, [event("a", OVER, 5, start=0.5)], {}, START + 2 * HOUR, NOW)
    assert [one.at - START for one in revised.events] == [1 * HOUR, 5 * HOUR]


@pytest.mark.parametrize("known_as", [{}, {"y": "a"}, {"y": "gone"}])
def test_what_continues_is_the_last_of_its_family_that_had_begun(known_as: dict[str, str]) -> None:
    stored = timelines_of(
        story("before", (OPEN, -9), (OVER, -8))
        + story("a", (OPEN, 1), (OVER, 4))
        + story("praise", (OPEN, 1.5), kind=AlertKind.PRAISE_SURGE)
    )
    derived = [event("y", RISE, 3, CRITICAL), event("y", OVER, 5)]
    revised, ids = compare(stored, derived, known_as, START + 2 * HOUR, NOW)
    (changed,) = revised
    assert changed.alert_id == "a"
    assert [(one.reason, one.alert_id) for one in changed.events] == [
        (OPEN, "a"),
        (RISE, "a"),
        (OVER, "a"),
    ]
    assert (known_as | ids)["y"] == "a"


def test_an_incident_that_continues_without_a_stored_beginning_is_an_error():
    stored = timelines_of(story("praise", (OPEN, 1), kind=AlertKind.PRAISE_SURGE))
    with pytest.raises(HistoryError, match="alert y of lena was resolved at"):
        compare(stored, [event("y", OVER, 5)], {}, START + 2 * HOUR, NOW)


def test_two_incidents_that_were_one_get_two_ids():
    stored = timelines_of(story("a", (OPEN, 1), (OVER, 9)))
    derived = [*story("a", (OPEN, 1), (OVER, 4)), *story("y", (OPEN, 6), (OVER, 9))]
    revised, ids = compare(stored, derived, {"y": "a"}, LONG_AGO, NOW)
    assert {alert.alert_id: alert.events[0].at for alert in revised} == {
        "a": START + HOUR,
        "y": START + 6 * HOUR,
    }
    assert ids == {"y": "y"}


def test_an_id_that_another_incident_has_is_not_given_again():
    # "y" is known as "a" and "a" as "y": both are derived, and a third that is known as "y" too.
    stored = timelines_of(story("y", (OPEN, 1), (OVER, 4)) + story("a", (OPEN, 6), (OVER, 9)))
    derived = [
        *story("a", (OPEN, 1), (OVER, 4)),
        *story("y", (OPEN, 6), (OVER, 9)),
        *story("z", (OPEN, 20), (OVER, 22)),
    ]
    known_as = {"y": "a", "a": "y", "z": "y"}
    revised, ids = compare(stored, derived, known_as, LONG_AGO, NOW)
    assert [alert.alert_id for alert in revised] == ["z"]
    assert ids == {"z": "z"}
    (third,), ids = compare(
        [*stored, *timelines_of(story("z", (OPEN, 20), (OVER, 22)))],
        [*derived, *story("w", (OPEN, 40), (OVER, 41))],
        {"y": "a", "a": "y", "w": "z"},
        LONG_AGO,
        NOW,
    )
    assert (third.alert_id, ids) == ("w", {"w": "w"})


def test_an_id_is_made_if_an_incident_can_have_neither_of_its_own():
    stored = timelines_of(story("y", (OPEN, 1), (OVER, 4)) + story("a", (OPEN, 6), (OVER, 9)))
    derived = [*story("a", (OPEN, 1), (OVER, 4)), *story("y", (OPEN, 6), (OVER, 9))]
    again = [*derived, *story("b", (OPEN, 20), (OVER, 22))]
    known_as = {"y": "a", "a": "y", "b": "y"}
    taken = timelines_of(story("b", (OPEN, 15), (OVER, 16)))
    again.insert(4, replace(event("c", OPEN, 15, start=14.5)))
    again.insert(5, replace(event("c", OVER, 16, start=14.5)))
    revised, ids = compare([*stored, *taken], again, known_as | {"c": "b"}, LONG_AGO, NOW)
    assert [alert.alert_id for alert in revised] == [ids["b"]]
    assert ids["b"] not in {"a", "b", "c", "y"}
    assert len(ids["b"]) == 16


def test_the_id_of_an_incident_is_noted_for_the_id_under_which_it_is_derived():
    # "y" was known as "a", which was withdrawn; now it overlaps "b".
    stored = timelines_of(story("b", (OPEN, 2), (OVER, 5)))
    derived = story("y", (OPEN, 1), (OVER, 4))
    _, ids = compare(stored, derived, {"y": "a"}, LONG_AGO, NOW)
    assert ids == {"y": "b"}
    (revised,), ids = compare(
        timelines_of(story("b", (OPEN, 1), (OVER, 4))),
        [event("y", OVER, 6, start=0.5)],
        {"y": "b"},
        START + 2 * HOUR,
        NOW,
    )
    assert (revised.alert_id, [one.reason for one in revised.events]) == ("b", [OPEN, OVER])


def test_events_keep_when_they_were_found_if_they_happened_then_already():
    stored = timelines_of(story("a", (OPEN, 1), (OVER, 4)))
    derived = story("a", (OPEN, 1.1), (RISE, 2, CRITICAL), (OVER, 4))
    (revised,), _ = compare(stored, derived, {}, LONG_AGO, NOW)
    assert [one.found_at for one in revised.events] == [None, NOW, None]
    again = timelines_of([replace(one) for one in revised.events])
    assert compare(again, derived, {}, LONG_AGO, NOW + HOUR) == ([], {})


def test_an_alert_that_is_gone_keeps_no_events_but_says_what_it_was():
    stored = timelines_of(story("a", (OPEN, 1, CRITICAL)))
    (revised,), _ = compare(stored, [], {}, LONG_AGO, NOW)
    assert not revised.events
    (news,) = revised.news
    assert (news.reason, news.severity, news.at, news.found_at) == (REVISED, CRITICAL, NOW, NOW)
