"""How often alerts were right, by what people made of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sqrt
from operator import itemgetter
from statistics import NormalDist

from serving.triage.triage_status import Verdict

_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Judged:
    """An alert and what people made of it.

    Attributes:
        kol_id: whose stream.
        kind: the alert's kind.
        opened_at: event time, aware.
        verdict: None while nobody has judged it.
    """

    kol_id: str
    kind: str
    opened_at: datetime
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Tally:
    """Alerts of a KOL and kind, counted by verdict.

    Attributes:
        week: Monday 00:00 UTC of the week in which they opened; None for the whole time.
        kol_id: whose.
        kind: of which kind.
        raised: alerts opened.
        confirmed: acknowledged or resolved by hand, and not called a false alarm.
        false_alarms: called so.
    """

    week: datetime | None
    kol_id: str
    kind: str
    raised: int
    confirmed: int
    false_alarms: int

    @property
    def unjudged(self) -> int:
        """Alerts that nobody acknowledged, resolved or called false."""
        return self.raised - self.confirmed - self.false_alarms

    @property
    def precision(self) -> float | None:
        """Confirmed of those judged; None while none is."""
        judged = self.confirmed + self.false_alarms
        return self.confirmed / judged if judged else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the precision lies with 95% confidence; None while none is judged."""
        judged = self.confirmed + self.false_alarms
        return wilson(self.confirmed, judged) if judged else None


def tallies(judged: Iterable[Judged], *, weekly: bool) -> list[Tally]:
    """Count alerts by KOL and kind: in each week, or over the whole time; oldest week first."""
    groups: defaultdict[tuple[str, str, str], Counter[Verdict | None]] = defaultdict(Counter)
    for alert in judged:
        week = week_of(alert.opened_at).isoformat() if weekly else ""
        groups[week, alert.kol_id, alert.kind][alert.verdict] += 1
    return [
        Tally(
            week=datetime.fromisoformat(week) if week else None,
            kol_id=kol_id,
            kind=kind,
            raised=counts.total(),
            confirmed=counts[Verdict.CONFIRMED],
            false_alarms=counts[Verdict.FALSE_ALARM],
        )
        for (week, kol_id, kind), counts in sorted(groups.items(), key=itemgetter(0))
    ]


def week_of(instant: datetime) -> datetime:
    """Monday 00:00 UTC of an instant's week."""
    day = instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """The 95% score interval of a share (Wilson 1927); it behaves for few trials too.

    Args:
        successes: at most `trials`.
        trials: at least 1.
    """
    share, weight = successes / trials, _Z**2 / trials
    middle = (share + weight / 2) / (1 + weight)
    half = _Z / (1 + weight) * sqrt(share * (1 - share) / trials + weight / (4 * trials))
    return max(middle - half, 0.0), min(middle + half, 1.0)
