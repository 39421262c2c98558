"""What people do to alerts."""

from fastapi import APIRouter

from serving.api.alert_schemas import ActedOut, ActIn, ActOut, WorkOut
from serving.api.problems import documented
from serving.service import Running
from serving.triage.acts import Act, Deed, check

router = APIRouter(tags=["alerts"])


@router.post("/alerts/{alert_id}/acts", responses=documented(400, 404, 422, 503))
async def act_on_alert(alert_id: str, body: ActIn, service: Running) -> ActedOut:
    """Acknowledge an alert, assign it, snooze it, close it, judge it, or take that back.

    Every act is written down with its actor and time; doing again what is done already changes
    nothing and is not written. The detector goes on by itself: its `state` is no matter of acts.
    """
    act = await carry_out(service, alert_id, body)
    alert, _ = await service.alerts.get(alert_id)
    (standing,) = await service.alerts.standings([alert], service.clock.now())
    return ActedOut(
        act=None if act is None else ActOut.of(act),
        work=WorkOut.of(standing.work),
        muted=standing.muted,
    )


async def carry_out(service: Running, alert_id: str, body: ActIn) -> Act | None:
    """Write an act down and have done what follows from it at once.

    Returns:
        The act; None if it changes nothing and says nothing.

    Raises:
        InvalidRequest: it makes no sense.
        NotFound: there is no such alert.
    """
    now = service.clock.now()
    deed = Deed(body.act, body.actor, body.text, body.assignee, body.until)
    check(deed, now)
    act = await service.acts.record(alert_id, deed, now)
    service.unmuting.wake()
    return act
