"""The mood of a KOL in a period, compared with what is normal. Pure functions."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from monitoring.kinds import Severity
from serving.notify.config.period import Period
from serving.storage.digest_record import DayMood, KolMood
from serving.storage.digest_store import HOUR, Learnt, Sums

LOOK_BACK = timedelta(days=7)  # how far before a period normal hours are looked for
_DAY = timedelta(days=1)


def mood_of(sums: Sums | None) -> float | None:
    """Mean of P(positive) - P(negative); None without comments."""
    return None if sums is None else (sums.positive - sums.negative) / sums.comments


def expected_comments(
    rates: Mapping[datetime, float], since: datetime, until: datetime
) -> float | None:
    """The expected number of comments in a time range.

    The detector stores a score only for minutes with comments. An hour without a score takes the
    expected rate of the same hour on one of the seven days before, the latest; else the rate of the
    last hour before it that has one.

    Args:
        rates: expected comments per minute of hours in UTC, by their start.
        since: start of the range.
        until: its end.

    Returns:
        None if the detector had not learnt enough at the start of the range.
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
        kol_id: the KOL.
        name: its name in the profile.
        period: start and end.
        said: sums of the period; None without comments.
        said_before: sums of the previous period.
        learnt: what was normal; None if the detector had not learnt enough.
        severities: severities of the open alerts.
        days: sums of each day of a week; empty for a daily digest.
    """
    known = learnt is not None and learnt.comments > 0
    return KolMood(
        kol_id=kol_id,
        name=name,
        comments=0 if said is None else said.comments,
        expected_comments=None if learnt is None else expected_comments(learnt.rates, *period),
        mood=mood_of(said),
        mood_before=mood_of(said_before),
        negative_share=None if said is None else said.negative / said.comments,
        expected_negative_share=learnt.negative / learnt.comments if learnt and known else None,
        open_alerts=len(severities),
        worst_open=max(severities, key=lambda severity: severity.rank, default=None),
        days=tuple(
            DayMood(day.first, 0 if sums is None else sums.comments, mood_of(sums))
            for day, sums in days
        ),
    )


def trouble(row: KolMood) -> tuple[float, ...]:
    """Sort key of KOLs, the most serious first: open alerts, then excess negative comments."""
    worst = -1 if row.worst_open is None else row.worst_open.rank
    excess = 0.0
    if row.negative_share is not None and row.expected_negative_share is not None:
        excess = row.comments * (row.negative_share - row.expected_negative_share)
    return -worst, -excess, -row.comments


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
