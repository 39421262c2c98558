"""GET /v1/stream: alert transitions and moods as server-sent events."""

from collections.abc import AsyncIterable, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from monitoring.engine import KolStatus
from serving.access.scope import Scope
from serving.api.alert_schemas import AlertEventOut
from serving.api.authorization import Asking, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.kol_schemas import KolStatusOut
from serving.api.problems import documented
from serving.kol_limit import KolLimit
from serving.pipeline.stream_feed import MoodChanges, SharedEvent
from serving.service import Running, Service

router = APIRouter(tags=["stream"], route_class=GuardedRoute)

_BIGGEST_ID = 2**63 - 1
_MOODS_AT_ONCE = 100


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
    none that is still stored. A mood event is sent for each KOL that changed, at most once per
    `mood_interval`.
    """
    if kol_id is not None:
        kol_id = await service.kols.unmerged(kol_id)

    def wanted(of_kol: str) -> bool:
        return kol_id in (None, of_kol) and principal.kols.allows(of_kol)

    written, feed = service.written, service.stream_feed
    seen = await service.alerts.last_event_id() if last_event_id is None else last_event_id
    step = feed.join()
    while True:
        notifications = written.notifications
        while events := await feed.events(seen):
            for event in events:
                seen = event.record.event_id
                if wanted(event.record.kol_id):
                    shown = await _shown(service, event, principal.kols)
                    yield ServerSentEvent(raw_data=shown, event="alert", id=str(seen))
        if (moods := await feed.moods(step)) is not None:
            changed = [_mood(moods, one) for one in moods.statuses if wanted(one.kol_id)]
            for first in range(0, len(changed), _MOODS_AT_ONCE):
                yield _together(changed[first : first + _MOODS_AT_ONCE])
            step = moods.until
        if written.notifications == notifications:
            await written.wait(feed.pause)


async def _shown(service: Service, event: SharedEvent, visible: KolLimit) -> str:
    """An event as JSON; one that names no posts that a reader may not see is made once."""
    if visible.is_everything and event.shown:
        return event.shown[0]
    record = event.record
    names = await service.post_names.of([(record.kol_id, record.evidence)], visible)
    shown = AlertEventOut.of(record, names).model_dump_json()
    if visible.is_everything:
        event.shown.append(shown)
    return shown


def _mood(moods: MoodChanges, status: KolStatus) -> str:
    """A status as JSON, made once for all readers."""
    shown = moods.shown.get(status.kol_id)
    if shown is None:
        shown = moods.shown[status.kol_id] = KolStatusOut.model_validate(status).model_dump_json()
    return shown


def _together(moods: Sequence[str]) -> ServerSentEvent:
    """Some mood events as one item, as each item costs each reader several turns of the event loop.

    FastAPI writes the name of an event as it is; the check that it is one line is left out here.
    """
    return ServerSentEvent.model_construct(
        event="\n\nevent: ".join(f"mood\ndata: {mood}" for mood in moods)
    )
