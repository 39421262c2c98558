"""GET /v1/feedback: how often alerts were right, as judged by people."""

from datetime import date, datetime, timedelta

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from serving.access.scope import Scope
from serving.api.authorization import Asking, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.problems import documented
from serving.api.spans import Since, Until, span
from serving.service import Running
from serving.storage.action_store import FeedbackFilter
from serving.triage.feedback import Tally, tallies

router = APIRouter(tags=["alerts"], route_class=GuardedRoute)
_WEEKS = timedelta(weeks=12)


class TallyOut(BaseModel):
    """Number of alerts of a KOL and kind, by what people decided about them."""

    week: date | None = Field(
        description="Monday of the week (UTC) in which they were opened; null for the whole period."
    )
    kol_id: str
    kind: str
    raised: int = Field(description="Number of alerts opened.")
    confirmed: int = Field(
        description="Acknowledged or closed by a person, and not marked as a false alarm."
    )
    false_alarms: int
    unjudged: int
    precision: float | None = Field(
        description="confirmed / (confirmed + false_alarms); null if both are 0."
    )
    precision_low: float | None = Field(description="Lower bound of its 95% interval (Wilson).")
    precision_high: float | None


class FeedbackOut(BaseModel):
    """How often alerts were right."""

    since: AwareDatetime
    until: AwareDatetime
    totals: list[TallyOut] = Field(description="By KOL and kind.")
    weeks: list[TallyOut] = Field(
        description="By week, KOL and kind; weeks without alerts are left out."
    )


@router.get("/feedback", responses=documented(422, 503), dependencies=[requires(Scope.READ)])
async def get_feedback(
    service: Running,
    principal: Asking,
    since: Since = None,
    until: Until = None,
    kol_id: str | None = None,
    kind: str | None = None,
) -> FeedbackOut:
    """Get the precision of alerts by KOL, kind and week; default: the last 12 weeks."""
    now = service.clock.now()
    since, until = span(since, until, now, default=_WEEKS)
    if kol_id is not None:
        kol_id = await service.kols.unmerged(kol_id)
    wanted = FeedbackFilter(since, until, kol_id, kind, principal.kols)
    judged = await service.actions.judged(wanted, now)
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
