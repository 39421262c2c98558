"""Whether what waited is still to be told when its turn comes: decided purely."""

from monitoring.kinds import Reason
from serving.storage.notification_reason import NotificationReason
from serving.triage.muting import AlertStatus


def suppressed(
    reason: str, alert_status: AlertStatus, *, stateful: bool, by_hand: bool
) -> str | None:
    """Why a delivery is not to be sent after all, in a few words; None if it is.

    Args:
        reason: the transition's, or "still_open" or "unacknowledged".
        alert_status: how people stand with the alert now.
        stateful: whether the channel hears of every end, though the alert is muted.
        by_hand: whether somebody asked for this delivery.
    """
    if by_hand or (stateful and reason == Reason.RESOLVED):
        return None
    if reason == NotificationReason.UNACKNOWLEDGED and alert_status.triage.acknowledged is not None:
        return f"acknowledged by {alert_status.triage.acknowledged.request.actor}"
    return alert_status.muted
