"""The content of a digest: figures and incidents, not yet in words.

The outbox stores it and the API returns it as JSON; `JSON` reads and writes it. Datetimes are
aware, in UTC.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from pydantic import TypeAdapter

from monitoring.kinds import AlertKind, Severity
from serving.triage.triage_status import Verdict


class DigestInterval(StrEnum):
    """How long a digest's period is."""

    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class DayMood:
    """One day of a week.

    Attributes:
        day: the date.
        comments: number of comments on that day.
        mood: mean of P(positive) - P(negative), -1 to 1; null without comments.
    """

    day: date
    comments: int
    mood: float | None


@dataclass(frozen=True, slots=True)
class KolMood:
    """The comments on a KOL in the period.

    Attributes:
        kol_id: the KOL.
        name: the KOL's name; null if its profile has none.
        comments: number of comments in the period.
        expected_comments: expected in such a period; null before enough is learnt.
        mood: mean of P(positive) - P(negative), -1 to 1; null without comments.
        mood_before: mood in the previous period.
        negative_share: mean of P(negative), 0 to 1; null without comments.
        expected_negative_share: normal for this KOL, 0 to 1; null before enough is learnt.
        open_alerts: number of alerts that are open when the digest is written.
        worst_open: their highest severity; null if none is open.
        days: the days of a week in order; empty in a daily digest.
    """

    kol_id: str
    name: str | None
    comments: int
    expected_comments: float | None
    mood: float | None
    mood_before: float | None
    negative_share: float | None
    expected_negative_share: float | None
    open_alerts: int
    worst_open: Severity | None
    days: tuple[DayMood, ...]


@dataclass(frozen=True, slots=True)
class Peak:
    """The ten minutes of an incident with the most negative comments; of praise: the most comments.

    Attributes:
        start: their start.
        comments: number of comments in them.
        negative: sum of P(negative) over the comments.
    """

    start: datetime
    comments: int
    negative: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Observed and expected figures at the height of the alert, as in its evidence.

    Attributes:
        window_start: start of the time range.
        window_end: its end.
        comments: number of comments in the range.
        negative_share: share of negative ones, 0 to 1.
        expected_comments: expected in such a time range.
        expected_negative_share: expected negative share, 0 to 1.
    """

    window_start: datetime
    window_end: datetime
    comments: int
    negative_share: float
    expected_comments: float
    expected_negative_share: float


@dataclass(frozen=True, slots=True)
class Incident:
    """An alert that was open in the period.

    Attributes:
        alert_id: the alert.
        kol_id: the KOL.
        name: the KOL's name; null if its profile has none.
        kind: kind of the alert.
        severity: the highest severity reached.
        began: estimated start.
        ended: end; null while the alert is open.
        closed: whether a person closed the alert.
        waves: 1, plus the number of times the alert was reopened.
        figures: observed and expected figures at its height.
        top_post: the post that contributed most; null if unknown.
        peak: null if there were no comments, as in a data gap.
        verdict: "confirmed", "false_alarm", or null while nobody has reviewed the alert.
        judged_by: the person who reviewed it; null if nobody did.
        found_at: when comments that came late showed it; null if it was raised as it happened.
        top_post_text: text of that post; null if it is not known.
        top_post_url: address of that post; null if it is not known.
    """

    alert_id: str
    kol_id: str
    name: str | None
    kind: AlertKind
    severity: Severity
    began: datetime
    ended: datetime | None
    closed: bool
    waves: int
    figures: Figures
    top_post: str | None
    peak: Peak | None
    verdict: Verdict | None
    judged_by: str | None
    found_at: datetime | None = None
    top_post_text: str | None = None
    top_post_url: str | None = None

    @property
    def lasts(self) -> bool:
        """Whether the incident still needs attention."""
        return self.ended is None and not self.closed


@dataclass(frozen=True, slots=True)
class IncidentRecovery:
    """An incident that ended in the period.

    Attributes:
        alert_id: the alert.
        kol_id: the KOL.
        name: the KOL's name; null if its profile has none.
        kind: kind of the alert.
        began: estimated start; for a second wave, the time of detection.
        ended: when the comments were back to normal.
    """

    alert_id: str
    kol_id: str
    name: str | None
    kind: AlertKind
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class WithdrawnAlert:
    """An alert that no longer holds: with the comments that came late there was no incident.

    Attributes:
        alert_id: the alert.
        kol_id: the KOL.
        name: the KOL's name; null if its profile has none.
        kind: kind of the alert.
        severity: its last severity.
        opened_at: when it had been opened.
        withdrawn_at: when it was withdrawn.
    """

    alert_id: str
    kol_id: str
    name: str | None
    kind: AlertKind
    severity: Severity
    opened_at: datetime
    withdrawn_at: datetime


@dataclass(frozen=True, slots=True)
class Precision:
    """How often alerts were right in recent weeks, as reviewed by people.

    Attributes:
        weeks: number of weeks up to the end of the period.
        raised: alerts opened in these weeks.
        confirmed: acknowledged or closed by a person, and not marked as a false alarm.
        false_alarms: marked as a false alarm.
        share: confirmed / (confirmed + false_alarms); null if both are 0.
        low: lower bound of its 95% interval (Wilson).
        high: upper bound.
    """

    weeks: int
    raised: int
    confirmed: int
    false_alarms: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Digest:
    """A day or a week of some KOLs.

    Attributes:
        name: name of the digest or the brand; null if it has neither.
        every: length of the period.
        first: first day of the period.
        last: last day of the period.
        timezone: time zone of the days.
        since: start of the period.
        until: end of the period; `written_at` if the period is not over.
        due_at: time at which it was due; null if it is not sent regularly.
        written_at: time of writing; alerts are shown in their state at that time.
        over: whether the period was over at that time.
        kols: all KOLs, those with the most serious alerts first.
        incidents: alerts of kinds that page, the most severe first.
        notices: alerts of kinds that only inform, such as praise surges and data gaps.
        recoveries: incidents that ended in the period, in order of their ends.
        precision: precision of the alerts on these KOLs.
        found_late: incidents of before the period that were found, or found to be worse, since the
            digest before, the most severe first.
        withdrawn: alerts that were withdrawn since the digest before, in that order.
    """

    name: str | None
    every: DigestInterval
    first: date
    last: date
    timezone: str
    since: datetime
    until: datetime
    due_at: datetime | None
    written_at: datetime
    over: bool
    kols: tuple[KolMood, ...]
    incidents: tuple[Incident, ...]
    notices: tuple[Incident, ...]
    recoveries: tuple[IncidentRecovery, ...]
    precision: Precision
    found_late: tuple[Incident, ...] = ()
    withdrawn: tuple[WithdrawnAlert, ...] = ()


JSON: TypeAdapter[Digest] = TypeAdapter(Digest)
