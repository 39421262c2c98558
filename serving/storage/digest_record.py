"""What a digest holds: figures and incidents, in no language yet.

The records are kept in the outbox and answered by the API as JSON; `JSON` reads and writes it.
Instants are aware, in UTC.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pydantic import TypeAdapter

from monitoring.kinds import AlertKind, Severity
from serving.triage.triage_status import Verdict

Every = Literal["day", "week"]


@dataclass(frozen=True, slots=True)
class DayMood:
    """One day of a week.

    Attributes:
        day: which.
        comments: written in it.
        mood: mean of P(positive) - P(negative), -1 to 1; null without comments.
    """

    day: date
    comments: int
    mood: float | None


@dataclass(frozen=True, slots=True)
class KolMood:
    """How a KOL's stream was.

    Attributes:
        kol_id: whose.
        name: the KOL's name; null where its profile has none.
        comments: written in the period.
        usual_comments: usual in such a period, as the detector expected; null before it knew.
        mood: mean of P(positive) - P(negative), -1 to 1; null without comments.
        mood_before: the same of the period before.
        negative_share: mean of P(negative), 0 to 1; null without comments.
        usual_negative_share: usual for this KOL, 0 to 1; null before the detector knew.
        open_alerts: alerts that are open when the digest is written, and not closed by hand.
        worst_open: the highest severity among them; null where there is none.
        days: the days of a week, in order; empty in a digest of a day.
    """

    kol_id: str
    name: str | None
    comments: int
    usual_comments: float | None
    mood: float | None
    mood_before: float | None
    negative_share: float | None
    usual_negative_share: float | None
    open_alerts: int
    worst_open: Severity | None
    days: tuple[DayMood, ...]


@dataclass(frozen=True, slots=True)
class Peak:
    """The ten minutes of an incident with most negative comments; of praise, with most comments.

    Attributes:
        start: their first instant.
        comments: written in them.
        negative: sum of P(negative) over them.
    """

    start: datetime
    comments: int
    negative: float


@dataclass(frozen=True, slots=True)
class Figures:
    """The observed against the usual at the alert's height, as in its evidence.

    Attributes:
        window_start: first instant of the stretch.
        window_end: its end.
        comments: in the stretch.
        negative_share: of them, 0 to 1.
        expected_comments: usual in such a stretch.
        expected_negative_share: usual, 0 to 1.
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
        alert_id: which.
        kol_id: whose.
        name: the KOL's name; null where its profile has none.
        kind: of alert.
        severity: the highest reached.
        began: estimate of when it began.
        ended: when it was over; null while it lasts.
        closed: whether somebody closed it by hand, be it over or not.
        waves: 1, and one more for each time it came back.
        figures: against the usual, at its height.
        top_post: the post that drove it most; null where none is known.
        peak: null where nothing was said, as in a gap.
        verdict: "confirmed", "false_alarm", or null while nobody has judged it.
        judged_by: who did; null as `verdict`.
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

    @property
    def lasts(self) -> bool:
        """Whether it is still to be looked after."""
        return self.ended is None and not self.closed


@dataclass(frozen=True, slots=True)
class Recovery:
    """An incident that came to its end in the period.

    Attributes:
        alert_id: which.
        kol_id: whose.
        name: the KOL's name; null where its profile has none.
        kind: of alert.
        began: estimate of when it began; of a second wave, when it was noticed.
        ended: when the comments were back at the usual.
    """

    alert_id: str
    kol_id: str
    name: str | None
    kind: AlertKind
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Precision:
    """How often alerts were right lately, by what people made of them.

    Attributes:
        weeks: how many, up to the end of the period.
        raised: alerts opened in them.
        confirmed: of these, acknowledged or resolved by hand, and not called a false alarm.
        false_alarms: called so.
        share: confirmed of those judged, 0 to 1; null while none is.
        low: lower end of its 95% interval (Wilson).
        high: upper end.
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
    """What befell some KOLs in a day or a week.

    Attributes:
        name: of the digest or the brand; null where it is neither's.
        every: "day" or "week".
        first: its first day.
        last: its last day.
        timezone: whose days they are.
        since: its first instant.
        until: its end; where it is not over yet, when this was written.
        due_at: when it was to be sent; null where it is not a regular one.
        written_at: when this was written; alerts are as they stood then.
        over: whether the period was over then.
        kols: every KOL, those with the most trouble first.
        incidents: alerts of kinds that page, the most severe first.
        notices: alerts that inform: praise surges and data gaps.
        recoveries: incidents that ended in the period, in order of their ends.
        precision: of the alerts on these KOLs.
    """

    name: str | None
    every: Every
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
    recoveries: tuple[Recovery, ...]
    precision: Precision


JSON: TypeAdapter[Digest] = TypeAdapter(Digest)
