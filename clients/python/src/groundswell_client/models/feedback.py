"""How often alerts were right."""

from datetime import date, datetime

from groundswell_client.record import Record


class FeedbackRow(Record, frozen=True, kw_only=True):
    """The alerts of one KOL and kind, by what people made of them.

    Attributes:
        week: Monday of the week (UTC) in which they opened; None for the whole time.
        raised: alerts opened.
        confirmed: acknowledged or resolved by hand, and not called a false alarm.
        precision: confirmed of those confirmed or called false, 0 to 1; None while there is none.
        precision_low: lower end of its 95% interval.
        precision_high: upper end.
    """

    week: date | None
    kol_id: str
    kind: str
    raised: int
    confirmed: int
    false_alarms: int
    unjudged: int
    precision: float | None
    precision_low: float | None
    precision_high: float | None


class FeedbackInfo(Record, frozen=True, kw_only=True):
    """How often alerts were right.

    Attributes:
        totals: by KOL and kind.
        weeks: by week, KOL and kind.
    """

    since: datetime
    until: datetime
    totals: tuple[FeedbackRow, ...]
    weeks: tuple[FeedbackRow, ...]
