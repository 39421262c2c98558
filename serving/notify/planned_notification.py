"""A notification as the routes plan it, before it is written to the outbox."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PlannedNotification:
    """A channel that is notified.

    Attributes:
        channel: its name.
        page: whether this is to call somebody.
        not_before: until when it waits, aware; None for at once.
        why: in a few words.
        skipped: why it is not to be sent; None if it is.
    """

    channel: str
    page: bool
    not_before: datetime | None
    why: str
    skipped: str | None = None
