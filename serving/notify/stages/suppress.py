"""Stage 2 of sending: what is not to be sent after all, now that its turn has come."""

from dataclasses import replace

from monitoring.kinds import Reason
from serving.notify.lane import Lane
from serving.notify.stages.message import Message, Suppressed
from serving.storage.delivery_record import Delivery
from serving.storage.notification_reason import NotificationReason
from serving.triage.muting import AlertStatus


async def suppress(lane: Lane, message: Message) -> Message:
    """Take out the deliveries whose alert was muted, or whose page was acknowledged, meanwhile."""
    kept, out = list[Delivery](), list(message.suppressed)
    for delivery in message.deliveries:
        why = _why(delivery, message, stateful=lane.stateful)
        if why is None:
            kept.append(delivery)
        else:
            out.append(Suppressed(delivery, why))
    return replace(message, deliveries=tuple(kept), suppressed=tuple(out))


def _why(delivery: Delivery, message: Message, *, stateful: bool) -> str | None:
    if delivery.alert is None:
        return None
    status = message.statuses[delivery.delivery_id]
    return suppressed(delivery.alert.reason, status, stateful=stateful, by_hand=delivery.by_hand)


def suppressed(
    reason: str, alert_status: AlertStatus, *, stateful: bool, by_hand: bool
) -> str | None:
    """Why a delivery is not to be sent after all, in a few words; None if it is.

    Args:
        reason: a `NotificationReason`.
        alert_status: what people did about the alert by now, and whether it is muted.
        stateful: whether the channel is notified of the end even if the alert is muted.
        by_hand: whether somebody asked for this delivery.
    """
    if by_hand or (stateful and reason == Reason.RESOLVED):
        return None
    if reason == NotificationReason.UNACKNOWLEDGED and alert_status.triage.acknowledged is not None:
        return f"acknowledged by {alert_status.triage.acknowledged.request.actor}"
    return alert_status.muted
