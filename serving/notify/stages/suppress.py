"""Stage 2 of sending: what is not to be sent after all, now that its turn has come."""

from dataclasses import replace

from monitoring.kinds import AlertState
from serving.notify.lane import Lane
from serving.notify.stages.message import Message, Suppressed
from serving.storage.delivery_record import Delivery
from serving.storage.notification_reason import NotificationReason
from serving.storage.payloads import AlertPayload
from serving.triage.muting import AlertStatus

WITHDRAWN = "the alert was withdrawn"
NEVER_NOTIFIED = "withdrawn before the channel was notified"


async def suppress(lane: Lane, message: Message) -> Message:
    """Take out what has become pointless meanwhile.

    That is a delivery whose alert was muted or withdrawn, a page that was acknowledged, and the
    withdrawal of an alert that the channel was never notified of.
    """
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
    if (why := _withdrawn(delivery, delivery.alert, message)) is not None:
        return why
    status = message.statuses[delivery.delivery_id]
    ends = delivery.alert.state is not AlertState.OPEN
    return suppressed(
        delivery.alert.reason, status, stateful=stateful, ends=ends, by_hand=delivery.by_hand
    )


def _withdrawn(delivery: Delivery, alert: AlertPayload, message: Message) -> str | None:
    notified = message.withdrawn.get(alert.alert_id)
    if notified is None or delivery.by_hand:
        return None
    if alert.reason is not NotificationReason.REVISED:
        return WITHDRAWN
    return None if notified else NEVER_NOTIFIED


def suppressed(
    reason: str, alert_status: AlertStatus, *, stateful: bool, ends: bool, by_hand: bool
) -> str | None:
    """Why a delivery is not to be sent after all, in a few words; None if it is.

    Args:
        reason: a `NotificationReason`.
        alert_status: what people did about the alert by now, and whether it is muted.
        stateful: whether the channel is notified of the end even if the alert is muted.
        ends: whether the delivery says that the alert is over or withdrawn.
        by_hand: whether somebody asked for this delivery.
    """
    if by_hand or (stateful and ends):
        return None
    if reason == NotificationReason.UNACKNOWLEDGED and alert_status.triage.acknowledged is not None:
        return f"acknowledged by {alert_status.triage.acknowledged.request.actor}"
    return alert_status.muted
