"""The charts of stored alerts, for messages."""

import asyncio

import structlog

from serving.charts.chart_service import ChartService
from serving.errors import NotFound, StoreError, TooBusy
from serving.locales.wording import Wording
from serving.metrics import Metrics
from serving.notify.channels.base import Unavailable
from serving.notify.notification import Notification

_logger = structlog.get_logger(__name__)


class StoredAttachments:
    """Charts of stored alerts, up to the transition.

    Up to now for a step of an escalation, and for what was found late: people see it for the first
    time, and as a whole. A chart that cannot be drawn never keeps its message back.
    """

    def __init__(self, chart_service: ChartService, metrics: Metrics, *, seconds: float) -> None:
        """Prepare.

        Args:
            chart_service: draws.
            metrics: counts charts that failed.
            seconds: that a chart may take; after that its message goes without.
        """
        self._chart_service = chart_service
        self._metrics = metrics
        self._seconds = seconds

    async def of(self, notification: Notification, words: Wording) -> bytes | None:
        """The chart; None during a rebuild, while the alert is not there yet, and if it fails."""
        whole = notification.step is not None or notification.found_at is not None
        until = None if whole else notification.at
        try:
            async with asyncio.timeout(self._seconds):
                chart = await self._chart_service.chart_of(notification.alert_id, until=until)
                return await self._chart_service.draw(chart, words)
        except NotFound:
            return None
        except TooBusy as error:
            raise Unavailable(str(error)) from error
        except StoreError:
            raise
        except Exception:
            _logger.exception("chart_failed", alert=notification.alert_id)
            self._metrics.worker_errors.labels("charts").inc()
            return None
