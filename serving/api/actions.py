"""What people do to alerts."""

from fastapi import APIRouter

from serving.api.alert_schemas import ActedOut, ActionIn, ActionOut, TriageStatusOut
from serving.api.problems import documented
from serving.service import Running
from serving.triage.actions import Action, ActionRequest, check

router = APIRouter(tags=["alerts"])


@router.post("/alerts/{alert_id}/actions", responses=documented(400, 404, 422, 503))
async def act_on_alert(alert_id: str, body: ActionIn, service: Running) -> ActedOut:
    """Acknowledge an alert, assign it, snooze it, close it, judge it, or take that back.

    Every act is written down with its actor and time; doing again what is done already changes
    nothing and is not written. The detector goes on by itself: its `state` is no matter of acts.
    """
    action = await carry_out(service, alert_id, body)
    alert, _ = await service.alerts.get(alert_id)
    (alert_status,) = await service.alerts.alert_statuses([alert], service.clock.now())
    return ActedOut(
        action=None if action is None else ActionOut.of(action),
        triage=TriageStatusOut.of(alert_status.triage),
        muted=alert_status.muted,
    )


async def carry_out(service: Running, alert_id: str, body: ActionIn) -> Action | None:
    """Write an act down and have done what follows from it at once.

    Returns:
        The act; None if it changes nothing and says nothing.

    Raises:
        InvalidRequest: it makes no sense.
        NotFound: there is no such alert.
    """
    now = service.clock.now()
    request = ActionRequest(body.action, body.actor, body.text, body.assignee, body.until)
    check(request, now)
    action = await service.actions.record(alert_id, request, now)
    service.unmute_notifier.wake()
    return action
