"""The chart that goes with a message."""

from typing import Protocol

from serving.locales.wording import Wording
from serving.notify.notification import Notification


class Attachments(Protocol):
    """Makes the charts that channels attach."""

    async def of(self, notification: Notification, words: Wording) -> bytes | None:
        """A PNG of what led to a transition; None if nothing of it is stored.

        Raises:
            Unavailable: it cannot be drawn now.
            StoreError: the database failed.
        """
        ...


class NoAttachments:
    """Has no charts."""

    async def of(self, notification: Notification, words: Wording) -> None:
        """None."""
