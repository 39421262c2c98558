"""Stage 1 of sending: the deliveries that go as one message."""

from dataclasses import replace
from datetime import datetime

from serving.notify.lane import Lane
from serving.notify.stages.message import Message
from serving.storage.delivery_record import Delivery


async def group(lane: Lane, message: Message) -> Message:
    """Keep what is due and goes together: deliveries tried together stay together.

    Otherwise a message that the receiver took, but answered too late, would come again as part
    of another one, under another id, and nobody could see that it had come before. A digest goes
    alone. A later delivery of an alert never overtakes an earlier one.
    """
    chosen, passed_over = list[Delivery](), set[str]()
    for delivery in message.deliveries:
        alert_id = "" if delivery.alert is None else delivery.alert.alert_id
        fits = delivery.due_at <= message.now and (
            not chosen or _trial(delivery) == _trial(chosen[0])
        )
        if fits and alert_id not in passed_over and len(chosen) < lane.channel.most:
            chosen.append(delivery)
        elif alert_id:
            passed_over.add(alert_id)
    return replace(message, deliveries=tuple(chosen))


def _trial(delivery: Delivery) -> tuple[int, datetime | None, int]:
    """Equal for deliveries last tried in one message, and for all that were never tried."""
    alone = 0 if delivery.digest is None else delivery.delivery_id
    return delivery.attempts, delivery.due_at if delivery.attempts else None, alone
