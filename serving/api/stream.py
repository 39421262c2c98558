"""GET /v1/stream: alert transitions and moods as server-sent events."""

import asyncio
from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from serving.access.scope import Scope
from serving.api.alert_schemas import AlertEventOut
from serving.api.authorization import Asking, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.kol_schemas import KolStatusOut
from serving.api.problems import documented
from serving.service import Running

router = APIRouter(tags=["stream"], route_class=GuardedRoute)

_EVENTS_AT_ONCE = 100
_LONGEST_WAIT = 60.0
_BIGGEST_ID = 2**63 - 1


@router.get(
    "/stream",
    response_class=EventSourceResponse,
    responses=documented(422, 503),
    dependencies=[requires(Scope.READ)],
)
async def stream(
    service: Running,
    principal: Asking,
    kol_id: Annotated[str | None, Query(description="Only events of this KOL.")] = None,
    last_event_id: Annotated[
        int | None,
        Header(
            ge=0,
            le=_BIGGEST_ID,
            description="Id of the last event that you have; the stream continues after it.",
        ),
    ] = None,
) -> AsyncIterable[ServerSentEvent]:
    """Stream alert transitions (`event: alert`) and moods (`event: mood`) as they are written.

    The id of an alert event is its `event_id`: a client that reconnects with `Last-Event-ID` misses
    none. A mood event is sent for each KOL that changed, at most once per `mood_interval`.
    """
    if kol_id is not None:
        kol_id = await service.kols.unmerged(kol_id)

    def wanted(of_kol: str) -> bool:
        return kol_id in (None, of_kol) and principal.kols.allows(of_kol)

    written, now = service.written, asyncio.get_running_loop().time
    seen = await service.alerts.last_event_id() if last_event_id is None else last_event_id
    step, mood_due = service.pipeline.progress.step, 0.0
    while True:
        notifications = written.notifications
        while events := await service.alerts.events_after(seen, limit=_EVENTS_AT_ONCE):
            shown = [one for one in events if wanted(one.kol_id)]
            names = await service.post_names.of(
                ((one.kol_id, one.evidence) for one in shown), principal.kols
            )
            for event in shown:
                body = AlertEventOut.of(event, names)
                yield ServerSentEvent(data=body, event="alert", id=str(event.event_id))
            seen = events[-1].event_id
        latest = service.pipeline.progress.step
        if latest != step and now() >= mood_due:
            for status in await service.steps.statuses_after(step):
                if wanted(status.kol_id):
                    yield ServerSentEvent(data=KolStatusOut.model_validate(status), event="mood")
            step, mood_due = latest, now() + service.settings.mood_interval
        if written.notifications == notifications:
            await written.wait(_LONGEST_WAIT if latest == step else max(mood_due - now(), 0.01))
