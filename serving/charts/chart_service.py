"""Draws charts of alerts from the store, one at a time in a thread."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import structlog

from monitoring.kinds import AlertState
from serving.charts.drawing import draw
from serving.charts.mood_chart import LEAD, TAIL, Bin, Mark, MoodChart, bins_of, step_of
from serving.errors import TooBusy
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.locales.wording import Wording, wording
from serving.storage.alert_history import raised
from serving.storage.alert_store import AlertStore
from serving.storage.kol_store import KolStore
from serving.storage.mood_store import MoodStore

_log = structlog.get_logger(__name__)
_MOST_WAITING = 8
_MINUTE = timedelta(minutes=1)
_FIRST = Bin(datetime(1970, 1, 1, tzinfo=UTC), 0, 0.0, 0.0, 0.0)
_NOTHING = MoodChart("", "", _MINUTE, (_FIRST,), (Mark(_FIRST.start, "began"),))


class ChartService:
    """Draws charts of alerts."""

    def __init__(self, alerts: AlertStore, moods: MoodStore, kols: KolStore) -> None:
        self._alerts = alerts
        self._moods = moods
        self._kols = kols
        self._waiting = 0
        # A thread of its own: a drawing continues even if its request is cancelled.
        self._thread = ThreadPoolExecutor(1, "charts")

    def warm_up(self) -> None:
        """Draw an empty chart in the thread before the first real one.

        The first chart of a process loads matplotlib, and the first of an installation lists the
        machine's fonts. Both take seconds, by which the first message would be late.
        """
        self._thread.submit(_draw_nothing)

    def close(self) -> None:
        """Wait for the chart that is being drawn; draw no others."""
        self._thread.shutdown(cancel_futures=True)

    async def chart_of(
        self, alert_id: str, until: datetime | None = None, *, visible: KolLimit = EVERY_KOL
    ) -> MoodChart:
        """What the chart of an alert shows: two hours before the incident to half an hour after.

        Args:
            alert_id: id of the alert.
            until: nothing from this instant on is shown; None shows everything.
            visible: the alert must be of one of its KOLs.

        Raises:
            NotFound: there is no such alert.
            StoreError: the database failed.
        """
        alert, events = await self._alerts.get(alert_id, visible)
        kol_id = alert.kol_id
        begun = events[0].evidence.incident_start
        marks = [Mark(begun, "began")]
        marks += [Mark(event.at, event.reason) for event in raised(events)]
        since = begun - LEAD
        # Up to the last comments, but only a little past the end of what is over.
        resolved = alert.resolved_at
        if alert.state is AlertState.REVISED:
            resolved = raised(events)[-1].at
        bound = until or (None if resolved is None else resolved + TAIL)
        minute_scores = await self._alerts.minute_scores(kol_id, since, bound)
        end = max(
            [marks[-1].at, *(minute_score.start + _MINUTE for minute_score in minute_scores[-1:])]
        )
        end = max(min(end, until or end), begun + _MINUTE)
        step = step_of(since, end)
        points = await self._moods.series(kol_id, since, end, step)
        kol = await self._kols.get(kol_id)
        return MoodChart(
            name=kol.profile.name or kol_id,
            kol_id=kol_id,
            step=step,
            bins=bins_of(points, minute_scores, since, end, step),
            marks=tuple(mark for mark in marks if mark.at <= end),
        )

    async def draw(self, chart: MoodChart, words: Wording) -> bytes:
        """Draw a chart as a PNG, after the charts that were requested before.

        Raises:
            TooBusy: too many charts are waiting.
        """
        if self._waiting >= _MOST_WAITING:
            raise TooBusy("too many charts are being drawn; try again in a moment", retry_after=2)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, draw, chart, words)
        finally:
            self._waiting -= 1


def _draw_nothing() -> None:
    try:
        draw(_NOTHING, wording())
    except Exception:
        _log.exception("charts_cannot_be_drawn")
        raise
