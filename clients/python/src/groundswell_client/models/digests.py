"""Digests: a day or a week of KOLs in figures."""

from datetime import date, datetime

from groundswell_client.record import Record


class DigestDayInfo(Record, frozen=True, kw_only=True):
    """One day of a week; the mood is -1 to 1, None without comments."""

    day: date
    comments: int
    mood: float | None


class DigestKolInfo(Record, frozen=True, kw_only=True):
    """A KOL's figures of the period; None where there were no comments, or nothing to compare with.

    Attributes:
        expected_comments: normal number of comments in such a period.
        mood: -1 to 1.
        mood_before: of the period before.
        worst_open: the highest severity of its open alerts.
        days: of a week; empty in a digest of a day.
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
    worst_open: str | None
    days: tuple[DigestDayInfo, ...]


class DigestPeakInfo(Record, frozen=True, kw_only=True):
    """The ten minutes of an incident with the most negative comments."""

    start: datetime
    comments: int
    negative: float


class DigestFiguresInfo(Record, frozen=True, kw_only=True):
    """An incident at its height, against the baseline."""

    window_start: datetime
    window_end: datetime
    comments: int
    negative_share: float
    expected_comments: float
    expected_negative_share: float


class DigestIncidentInfo(Record, frozen=True, kw_only=True):
    """An alert that was open in the period.

    Attributes:
        ended: None while it lasts.
        closed: whether somebody closed it by hand.
        waves: 1, and one more for each time it came back.
        verdict: "confirmed", "false_alarm", or None while nobody has judged it.
        top_post_text: text of the top post; None if it is not known.
        top_post_url: address of the top post; None if it is not known.
    """

    alert_id: str
    kol_id: str
    name: str | None
    kind: str
    severity: str
    began: datetime
    ended: datetime | None
    closed: bool
    waves: int
    figures: DigestFiguresInfo
    top_post: str | None
    peak: DigestPeakInfo | None
    verdict: str | None
    judged_by: str | None
    found_at: datetime | None = None
    top_post_text: str | None = None
    top_post_url: str | None = None


class DigestRecoveryInfo(Record, frozen=True, kw_only=True):
    """An incident that ended in the period."""

    alert_id: str
    kol_id: str
    name: str | None
    kind: str
    began: datetime
    ended: datetime


class DigestWithdrawnInfo(Record, frozen=True, kw_only=True):
    """An alert that no longer holds: with the comments that came late there was no incident."""

    alert_id: str
    kol_id: str
    name: str | None
    kind: str
    severity: str
    opened_at: datetime
    withdrawn_at: datetime


class DigestPrecisionInfo(Record, frozen=True, kw_only=True):
    """How often the alerts of the last weeks were right; the share is None while none is judged."""

    weeks: int
    raised: int
    confirmed: int
    false_alarms: int
    share: float | None
    low: float | None
    high: float | None


class DigestInfo(Record, frozen=True, kw_only=True):
    """A day or a week.

    Attributes:
        name: of the digest or the brand; None for neither.
        every: "day" or "week".
        timezone: whose days they are.
        over: whether the period was over when this was written.
        incidents: alerts of the kinds that page.
        notices: alerts that inform.
        found_late: incidents of before the period that late comments showed in it.
        withdrawn: alerts that late comments showed to be none.
    """

    name: str | None
    every: str
    first: date
    last: date
    timezone: str
    since: datetime
    until: datetime
    due_at: datetime | None
    written_at: datetime
    over: bool
    kols: tuple[DigestKolInfo, ...]
    incidents: tuple[DigestIncidentInfo, ...]
    notices: tuple[DigestIncidentInfo, ...]
    recoveries: tuple[DigestRecoveryInfo, ...]
    precision: DigestPrecisionInfo
    found_late: tuple[DigestIncidentInfo, ...] = ()
    withdrawn: tuple[DigestWithdrawnInfo, ...] = ()


class SentDigestInfo(Record, frozen=True, kw_only=True):
    """A digest that is on its way to its channels."""

    name: str
    every: str
    first: date
    last: date
    channels: tuple[str, ...]
