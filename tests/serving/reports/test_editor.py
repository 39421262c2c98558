"""Digests composed from a database: what is in them, and of which period."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from serving.notify.config.period import Period, period_of
from serving.reports.digest_builder import DigestBuilder, DigestRequest
from serving.storage.digest_record import JSON, Digest, DigestInterval
from tests.serving.reports.conftest import DAY, HANOI, HOUR, MINUTE, NOON, Archive, event

FRIDAY = period_of(DigestInterval.DAY, date(2026, 11, 20), ZoneInfo(HANOI))
SINCE, UNTIL = FRIDAY.since, FRIDAY.until


async def digest(
    archive: Archive, period: Period = FRIDAY, kols: frozenset[str] | None = None, **more: Any
) -> Digest:
    found = await DigestBuilder(archive.database).write(
        DigestRequest(period, kols, **more), archive.clock.now()
    )
    assert JSON.validate_json(JSON.dump_json(found)) == found  # as the outbox and the API have it
    return found


async def test_an_empty_database_makes_an_empty_digest(archive: Archive) -> None:
    found = await digest(archive, name="acme", due_at=NOON)
    assert (found.kols, found.incidents, found.notices, found.recoveries) == ((), (), (), ())
    assert (found.name, found.due_at, found.over) == ("acme", NOON, True)
    assert (found.first, found.last, found.timezone) == (FRIDAY.first, FRIDAY.first, HANOI)
    assert (found.since, found.until, found.written_at) == (SINCE, UNTIL, NOON)
    assert asdict(found.precision) == {
        "weeks": 12, "raised": 0, "confirmed": 0, "false_alarms": 0,
        "share": None, "low": None, "high": None,
    }  # fmt: skip


async def test_comments_of_the_day_and_of_the_day_before(archive: Archive) -> None:
    await archive.kol("lena", "Lena Vane")
    await archive.kol("quiet")
    await archive.say("lena", SINCE - MINUTE, 3, negative=0.9, positive=0.0)
    await archive.say("lena", SINCE, 10, negative=0.2, positive=0.6)
    await archive.say("lena", UNTIL - MINUTE, 30, negative=0.4, positive=0.2)
    await archive.say("lena", UNTIL, 50, negative=0.9, positive=0.0)
    await archive.read("lena", SINCE, 10, rate=0.5, share=0.1)
    await archive.read("lena", UNTIL - MINUTE, 30, rate=2.0, share=0.3)
    await archive.read("lena", UNTIL, 50, rate=99.0, share=0.9)
    await archive.read("quiet", SINCE - DAY, rate=0.1, share=0.2)
    lena, quiet = (await digest(archive)).kols
    assert (lena.kol_id, lena.name, lena.comments) == ("lena", "Lena Vane", 40)
    assert lena.mood == pytest.approx((10 * 0.4 - 30 * 0.2) / 40)
    assert lena.mood_before == pytest.approx(-0.9)
    assert lena.negative_share == pytest.approx((2 + 12) / 40)
    assert lena.expected_negative_share == pytest.approx((10 * 0.1 + 30 * 0.3) / 40)
    assert lena.expected_comments == pytest.approx(60 * (23 * 0.5 + 2.0))
    assert (quiet.comments, quiet.mood) == (0, None)
    assert quiet.expected_comments == pytest.approx(144)


async def test_without_scores_nothing_is_expected(archive: Archive) -> None:
    await archive.kol("lena")
    await archive.say("lena", SINCE, negative=0.2, positive=0.6)
    await archive.read("lena", SINCE, rate=5.0, share=0.1, judged=False)
    (lena,) = (await digest(archive)).kols
    assert lena.expected_comments is lena.expected_negative_share is None


async def test_a_week_has_its_days(archive: Archive) -> None:
    await archive.kol("lena")
    week = period_of(DigestInterval.WEEK, FRIDAY.first, ZoneInfo(HANOI))
    archive.clock.advance(3 * DAY)
    for place, day in enumerate(week.days):
        if place != 2:
            await archive.say("lena", day.since, place + 1, negative=0.0, positive=place / 10)
    found = await digest(archive, week)
    assert found.over
    (lena,) = found.kols
    assert [day.comments for day in lena.days] == [1, 2, 0, 4, 5, 6, 7]
    assert lena.days[2].mood is None
    assert lena.days[4].mood == pytest.approx(0.4)
    assert lena.comments == 25


async def test_a_period_that_is_not_over_is_reported_so_far(archive: Archive) -> None:
    await archive.kol("lena")
    week = period_of(DigestInterval.WEEK, FRIDAY.first, ZoneInfo(HANOI))
    await archive.say("lena", NOON - MINUTE, 4, negative=0.0, positive=1.0)
    await archive.say("lena", NOON + MINUTE, 4, negative=1.0, positive=0.0)
    found = await digest(archive, week)
    assert (found.over, found.until) == (False, NOON)
    (lena,) = found.kols
    assert (lena.comments, lena.mood) == (4, 1.0)
    assert len(lena.days) == 6  # Sunday has not begun


async def test_only_the_kols_that_are_wanted(archive: Archive) -> None:
    for kol_id in ("lena", "mina", "nora"):
        await archive.kol(kol_id)
        await archive.befall("opened", SINCE + HOUR, alert_id=f"of-{kol_id}", kol_id=kol_id)
    found = await digest(archive, kols=frozenset({"mina", "unknown"}))
    assert {one.kol_id for one in found.kols} == {"mina", "unknown"}
    assert [one.alert_id for one in found.incidents] == ["of-mina"]
    assert found.precision.raised == 1


async def test_an_incident_with_its_waves_peak_and_verdict(archive: Archive) -> None:
    await archive.kol("lena", "Lena Vane")
    at = SINCE + 10 * HOUR
    await archive.befall("opened", at, began=at - HOUR)
    await archive.befall("escalated", at + HOUR, severity="critical", comments=400, negative=300.0)
    await archive.befall("resolved", at + 2 * HOUR, began=at - HOUR, comments=9)
    await archive.befall("aftershock", at + 4 * HOUR, began=at - HOUR, comments=50, negative=20.0)
    await archive.befall("resolved", at + 5 * HOUR, began=at - HOUR)
    await archive.say("lena", at + 61 * MINUTE, 20, negative=0.9, positive=0.0)
    await archive.say("lena", at + 69 * MINUTE, 20, negative=0.8, positive=0.0)
    await archive.say("lena", at + 70 * MINUTE, 100, negative=0.3, positive=0.0)
    await archive.say("lena", at - 2 * HOUR, 100, negative=0.9, positive=0.0)  # before it began
    await archive.do("acknowledge")
    found = await digest(archive)
    (one,) = found.incidents
    assert (one.severity, one.waves, one.name) == ("critical", 2, "Lena Vane")
    assert (one.began, one.ended, one.lasts) == (at - HOUR, at + 5 * HOUR, False)
    assert (one.figures.comments, one.figures.negative_share) == (400, 0.75)
    assert one.peak is not None
    assert (one.peak.start, one.peak.comments) == (at + HOUR, 40)
    assert one.peak.negative == pytest.approx(34)
    assert (one.verdict, one.judged_by) == ("confirmed", "mai")
    assert [(end.began, end.ended) for end in found.recoveries] == [
        (at - HOUR, at + 2 * HOUR), (at + 4 * HOUR, at + 5 * HOUR),
    ]  # fmt: skip
    assert found.precision.share == 1


@pytest.mark.parametrize(
    ("opened", "resolved", "reported", "recovered"),
    [
        (timedelta(hours=-5), timedelta(hours=-1), False, False),
        (timedelta(hours=-5), timedelta(0), True, True),
        (timedelta(hours=-5), timedelta(hours=2), True, True),
        (timedelta(hours=-5), timedelta(hours=30), True, False),
        (timedelta(hours=-5), None, True, False),
        (timedelta(0), timedelta(hours=1), True, True),
        (timedelta(hours=23), None, True, False),
        (timedelta(hours=24), None, False, False),
    ],
)
async def test_an_incident_is_reported_on_every_day_on_which_it_was_open(
    archive: Archive, opened: timedelta, resolved: timedelta | None, reported: bool, recovered: bool
) -> None:
    await archive.kol("lena")
    await archive.befall("opened", SINCE + opened)
    if resolved is not None:
        await archive.befall("resolved", SINCE + resolved)
    found = await digest(archive)
    assert (bool(found.incidents), bool(found.recoveries)) == (reported, recovered)


async def test_an_incident_is_left_out_between_its_waves(archive: Archive) -> None:
    await archive.kol("lena")
    await archive.befall("opened", SINCE - 3 * HOUR)
    await archive.befall("resolved", SINCE - HOUR)
    await archive.befall("reopened", UNTIL + HOUR)
    assert (await digest(archive)).incidents == ()
    assert len((await digest(archive, FRIDAY.before)).incidents) == 1


async def test_what_informs_stands_apart(archive: Archive) -> None:
    await archive.kol("lena")
    for kind in ("praise_surge", "data_gap"):
        values = {"alert_id": kind, "kind": kind, "severity": "info"}
        await archive.befall("opened", SINCE + HOUR, **values)
        await archive.befall("resolved", SINCE + 2 * HOUR, **values)
    await archive.say("lena", SINCE + HOUR, 30, negative=0.0, positive=0.9)
    await archive.say("lena", SINCE + 1.5 * HOUR, 3, negative=0.9, positive=0.0)
    found = await digest(archive)
    assert found.incidents == found.recoveries == ()
    peaks = {one.kind: one.peak for one in found.notices}
    assert peaks["data_gap"] is None
    praise = peaks["praise_surge"]
    assert praise is not None
    assert praise.comments == 30


async def test_false_alarms_are_closed_and_counted(archive: Archive) -> None:
    await archive.kol("lena")
    for place, verb in enumerate(("false_alarm", "acknowledge", "resolve", None)):
        await archive.befall("opened", SINCE + HOUR + place * MINUTE, alert_id=f"a{place}")
        if verb is not None:
            await archive.do(verb, f"a{place}")  # type: ignore[arg-type]
    found = await digest(archive)
    assert [(one.verdict, one.closed) for one in found.incidents] == [
        ("false_alarm", True), ("confirmed", False), ("confirmed", True), (None, False),
    ]  # fmt: skip
    (lena,) = found.kols
    assert lena.open_alerts == 2  # those that nobody closed
    precision = found.precision
    assert (precision.raised, precision.confirmed, precision.false_alarms) == (4, 2, 1)
    assert precision.share == pytest.approx(2 / 3)
    assert precision.low is not None
    assert precision.high is not None
    assert precision.low < 2 / 3 < precision.high


async def test_precision_is_of_twelve_weeks(archive: Archive) -> None:
    await archive.kol("lena")
    for weeks, alert_id in ((13, "old"), (11, "young")):
        await archive.befall("opened", UNTIL - weeks * 7 * DAY, alert_id=alert_id)
        await archive.befall("resolved", UNTIL - weeks * 7 * DAY + HOUR, alert_id=alert_id)
    assert (await digest(archive)).precision.raised == 1


async def test_what_was_found_late_is_in_one_digest(archive: Archive) -> None:
    await archive.kol("lena", "Lena Vane")
    due = UNTIL + 8 * HOUR
    opened, ended = event("opened", SINCE + HOUR), event("resolved", SINCE + 2 * HOUR)
    await archive.find(opened, ended, now=due)
    late, recovered = (await digest(archive)).incidents, (await digest(archive)).recoveries
    assert ([one.found_at for one in late], len(recovered)) == ([due], 1)
    # It was found when this digest was due, and so is in the next.
    regular = await digest(archive, due_at=due)
    assert regular.incidents == regular.recoveries == regular.found_late == ()
    earlier = await digest(archive, due_at=due + MINUTE)
    assert [one.alert_id for one in earlier.incidents] == ["a1"]
    archive.clock.advance(DAY)
    monday = period_of(DigestInterval.DAY, date(2026, 11, 21), ZoneInfo(HANOI))
    following = await digest(archive, monday, due_at=due + DAY, found_since=due)
    assert following.incidents == ()
    (one,) = following.found_late
    assert (one.alert_id, one.name, one.found_at) == ("a1", "Lena Vane", due)
    assert (one.began, one.ended) == (SINCE + HOUR / 2, SINCE + 2 * HOUR)
    for since, until in ((due + MINUTE, due + DAY), (due - DAY, due)):
        other = await digest(archive, monday, due_at=until, found_since=since)
        assert other.found_late == ()
    # Without a time at which it is due, the days of the period count.
    assert [one.alert_id for one in (await digest(archive, monday)).found_late] == ["a1"]
    assert (await digest(archive, kols=frozenset({"mina"}))).found_late == ()


async def test_what_lasts_into_the_period_or_was_known_is_not_found_late(archive: Archive) -> None:
    await archive.kol("lena")
    opened, ended = event("opened", SINCE - 5 * HOUR), event("resolved", SINCE)
    await archive.find(opened, ended, now=SINCE + HOUR)
    found = await digest(archive)
    assert ([one.alert_id for one in found.incidents], found.found_late) == (["a1"], ())
    await archive.befall("opened", SINCE - 5 * HOUR, alert_id="b2", kol_id="mina")
    ended = event("resolved", SINCE - HOUR, alert_id="b2", kol_id="mina")
    b2 = event("opened", SINCE - 5 * HOUR, alert_id="b2", kol_id="mina")
    await archive.kol("mina")
    await archive.find(b2, ended, now=SINCE + HOUR, kol_id="mina")  # its end was found late
    assert (await digest(archive)).found_late == ()
    worse = event("escalated", SINCE - 4 * HOUR, severity="critical", alert_id="b2", kol_id="mina")
    await archive.find(b2, worse, ended, now=SINCE + 2 * HOUR, kol_id="mina")
    assert [one.alert_id for one in (await digest(archive)).found_late] == ["b2"]
    # That its end was found later does not list it again.
    moved = event("reopened", SINCE - 50 * MINUTE, alert_id="b2", kol_id="mina")
    await archive.find(b2, worse, ended, moved, now=UNTIL + HOUR, kol_id="mina")
    end = event("resolved", SINCE - 40 * MINUTE, alert_id="b2", kol_id="mina")
    await archive.find(b2, worse, ended, moved, end, now=UNTIL + 3 * HOUR, kol_id="mina")
    for since, until, listed in ((0, 1, []), (1, 2, ["b2"]), (2, 4, [])):
        more = {"found_since": UNTIL + since * HOUR, "due_at": UNTIL + until * HOUR}
        found = await digest(archive, **more)
        assert [one.alert_id for one in found.found_late] == listed


async def test_what_was_withdrawn_is_no_incident_and_is_reported_once(archive: Archive) -> None:
    await archive.kol("lena", "Lena Vane")
    await archive.befall("opened", SINCE + HOUR, severity="critical")
    await archive.find(now=SINCE + 3 * HOUR)
    found = await digest(archive)
    assert found.incidents == found.recoveries == found.found_late == ()
    assert found.kols[0].open_alerts == 0
    (one,) = found.withdrawn
    assert (one.alert_id, one.name, one.kind) == ("a1", "Lena Vane", "backlash")
    assert (one.opened_at, one.withdrawn_at) == (SINCE + HOUR, SINCE + 3 * HOUR)
    later = {"due_at": UNTIL + 8 * HOUR, "found_since": SINCE + 3 * HOUR + MINUTE}
    assert (await digest(archive, **later)).withdrawn == ()
    assert (await digest(archive, due_at=SINCE + 3 * HOUR)).withdrawn == ()


async def test_what_was_withdrawn_counts_only_if_somebody_judged_it(archive: Archive) -> None:
    await archive.kol("lena")
    await archive.befall("opened", SINCE + HOUR)
    await archive.find(now=SINCE + 3 * HOUR)
    assert (await digest(archive)).precision.raised == 0
    await archive.do("false_alarm")  # type: ignore[arg-type]
    precision = (await digest(archive)).precision
    assert (precision.raised, precision.false_alarms) == (1, 1)


async def test_many_kols(archive: Archive) -> None:
    """More than one statement may name."""
    ids = frozenset(f"kol-{number:04}" for number in range(1201))
    await archive.say("kol-0000", SINCE, negative=0.0, positive=1.0)
    await archive.say("kol-1200", SINCE, 2, negative=0.0, positive=1.0)
    found = await digest(archive, kols=ids)
    assert len(found.kols) == 1201
    assert {one.kol_id: one.comments for one in found.kols if one.comments} == {
        "kol-0000": 1, "kol-1200": 2,
    }  # fmt: skip


@pytest.mark.parametrize("every", list(DigestInterval))
async def test_the_day_of_another_zone(archive: Archive, every: DigestInterval) -> None:
    await archive.kol("lena")
    midnight = datetime(2026, 11, 16, tzinfo=UTC)  # of a Monday
    await archive.say("lena", midnight - MINUTE, negative=0.0, positive=1.0)
    await archive.say("lena", midnight, 2, negative=0.0, positive=1.0)
    utc = period_of(every, midnight.date(), ZoneInfo("UTC"))
    hanoi = period_of(every, midnight.date(), ZoneInfo(HANOI))
    assert [one.comments for one in (await digest(archive, utc)).kols] == [2]
    assert [one.comments for one in (await digest(archive, hanoi)).kols] == [3]
