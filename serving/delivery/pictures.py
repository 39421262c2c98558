"""The chart that goes with a message."""

from typing import Protocol

from serving.charts.studio import Studio
from serving.delivery.channel import Unavailable
from serving.delivery.notification import Notification
from serving.errors import NotFound, TooBusy
from serving.locales.wording import Wording


class Pictures(Protocol):
    """Where channels take charts from."""

    async def of(self, notification: Notification, words: Wording) -> bytes | None:
        """A PNG of what led to a transition; None where nothing is stored of it.

        Raises:
            Unavailable: it cannot be drawn now.
            StoreError: the database failed.
        """
        ...


class NoPictures:
    """Has none."""

    async def of(self, notification: Notification, words: Wording) -> None:
        """None."""


class StoredPictures:
    """Charts of alerts in the store, up to what is told; to now where that is an escalation."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def of(self, notification: Notification, words: Wording) -> bytes | None:
        """The chart; None while alerts are derived again and this one is not there yet."""
        until = notification.at if notification.step is None else None
        try:
            chart = await self._studio.chart_of(notification.alert_id, until=until)
            return await self._studio.draw(chart, words)
        except NotFound:
            return None
        except TooBusy as error:
            raise Unavailable(str(error)) from error
