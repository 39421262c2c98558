"""Learns from the delays of comments while they are processed, at little cost to a step."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from serving.storage.comment_log import LoggedComment
from serving.storage.delay_rows import EVERYBODY, add_delays
from serving.storage.delay_sketch import HORIZON
from serving.storage.instants import to_micros
from serving.storage.source_delay import NewDelays, Source

_WRITTEN_EVERY = timedelta(minutes=1)
_HOUR = 3600 * 1_000_000


class DelayRecorder:
    """Adds delays to the rows of their sources: to each at most once a minute.

    Otherwise every step would read and write a row for every KOL. What waits in memory is lost if
    the process is killed; a delay is made of thousands of others.
    """

    def __init__(self) -> None:
        self._waiting: dict[Source, NewDelays] = {}
        self._written_at: dict[Source, datetime] = {}
        self._unconfirmed = False

    def confirm(self) -> None:
        """Say that the last step was committed; without this, its comments come again."""
        self._unconfirmed = False

    async def record(self, connection: AsyncConnection, received: Sequence[LoggedComment]) -> None:
        """Take the comments of a step, in the order of the log, inside its transaction.

        Comments that were older than the horizon when they arrived are history, and teach nothing.
        """
        if self._unconfirmed:  # the comments that wait may be among those that come again
            self._waiting.clear()
            self._written_at.clear()
        self._unconfirmed = True
        touched = set[Source]()
        for logged in received:
            delay = _delay(logged)
            if delay > HORIZON:
                continue
            platform, hour = logged.comment.platform, to_micros(logged.received_at) // _HOUR
            for source in ((logged.comment.kol_id, platform), (EVERYBODY, platform)):
                new = self._waiting.get(source)
                if new is None:
                    new = self._waiting[source] = NewDelays(logged.received_at)
                new.comments += 1
                new.by_hour[hour].append(delay)
                new.last_received_at = logged.received_at
                touched.add(source)
        due = {source: self._waiting.pop(source) for source in touched if self._is_due(source)}
        if due:
            await add_delays(connection, due)
            self._written_at |= {source: new.last_received_at for source, new in due.items()}

    def _is_due(self, source: Source) -> bool:
        written_at = self._written_at.get(source)
        received_at = self._waiting[source].last_received_at
        return written_at is None or abs(received_at - written_at) >= _WRITTEN_EVERY


def _delay(logged: LoggedComment) -> float:
    """Seconds; 0 for a comment that claims to be newer than its receipt."""
    return max((logged.received_at - logged.comment.created_at).total_seconds(), 0.0)
