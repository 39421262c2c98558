"""The alerts, their transitions and what led to them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from serving.api.paging import Cursor, Limit, decode_cursor, encode_cursor
from serving.api.problems import documented
from serving.api.schemas import (
    AlertDetailOut,
    AlertEventOut,
    AlertOut,
    AlertPage,
    AlertState,
    Severity,
    TraceOut,
)
from serving.service import Running
from serving.storage.alert_store import AlertFilter
from serving.storage.database import from_micros, instants
from serving.trace import LONGEST_LEAD, trace_of

router = APIRouter(tags=["alerts"])


@router.get("/alerts", responses=documented(422, 503))
async def list_alerts(
    service: Running,
    kol_id: str | None = None,
    state: AlertState | None = None,
    severity: Severity | None = None,
    since: Annotated[
        AwareDatetime | None, Query(description="Opened at or after, event time.")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AlertPage:
    """Alerts, last opened first."""
    before = decode_cursor(cursor, int, str) if cursor else None
    rows = await service.alerts.page(
        AlertFilter(kol_id, state, severity, since),
        before=(int(before[0]), str(before[1])) if before else None,
        limit=limit + 1,
    )
    last = rows[limit - 1] if len(rows) > limit else None
    return AlertPage(
        items=[AlertOut.model_validate(instants(row)) for row in rows[:limit]],
        next_cursor=encode_cursor(last["opened_at"], last["alert_id"]) if last else None,
    )


@router.get("/alerts/{alert_id}", responses=documented(404, 422, 503))
async def get_alert(
    alert_id: str,
    service: Running,
    points: Annotated[
        int,
        Query(
            ge=100,
            le=5000,
            description="At most so many points of the trace; 5000 show a three-day incident by "
            "the minute.",
        ),
    ] = 240,
) -> AlertDetailOut:
    """One alert with its evidence, every transition, and what the detectors read on the way."""
    alert, events = await service.alerts.get(alert_id)
    begun = datetime.fromisoformat(events[0]["evidence"]["incident_start"])
    ended = alert["resolved_at"] and from_micros(alert["resolved_at"])
    readings = await service.alerts.readings(alert["kol_id"], begun - LONGEST_LEAD, ended)
    trace = trace_of(
        readings,
        begun=begun,
        ended=ended,
        detectors={score["name"] for score in events[0]["evidence"]["scores"]},
        most=points,
    )
    return AlertDetailOut.model_validate(
        instants(alert)
        | {
            "events": [AlertEventOut.model_validate(instants(event)) for event in events],
            "trace": TraceOut.model_validate(trace),
        }
    )
