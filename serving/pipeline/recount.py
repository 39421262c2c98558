"""Reads the closed minutes of one KOL in order, and counts those again that have changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitoring.counting import recount, signatures_of
from monitoring.event_time import minute_of
from monitoring.events import ScoredComment
from monitoring.near_duplicates import KEPT, Signature
from monitoring.windows import WindowStats
from serving.storage.pipeline_step import ChangedMinutes
from serving.storage.rerun_store import RerunStore

_COMMENTS = 1000  # read at once
_WINDOWS = 1000


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """Some windows of a KOL, in order.

    Attributes:
        since: the first minute that they cover, since 1970 UTC …
        until: … and the minute after the last; minutes without a window are empty.
        windows: those with comments.
    """

    since: int
    until: int
    windows: Sequence[WindowStats]


class WindowReader:
    """The windows of a KOL from a minute on, up to the last closed one.

    Minutes that have changed are counted again from the comments, and so are those after them,
    until the memory of near-duplicates holds no comment of a changed minute any more. All other
    windows are read as they were stored.

    Attributes:
        texts: what is remembered for near-duplicates after the last window, if that was counted
            again; None if it is as it was.

    Args:
        store: where to read.
        changed: the minutes that have changed.
        since: the first minute to read.
        closed_until: the first minute that is not closed; it may move between two batches.
        up_to_seq: place in the log up to which comments have been processed; it may move too.
    """

    def __init__(
        self,
        store: RerunStore,
        changed: ChangedMinutes,
        since: int,
        *,
        closed_until: Callable[[], int],
        up_to_seq: Callable[[], int],
    ) -> None:
        self._store = store
        self._changed = changed
        self._reached = since
        self._closed_until = closed_until
        self._up_to_seq = up_to_seq
        self._limit = _COMMENTS
        self._unchanged = 0  # signatures since the last changed minute
        self.texts: list[Signature] | None = None

    async def next(self) -> WindowBatch | None:
        """The next windows; None if the last closed minute has been read, for now."""
        end = self._closed_until()
        if self._reached >= end:
            return None
        if self._reached < self._changed.first:
            batch = await self._stored(min(self._changed.first, end))
        elif self._unchanged < KEPT:
            batch = await self._recounted(end)
        else:
            self.texts = None
            batch = await self._stored(end)
        self._reached = batch.until
        return batch

    async def _stored(self, end: int) -> WindowBatch:
        since, kol_id = self._reached, self._changed.kol_id
        found = await self._store.minute_scores(kol_id, since, end, _WINDOWS)
        if len(found) == _WINDOWS:
            end = minute_of(found[-1].start) + 1
        return WindowBatch(since, end, [one.window for one in found])

    async def _recounted(self, end: int) -> WindowBatch:
        since, kol_id = self._reached, self._changed.kol_id
        if self.texts is None:
            self.texts = await self._texts_before(since)
        while True:
            found = await self._store.comments(
                kol_id, since, end, up_to_seq=self._up_to_seq(), limit=self._limit
            )
            if len(found) < self._limit:
                break
            # The last minute may have more comments than were read.
            if (last := minute_of(found[-1].comment.created_at)) > since:
                end = last
                found = [one for one in found if minute_of(one.comment.created_at) < end]
                break
            self._limit *= 2
        later = [one for one in found if minute_of(one.comment.created_at) > self._changed.last]
        self._unchanged += len(signatures_of(later))
        return WindowBatch(since, end, list(recount(kol_id, found, self.texts)))

    async def _texts_before(self, minute: int) -> list[Signature]:
        limit = 2 * KEPT
        while True:
            found = await self._store.comments_before(
                self._changed.kol_id, minute, up_to_seq=self._up_to_seq(), limit=limit
            )
            complete = len(found) < limit
            texts = signatures_of(found if complete else _without_the_earliest(found))
            if complete or len(texts) >= KEPT:
                return texts[-KEPT:]
            limit *= 2


def _without_the_earliest(found: Sequence[ScoredComment]) -> list[ScoredComment]:
    """Without the comments of the earliest instant, of which there may be more."""
    earliest = found[-1].comment.created_at
    return [one for one in found if one.comment.created_at > earliest]
