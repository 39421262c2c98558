"""Where a delivery is on its way to a channel."""

from enum import StrEnum


class DeliveryState(StrEnum):
    """The states of a row of the outbox."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    SKIPPED = "skipped"
