"""What is new after each step, read once for all readers of the stream."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from monitoring.engine import KolStatus
from serving.pipeline.broadcast import Broadcast
from serving.storage.alert_record import AlertEventRecord
from serving.storage.alert_store import AlertStore
from serving.storage.step_store import StepStore

_AT_ONCE = 100  # events
_KEPT = 5.0  # seconds; what an erasure takes out of the database is soon gone here too
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class SharedEvent:
    """A transition of an alert.

    Attributes:
        record: as it was stored.
        shown: as readers who may see every KOL get it, once it was made for one of them.
        read_at: when it was read, by the monotonic clock.
    """

    record: AlertEventRecord
    shown: list[str] = field(default_factory=list)
    read_at: float = field(default_factory=monotonic)


@dataclass(frozen=True, slots=True)
class MoodChanges:
    """The KOLs that some steps touched.

    Attributes:
        after: the step before them.
        until: the last of them.
        statuses: one of each KOL.
        shown: id of a KOL to its status as readers get it, once it was made for one of them.
    """

    after: int = 0
    until: int = 0
    statuses: Sequence[KolStatus] = ()
    shown: dict[str, str] = field(default_factory=dict)


class StreamFeed:
    """Reads what is new when the first reader asks, and hands it to all others.

    A reader that is too slow for that reads the database itself, a page at a time, so nothing is
    kept for it.

    Args:
        alerts: whose transitions are read.
        steps: whose statuses are read.
        written: says when there is something new.
        last_step: the number of the last step.
        mood_interval: least seconds between two reads of statuses.
    """

    def __init__(
        self,
        alerts: AlertStore,
        steps: StepStore,
        written: Broadcast,
        *,
        last_step: Callable[[], int],
        mood_interval: float,
    ) -> None:
        self._alerts = alerts
        self._steps = steps
        self._written = written
        self._last_step = last_step
        self._interval = mood_interval
        self._reading = asyncio.Lock()
        self._recent: deque[SharedEvent] = deque()
        self._complete_after = -1  # the id after which `_recent` has every event
        self._last = -1
        self._notifications = -1
        self._moods = MoodChanges()
        self._moods_due = 0.0

    async def events(self, seen: int) -> Sequence[SharedEvent]:
        """Transitions of all alerts after the id of one, oldest first; empty if there are no more.

        Raises:
            StoreError: the database failed.
        """
        async with self._reading:
            self._drop_old()
            if self._notifications != self._written.notifications:
                await self._read_events()
        if seen < self._complete_after:
            found = await self._alerts.events_after(seen, limit=_AT_ONCE)
            return [SharedEvent(record) for record in found]
        return [event for event in self._recent if event.record.event_id > seen]

    async def _read_events(self) -> None:
        notifications = self._written.notifications
        found = (
            await self._alerts.events_after(self._last, limit=_AT_ONCE) if self._last >= 0 else ()
        )
        if self._last < 0 or len(found) == _AT_ONCE:  # nobody has read for long
            self._recent.clear()
            self._last = self._complete_after = await self._alerts.last_event_id()
        else:
            self._recent.extend(map(SharedEvent, found))
            self._last = found[-1].event_id if found else self._last
        self._notifications = notifications

    def _drop_old(self) -> None:
        while self._recent and self._recent[0].read_at < monotonic() - _KEPT:
            self._complete_after = self._recent.popleft().record.event_id

    def join(self) -> int:
        """The step after which a new reader gets moods."""
        if monotonic() > self._moods_due + self._interval:  # nobody has read for long
            self._moods = MoodChanges(until=self._last_step())
        return self._last_step()

    async def moods(self, step: int) -> MoodChanges | None:
        """The KOLs that changed after a step, at most once per interval; None if that is not due.

        Raises:
            StoreError: the database failed.
        """
        async with self._reading:
            latest, now = self._last_step(), monotonic()
            if latest != self._moods.until and now >= self._moods_due:
                statuses = await self._steps.statuses_after(self._moods.until)
                self._moods = MoodChanges(self._moods.until, latest, statuses)
                self._moods_due = now + self._interval
        moods = self._moods
        if step >= moods.until:
            return None
        if step >= moods.after:
            return moods
        return MoodChanges(step, moods.until, await self._steps.statuses_after(step))

    @property
    def pause(self) -> float:
        """Seconds after which to ask again although nothing was written."""
        if self._last_step() == self._moods.until:
            return _LONGEST_WAIT
        return max(self._moods_due - monotonic(), 0.01)
