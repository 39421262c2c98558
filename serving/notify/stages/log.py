"""Stage 5 of sending: what became of each delivery, written down and counted."""

from collections.abc import Sequence

import structlog

from serving.delivery_state import DeliveryState
from serving.metrics import POSTPONED
from serving.notify.lane import Lane
from serving.notify.stages.message import Message
from serving.storage.delivery_record import Delivery

_log = structlog.get_logger(__name__)


async def log(lane: Lane, message: Message) -> Message:
    """Write the outcome to the store, the metrics and the log.

    Raises:
        StoreError: the database failed; what was sent may be sent again.
    """
    for one in message.suppressed:
        await lane.store.suppress(one.delivery.delivery_id, message.now, one.why)
        lane.metrics.deliveries.labels(lane.name, DeliveryState.SKIPPED).inc()
    result = message.retry
    if result is None or message.attempt is None:
        return message
    await _close(lane, message, result.delivered, DeliveryState.DELIVERED)
    await _close(lane, message, result.dead, DeliveryState.DEAD)
    if result.lane_ready_at is not None:
        lane.ready_at = max(lane.ready_at, result.lane_ready_at)
    if result.due_at is not None:
        if result.postponed:
            ids = [one.delivery_id for one in result.postponed]
            await lane.store.postpone(ids, result.due_at, result.error)
            lane.metrics.deliveries.labels(lane.name, POSTPONED).inc(len(ids))
        _log.warning(
            "delivery_failed",
            channel=lane.name,
            key=message.deliveries[0].key,
            error=result.error,
            retry_in=str(result.due_at - message.attempt.at),
        )
    return message


async def _close(
    lane: Lane, message: Message, deliveries: Sequence[Delivery], state: DeliveryState
) -> None:
    """Close what was delivered or given up."""
    assert message.attempt is not None
    assert message.retry is not None
    if not deliveries:
        return
    error = message.retry.error if state is DeliveryState.DEAD else None
    if error is not None:
        _log.error("delivery_given_up", channel=lane.name, key=deliveries[0].key, error=error)
    ids = [one.delivery_id for one in deliveries]
    await lane.store.finish(ids, state, lane.clock.now(), error)
    lane.metrics.deliveries.labels(lane.name, state).inc(len(ids))
