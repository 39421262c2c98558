"""The charts of stored alerts, for messages."""

from serving.charts.chart_service import ChartService
from serving.errors import NotFound, TooBusy
from serving.locales.wording import Wording
from serving.notify.channels.base import Unavailable
from serving.notify.notification import Notification


class StoredAttachments:
    """Charts of stored alerts, up to the transition.

    Up to now for a step of an escalation, and for what was found late: people see it for the first
    time, and as a whole.
    """

    def __init__(self, chart_service: ChartService) -> None:
        self._chart_service = chart_service

    async def of(self, notification: Notification, words: Wording) -> bytes | None:
        """The chart; None during a rebuild, while the alert is not there yet."""
        whole = notification.step is not None or notification.found_at is not None
        until = None if whole else notification.at
        try:
            chart = await self._chart_service.chart_of(notification.alert_id, until=until)
            return await self._chart_service.draw(chart, words)
        except NotFound:
            return None
        except TooBusy as error:
            raise Unavailable(str(error)) from error
