"""History apart from what is new, where one answer of a platform holds both."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from serving.sources.source_batch import SourceBatch, SourceComment


class HistorySplit:
    """Makes two batches of one: the old comments first, and at the next call the rest.

    The first leaves the cursor where it was. So a source that is stopped between them asks again.
    """

    def __init__(self) -> None:
        self._held: tuple[Mapping[str, Any] | None, SourceBatch] | None = None

    def take(self, cursor: Mapping[str, Any] | None) -> SourceBatch | None:
        """The rest of the batch before, if the source is still where it was."""
        held, self._held = self._held, None
        return held[1] if held is not None and held[0] == cursor else None

    def split(
        self, batch: SourceBatch, since: datetime, cursor: Mapping[str, Any] | None
    ) -> SourceBatch:
        """The batch to hand on now.

        Args:
            batch: with its new cursor.
            since: when the account was connected.
            cursor: before the batch.
        """
        old = [one for one in batch.comments if _written(one) < since]
        new = [one for one in batch.comments if _written(one) >= since]
        if not old:
            return batch
        if not new:
            return replace(batch, history=True)
        self._held = (cursor, replace(batch, comments=tuple(new)))
        return SourceBatch(comments=tuple(old), more=True, history=True)


def _written(comment: SourceComment) -> datetime:
    at = comment.created_at
    if isinstance(at, datetime):
        return at
    return datetime.fromtimestamp(at, UTC) if isinstance(at, float) else datetime.fromisoformat(at)
