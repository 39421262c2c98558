"""GET /v1/alerts: alerts, their transitions and their traces."""

from typing import Annotated

from fastapi import APIRouter, Query

from monitoring.kinds import AlertState, Severity
from serving.access.scope import Scope
from serving.api.alert_schemas import (
    ActionOut,
    AlertDetailOut,
    AlertEventOut,
    AlertList,
    AlertOut,
    TraceOut,
)
from serving.api.authorization import Asking, requires
from serving.api.aware_time import AwareTime
from serving.api.guarded_route import GuardedRoute
from serving.api.paging import Cursor, Limit, decode_instant_cursor, encode_instant_cursor
from serving.api.problems import documented
from serving.insights.trace import LONGEST_LEAD, trace_of
from serving.service import Running
from serving.storage.alert_history import raised
from serving.storage.alert_record import AlertRecord
from serving.storage.alert_store import AlertFilter
from serving.triage.muting import AlertStatus

router = APIRouter(tags=["alerts"], route_class=GuardedRoute)
_AT_ONCE = 250  # alerts read at once when the filter cannot be applied by the database


@router.get("/alerts", responses=documented(422, 503), dependencies=[requires(Scope.READ)])
async def list_alerts(
    service: Running,
    principal: Asking,
    kol_id: str | None = None,
    state: AlertState | None = None,
    severity: Severity | None = None,
    since: Annotated[
        AwareTime | None, Query(description="Only alerts opened at or after this event time.")
    ] = None,
    acknowledged: Annotated[
        bool | None, Query(description="Only alerts that are (not) acknowledged.")
    ] = None,
    assignee: Annotated[
        str | None, Query(description="Only alerts assigned to this person.")
    ] = None,
    muted: Annotated[bool | None, Query(description="Only alerts that are (not) muted.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AlertList:
    """List alerts, the last opened first."""
    now = service.clock.now()
    touched = bool(acknowledged) or assignee is not None
    if kol_id is not None:
        kol_id = await service.kols.unmerged(kol_id)
    wanted = AlertFilter(kol_id, state, severity, since, touched, principal.kols)
    before = decode_instant_cursor(cursor, str) if cursor else None
    narrowed = any(asked is not None for asked in (acknowledged, assignee, muted))
    at_once = _AT_ONCE if narrowed else limit + 1
    found: list[tuple[AlertRecord, AlertStatus]] = []
    while len(found) <= limit:
        rows = await service.alerts.page(wanted, before=before, limit=at_once)
        found += [
            (row, alert_status)
            for row, alert_status in zip(
                rows, await service.alerts.alert_statuses(rows, now), strict=True
            )
            if acknowledged in (None, alert_status.triage.acknowledged is not None)
            and muted in (None, alert_status.muted is not None)
            and assignee
            in (
                None,
                alert_status.triage.assigned and alert_status.triage.assigned.request.assignee,
            )
        ]
        if len(rows) < at_once:
            break
        before = rows[-1].opened_at, rows[-1].alert_id
    last = found[limit - 1][0] if len(found) > limit else None
    shown = found[:limit]
    evidence = ((row.kol_id, row.evidence) for row, _ in shown)
    names = await service.post_names.of(evidence, principal.kols)
    return AlertList(
        items=[AlertOut.of(row, alert_status, names) for row, alert_status in shown],
        next_cursor=encode_instant_cursor(last.opened_at, last.alert_id) if last else None,
    )


@router.get(
    "/alerts/{alert_id}", responses=documented(404, 422, 503), dependencies=[requires(Scope.READ)]
)
async def get_alert(
    alert_id: str,
    service: Running,
    principal: Asking,
    points: Annotated[
        int,
        Query(
            ge=100,
            le=5000,
            description="Maximum number of points of the trace. With 5000, a three-day incident "
            "has one point per minute.",
        ),
    ] = 240,
) -> AlertDetailOut:
    """Get an alert with its evidence, transitions, actions, and the scores over time."""
    alert, events = await service.alerts.get(alert_id, principal.kols)
    (alert_status,) = await service.alerts.alert_statuses([alert], service.clock.now())
    opened = events[0].evidence
    begun, ended = opened.incident_start, alert.resolved_at
    if alert.state is AlertState.REVISED:
        ended = raised(events)[-1].at
    minute_scores = await service.alerts.minute_scores(alert.kol_id, begun - LONGEST_LEAD, ended)
    trace = trace_of(
        minute_scores,
        begun=begun,
        ended=ended,
        detectors={score.name for score in opened.scores},
        most=points,
    )
    evidence = [(alert.kol_id, one) for one in (alert.evidence, *(e.evidence for e in events))]
    names = await service.post_names.of(evidence, principal.kols)
    return AlertDetailOut.of(
        alert,
        alert_status,
        names,
        events=[AlertEventOut.of(event, names) for event in events],
        actions=[ActionOut.of(action) for action in await service.actions.of(alert_id)],
        trace=TraceOut.model_validate(trace),
    )
