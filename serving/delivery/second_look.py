"""Whether what waited is still to be told when its turn comes: decided purely."""

from serving.delivery.escalation import UNACKNOWLEDGED
from serving.triage.muting import Standing


def kept_back(reason: str, standing: Standing, *, mirrored: bool, by_hand: bool) -> str | None:
    """Why a delivery is not to be sent after all, in a few words; None if it is.

    Args:
        reason: the transition's, or "still_open" or "unacknowledged".
        standing: how people stand with the alert now.
        mirrored: whether the channel hears of every end, though the alert is muted.
        by_hand: whether somebody asked for this delivery.
    """
    if by_hand or (mirrored and reason == "resolved"):
        return None
    if reason == UNACKNOWLEDGED and standing.work.acknowledged is not None:
        return f"acknowledged by {standing.work.acknowledged.deed.actor}"
    return standing.muted
