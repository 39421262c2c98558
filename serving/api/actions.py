"""What people do to alerts."""

from fastapi import APIRouter

from serving.access.audit_log import AuditNote
from serving.access.principal import Principal
from serving.access.scope import Scope
from serving.api.alert_schemas import ActedOut, ActionIn, ActionOut, TriageStatusOut
from serving.api.authorization import Asking, Audited, Repeats, noted_actor, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.problems import documented
from serving.service import Running
from serving.triage.actions import Action, ActionRequest, check

router = APIRouter(tags=["alerts"], route_class=GuardedRoute)


@router.post(
    "/alerts/{alert_id}/actions",
    responses=documented(400, 404, 422, 503),
    dependencies=[requires(Scope.ACT, repeats=Repeats("GET the alert, which lists its actions"))],
)
async def apply_action(
    alert_id: str, body: ActionIn, service: Running, principal: Asking, note: Audited
) -> ActedOut:
    """Acknowledge an alert, assign it, snooze it, close it, judge it, or undo one of these.

    Every action is recorded with its actor and time. An action that changes nothing is not
    recorded. Actions do not influence the detector: the alert's `state` is the detector's alone.
    """
    action = await carry_out(service, alert_id, body, principal, note)
    alert, _ = await service.alerts.get(alert_id, principal.kols)
    (alert_status,) = await service.alerts.alert_statuses([alert], service.clock.now())
    return ActedOut(
        action=None if action is None else ActionOut.of(action),
        triage=TriageStatusOut.of(alert_status.triage),
        muted=alert_status.muted,
    )


async def carry_out(
    service: Running, alert_id: str, body: ActionIn, principal: Principal, note: AuditNote
) -> Action | None:
    """Record an action and apply its consequences at once.

    Returns:
        The action; None if it changes nothing and has no text.

    Raises:
        InvalidRequest: the fields contradict each other or do not fit the action.
        NotFound: there is no such alert.
    """
    now = service.clock.now()
    actor = noted_actor(principal, body.actor, note)
    note.detail["action"] = body.action
    request = ActionRequest(body.action, actor, body.text, body.assignee, body.until)
    check(request, now)
    alert, _ = await service.alerts.get(alert_id, principal.kols)
    action = await service.actions.record(alert_id, request, now)
    note.kols.add(alert.kol_id)
    service.unmute_notifier.wake()
    return action
