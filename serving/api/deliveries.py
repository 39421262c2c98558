"""GET /v1/deliveries: notifications sent, waiting and given up. A delivery can be sent again."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from serving.access.scope import Scope
from serving.api.authorization import Asking, Repeats, requires
from serving.api.guarded_route import GuardedRoute
from serving.api.paging import Cursor, Limit, decode_cursor, encode_cursor
from serving.api.problems import documented
from serving.api.schemas import DeliveryList, DeliveryOut
from serving.delivery_state import DeliveryState
from serving.errors import InvalidRequest
from serving.service import Running
from serving.storage.delivery_store import DeliveryFilter

router = APIRouter(tags=["deliveries"], route_class=GuardedRoute)
DeliveryId = Annotated[int, Path(ge=1, lt=2**63)]


@router.get("/deliveries", responses=documented(422, 503), dependencies=[requires(Scope.READ)])
async def list_deliveries(
    service: Running,
    principal: Asking,
    channel: str | None = None,
    state: DeliveryState | None = None,
    alert_id: Annotated[str | None, Query(description="Only deliveries of this alert.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> DeliveryList:
    """List deliveries, the last recorded first."""
    before = decode_cursor(cursor, int) if cursor else None
    found = await service.deliveries.page(
        DeliveryFilter(channel, state, alert_id, principal.kols),
        before=int(before[0]) if before else None,
        limit=limit + 1,
    )
    more = len(found) > limit
    return DeliveryList(
        items=[DeliveryOut.of(delivery) for delivery in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].delivery_id) if more else None,
    )


@router.post(
    "/deliveries/{delivery_id}/resend",
    responses=documented(404, 422, 503),
    dependencies=[
        requires(Scope.ACT, repeats=Repeats("GET /v1/deliveries says what became of it"))
    ],
)
async def resend_delivery(
    delivery_id: DeliveryId, service: Running, principal: Asking
) -> DeliveryOut:
    """Send a delivery again, in whatever state it is. It keeps its key, so the receiver can
    recognize the repetition.
    """
    channel = (await service.deliveries.get(delivery_id, principal.kols)).channel
    if channel not in service.dispatcher.channels:
        raise InvalidRequest(
            "unknown_channel",
            f"channel {channel!r} is not configured; add it to the channels file and restart",
        )
    delivery = await service.deliveries.resend(delivery_id, service.clock.now())
    service.dispatcher.wake(channel)
    return DeliveryOut.of(delivery)
