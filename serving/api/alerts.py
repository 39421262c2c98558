"""The alerts and their transitions."""

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
)
from serving.service import Running
from serving.storage.alert_store import AlertFilter
from serving.storage.database import instants

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


@router.get("/alerts/{alert_id}", responses=documented(404, 503))
async def get_alert(alert_id: str, service: Running) -> AlertDetailOut:
    """One alert with its evidence and every transition."""
    alert, events = await service.alerts.get(alert_id)
    return AlertDetailOut.model_validate(
        instants(alert) | {"events": [AlertEventOut.model_validate(instants(e)) for e in events]}
    )
