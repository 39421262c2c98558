"""How a KOL's stream was against what is usual, decided purely."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from monitoring.kinds import Severity
from serving.notify.config.period import Period
from serving.storage.digest_record import DayMood, KolMood
from serving.storage.digest_store import HOUR, Learnt, Sums

LOOK_BACK = timedelta(days=7)  # how far before a period its usual hours are looked for
_DAY = timedelta(days=1)


def mood_of(sums: Sums | None) -> float | None:
    """Mean of P(positive) - P(negative); None without comments."""
    return None if sums is None else (sums.positive - sums.negative) / sums.comments


def expected_comments(
    rates: Mapping[datetime, float], since: datetime, until: datetime
) -> float | None:
    """Comments that are usual in a stretch.

    The detector leaves a reading for minutes with comments only. An hour without any takes the
    usual of the same hour on one of the seven days before, the latest; else that of the last hour
    before it that has one.

    Args:
        rates: usual comments a minute in hours of UTC, by their first instants.
        since: first instant of the stretch.
        until: its end.

    Returns:
        None where the detector did not know enough when the stretch began.
    """
    start = _hour(since)
    known_then = [hour for hour in rates if hour <= start]
    if not known_then:
        return None
    total, before = 0.0, rates[max(known_then)]
    while start < until:
        same = (start - days * _DAY for days in range(8))
        known = next((hour for hour in same if hour in rates), None)
        rate = before if known is None else rates[known]
        if start in rates:
            before = rates[start]
        share = (min(start + HOUR, until) - max(start, since)) / HOUR
        total += rate * 60 * share
        start += HOUR
    return total


def kol_mood(
    kol_id: str,
    name: str | None,
    period: tuple[datetime, datetime],
    said: Sums | None,
    said_before: Sums | None,
    learnt: Learnt | None,
    severities: Sequence[Severity],
    days: Sequence[tuple[Period, Sums | None]],
) -> KolMood:
    """A KOL's row.

    Args:
        kol_id: whose.
        name: as its profile has it.
        period: its first instant and its end.
        said: in the period; None where nothing was.
        said_before: in the period before.
        learnt: what was usual; None where the detector did not know enough.
        severities: of the alerts that are open.
        days: what was said on each day of a week; empty for a day.
    """
    usual = learnt is not None and learnt.comments > 0
    return KolMood(
        kol_id=kol_id,
        name=name,
        comments=0 if said is None else said.comments,
        expected_comments=None if learnt is None else expected_comments(learnt.rates, *period),
        mood=mood_of(said),
        mood_before=mood_of(said_before),
        negative_share=None if said is None else said.negative / said.comments,
        expected_negative_share=learnt.negative / learnt.comments if learnt and usual else None,
        open_alerts=len(severities),
        worst_open=max(severities, key=lambda severity: severity.rank, default=None),
        days=tuple(
            DayMood(day.first, 0 if sums is None else sums.comments, mood_of(sums))
            for day, sums in days
        ),
    )


def trouble(row: KolMood) -> tuple[float, ...]:
    """What KOLs are ordered by, the most troubled first: open alerts, then negatives too many."""
    worst = -1 if row.worst_open is None else row.worst_open.rank
    excess = 0.0
    if row.negative_share is not None and row.expected_negative_share is not None:
        excess = row.comments * (row.negative_share - row.expected_negative_share)
    return -worst, -excess, -row.comments


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
