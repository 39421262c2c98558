"""The charts of stored alerts, for messages."""

from serving.charts.chart_service import ChartService
from serving.errors import NotFound, TooBusy
from serving.locales.wording import Wording
from serving.notify.channels.base import Unavailable
from serving.notify.notification import Notification


class StoredAttachments:
    """Charts of stored alerts, up to the transition; up to now for a step of an escalation."""

    def __init__(self, chart_service: ChartService) -> None:
        self._chart_service = chart_service

    async def of(self, notification: Notification, words: Wording) -> bytes | None:
        """The chart; None during a rebuild, while the alert is not there yet."""
        until = notification.at if notification.step is None else None
        try:
            chart = await self._chart_service.chart_of(notification.alert_id, until=until)
            return await self._chart_service.draw(chart, words)
        except NotFound:
            return None
        except TooBusy as error:
            raise Unavailable(str(error)) from error
