"""The comments on a KOL compared with what is expected."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitoring.kinds import Severity
from serving.notify.config.period import period_of
from serving.reports.moods import expected_comments, kol_mood, mood_of, trouble
from serving.storage.digest_record import DigestInterval, KolMood
from serving.storage.digest_store import Learnt, Sums

START = datetime(2026, 11, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def rates(**of: float) -> dict[datetime, float]:
    """Comments a minute by hour: h5 is the sixth of the day, d1h5 that of the day before."""
    found = {}
    for name, rate in of.items():
        days, _, hours = name.rpartition("h")
        found[START + int(hours) * HOUR - int(days[1:] or 0) * DAY] = rate
    return found


def test_the_expected_comments_of_a_day_are_the_sum_of_its_hours() -> None:
    of = {START + hour * HOUR: float(hour) for hour in range(24)}
    assert expected_comments(of, START, START + DAY) == pytest.approx(60 * sum(range(24)))


def test_nothing_is_expected_before_enough_was_learnt() -> None:
    assert expected_comments({}, START, START + DAY) is None
    assert expected_comments(rates(h1=7.0, h2=9.0), START, START + DAY) is None
    assert expected_comments(rates(h0=7.0), START + HOUR / 2, START + DAY) is not None


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (rates(h4=1.0, d2h5=3.0, d3h5=9.0), 3.0),  # the same hour, on the latest day before
        (rates(h4=1.0, h6=7.0), 1.0),  # the last hour before it
        (rates(h5=2.0, d1h5=3.0), 2.0),
        (rates(d7h5=4.0, h4=1.0), 4.0),
        (rates(d8h5=4.0, h4=1.0), 1.0),  # too long ago
    ],
)
def test_an_hour_without_comments_takes_the_rate_of_another(
    known: dict[datetime, float], expected: float
) -> None:
    five = START + 5 * HOUR
    assert expected_comments(known, five, five + HOUR) == pytest.approx(60 * expected)


def test_half_an_hour_counts_by_half() -> None:
    of = rates(h0=1.0, h1=3.0)
    since = START + HOUR / 2  # where a zone is half an hour off
    assert expected_comments(of, since, since + HOUR) == pytest.approx(30 * 1.0 + 30 * 3.0)
    assert expected_comments(of, since, since + HOUR / 4) == pytest.approx(15 * 1.0)


def row(said: Sums | None = None, learnt: Learnt | None = None, *severities: str) -> KolMood:
    return kol_mood(
        "lena",
        None,
        (START, START + DAY),
        said,
        None,
        learnt,
        [Severity(one) for one in severities],
        [],
    )


def test_figures_of_a_kol() -> None:
    learnt = Learnt({START: 1.0}, comments=50, negative=5.0)
    found = row(Sums(200, 60.0, 100.0), learnt, "warning", "critical", "info")
    assert found.mood == pytest.approx(0.2)
    assert found.negative_share == pytest.approx(0.3)
    assert found.expected_negative_share == pytest.approx(0.1)
    assert found.expected_comments == pytest.approx(1440)
    assert (found.open_alerts, found.worst_open) == (3, "critical")
    assert found.mood_before is None


def test_a_kol_without_comments_has_no_mood_but_expected_comments() -> None:
    found = row(None, Learnt({START - DAY: 0.5}))
    assert (found.comments, found.mood, found.negative_share) == (0, None, None)
    assert found.expected_comments == pytest.approx(720)
    assert found.expected_negative_share is None
    assert row().expected_comments is None


def test_the_days_of_a_week() -> None:
    week = period_of(DigestInterval.WEEK, START.date(), ZoneInfo("UTC"))
    days = [
        (day, Sums(10, 2.0, 6.0) if place == 4 else None) for place, day in enumerate(week.days)
    ]
    found = kol_mood("lena", None, (week.since, week.until), None, None, None, (), days).days
    assert [day.comments for day in found] == [0, 0, 0, 0, 10, 0, 0]
    assert [day.mood for day in found][3:5] == [None, pytest.approx(0.4)]
    assert found[4].day == START.date()


def test_the_most_troubled_come_first() -> None:
    normal = Learnt({START: 1.0}, comments=10, negative=1.0)
    calm, loud = row(Sums(1000, 100.0, 0.0), normal), row(Sums(2000, 200.0, 0.0), normal)
    worse, alarmed = row(Sums(100, 50.0, 0.0), normal), row(None, None, "warning")
    critical = row(None, None, "critical")
    ordered = sorted([calm, loud, worse, alarmed, critical], key=trouble)
    assert ordered == [critical, alarmed, worse, loud, calm]


def test_mood_of_nothing() -> None:
    assert mood_of(None) is None
