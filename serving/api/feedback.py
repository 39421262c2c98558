"""How often alerts were right, by what people made of them."""

from datetime import date, datetime, timedelta

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from serving.api.problems import documented
from serving.api.spans import Since, Until, span
from serving.service import Running
from serving.storage.action_store import FeedbackFilter
from serving.triage.feedback import Tally, tallies

router = APIRouter(tags=["alerts"])
_WEEKS = timedelta(weeks=12)


class TallyOut(BaseModel):
    """Alerts of a KOL and kind, by what people made of them."""

    week: date | None = Field(
        description="Monday of the week (UTC) in which they opened; null for the whole time."
    )
    kol_id: str
    kind: str
    raised: int = Field(description="Alerts opened.")
    confirmed: int = Field(
        description="Acknowledged or resolved by hand, and not called a false alarm."
    )
    false_alarms: int
    unjudged: int
    precision: float | None = Field(
        description="Confirmed of those confirmed or called false; null while there is none."
    )
    precision_low: float | None = Field(description="Lower end of its 95% interval (Wilson).")
    precision_high: float | None


class FeedbackOut(BaseModel):
    """How often alerts were right."""

    since: AwareDatetime
    until: AwareDatetime
    totals: list[TallyOut] = Field(description="By KOL and kind.")
    weeks: list[TallyOut] = Field(
        description="By week, KOL and kind; those without alerts are left out."
    )


@router.get("/feedback", responses=documented(422, 503))
async def get_feedback(
    service: Running,
    since: Since = None,
    until: Until = None,
    kol_id: str | None = None,
    kind: str | None = None,
) -> FeedbackOut:
    """Precision by KOL, kind and week, of the alerts that opened in the last 12 weeks unless told
    otherwise.
    """
    now = service.clock.now()
    since, until = span(since, until, now, default=_WEEKS)
    judged = await service.actions.judged(FeedbackFilter(since, until, kol_id, kind), now)
    return FeedbackOut(
        since=since,
        until=until,
        totals=[_tally(tally) for tally in tallies(judged, weekly=False)],
        weeks=[_tally(tally) for tally in tallies(judged, weekly=True)],
    )


def _tally(tally: Tally) -> TallyOut:
    low, high = tally.interval or (None, None)
    return TallyOut(
        week=tally.week and datetime.date(tally.week),
        kol_id=tally.kol_id,
        kind=tally.kind,
        raised=tally.raised,
        confirmed=tally.confirmed,
        false_alarms=tally.false_alarms,
        unjudged=tally.unjudged,
        precision=tally.precision,
        precision_low=low,
        precision_high=high,
    )
