"""Why a channel is notified of an alert."""

from enum import StrEnum

from monitoring.kinds import Reason


class NotificationReason(StrEnum):
    """The reasons of alert events, and those that only notifications have.

    `STILL_OPEN` says that an alert is no longer muted and still open, `UNACKNOWLEDGED` that nobody
    acknowledged a page in time, and `TEST` that an invented alert tries a channel.
    """

    OPENED = Reason.OPENED.value
    ESCALATED = Reason.ESCALATED.value
    RESOLVED = Reason.RESOLVED.value
    AFTERSHOCK = Reason.AFTERSHOCK.value
    REOPENED = Reason.REOPENED.value
    REVISED = Reason.REVISED.value
    STILL_OPEN = "still_open"
    UNACKNOWLEDGED = "unacknowledged"
    TEST = "test"
