"""Batches of sources into the log: comments, posts, counts and cursor in one transaction."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from serving.clock import Clock
from serving.ingest.intake import Intake
from serving.ingest.values.invalid_value import InvalidValue
from serving.ingest.values.rules import NOTHING_KNOWN
from serving.ingest.values.times import read_time
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.sources.post_check import checked_count, checked_post, checked_time
from serving.sources.source_batch import SourceBatch, SourceComment
from serving.storage.comment_update import CommentOutcome
from serving.storage.follower_store import FollowerCount
from serving.storage.kol_handle_rows import HandleKey, handle_key
from serving.storage.kol_store import KolStore
from serving.storage.post_record import SentPost
from serving.storage.source_record import SourceRecord, SourceStep, StoredRemoval

_AT_ONCE = 1000


class _Named(Protocol):
    """What names its KOL as a comment does."""

    @property
    def kol_id(self) -> str | None: ...

    @property
    def handle(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch.

    Attributes:
        accepted: comments that were new.
        updated: comments that brought something new to one that was there.
        rejected: comments that could not be taken.
        why: why the first of those could not be taken; None if all were.
        written_at: when each new comment was written, aware.
    """

    accepted: int
    updated: int
    rejected: int
    why: str | None
    written_at: tuple[datetime, ...]


class SourceCommitter:
    """Commits batches."""

    def __init__(
        self,
        new_intake: Callable[[KolLimit], Intake],
        kols: KolStore,
        clock: Clock,
        deleted_kols: Callable[[], Collection[str]],
    ) -> None:
        """Prepare.

        Args:
            new_intake: makes the way into the log, for comments on some KOLs.
            kols: whose handles are whose.
            clock: for times.
            deleted_kols: of which nothing is taken any more.
        """
        self._new_intake = new_intake
        self._kols = kols
        self._clock = clock
        self._deleted_kols = deleted_kols

    async def commit(
        self,
        source: SourceRecord,
        batch: SourceBatch,
        cursor: Mapping[str, Any] | None,
        *,
        delivery_key: str | None = None,
        whole: bool = False,
        wait: bool = True,
    ) -> BatchResult:
        """Commit a batch; many comments in several transactions, the cursor with the last.

        Args:
            source: that brought it.
            batch: what it brought.
            cursor: of all parts of the source, after the batch.
            delivery_key: of a call of a webhook.
            whole: whether it is one transaction, whatever its size.
            wait: whether to wait while the log is busy.

        Raises:
            TooBusy: the log takes no more and `wait` is False; nothing was kept.
            NotReady: the log is not being written.
            StoreError: the database refused.
        """
        now = self._clock.now()
        own = KolLimit(frozenset({source.kol_id or ""}))
        intake = self._new_intake(own if source.limited else EVERY_KOL)
        step = await self._step(source, batch, cursor, delivery_key, now)
        comments = batch.comments
        size = len(comments) if whole else _AT_ONCE
        parts = [comments[at : at + size] for at in range(0, len(comments), size)] if size else []
        totals = dict.fromkeys(CommentOutcome, 0)
        why: str | None = next(iter(batch.unreadable), None)
        written_at: list[datetime] = []
        for place, part in enumerate(parts or [()], start=1):
            is_last = place >= len(parts)
            items = {
                index: one.item(source.platform, source.kol_id) for index, one in enumerate(part)
            }
            part_step = step if is_last else SourceStep(source.source_id, source.generation, now)
            for receipt in await intake.take(items, wait=wait, step=part_step):
                totals[receipt.status] += 1
                if receipt.fault is not None:
                    why = why or str(receipt.fault)
                if receipt.status is CommentOutcome.ACCEPTED:
                    at = written(part[receipt.index])
                    written_at += [] if at is None else [at]
        return BatchResult(
            totals[CommentOutcome.ACCEPTED],
            totals[CommentOutcome.UPDATED],
            totals[CommentOutcome.REJECTED],
            why,
            tuple(written_at),
        )

    async def _step(
        self,
        source: SourceRecord,
        batch: SourceBatch,
        cursor: Mapping[str, Any] | None,
        delivery_key: str | None,
        now: datetime,
    ) -> SourceStep:
        platform = source.platform
        named: list[_Named] = [*batch.removals, *batch.posts, *batch.followers]
        owners = await self._owners(platform, named)
        deleted = self._deleted_kols()

        def kol_of(one: _Named) -> str | None:
            if one.kol_id is None and one.handle is not None:
                found = owners.get((platform, handle_key(one.handle)))
            else:
                found = one.kol_id or source.kol_id
            if source.limited and found != source.kol_id:
                return None
            return None if found in deleted else found

        posts: list[SentPost] = []
        for post in batch.posts:
            kol_id = kol_of(post)
            if kol_id and (checked := checked_post(post, platform, kol_id, now)) is not None:
                posts.append(checked)
        followers = [
            (kol_id, FollowerCount(checked_time(one.at, now) or now, one.followers))
            for one in batch.followers
            if (kol_id := kol_of(one)) and checked_count(one.followers) is not None
        ]
        removals = [
            StoredRemoval(
                platform, one.comment_id, kol_of(one), min(checked_time(one.at, now) or now, now)
            )
            for one in batch.removals
            if 0 < len(one.comment_id) <= 256
        ]
        return SourceStep(
            source_id=source.source_id,
            generation=source.generation,
            at=now,
            cursor=cursor,
            removals=removals,
            posts=posts,
            followers=followers,
            limited=source.limited,
            delivery_hash=_digest(delivery_key),
        )

    async def _owners(self, platform: str, named: Sequence[_Named]) -> Mapping[HandleKey, str]:
        handles = {
            (platform, handle_key(one.handle))
            for one in named
            if one.kol_id is None and one.handle is not None
        }
        return (await self._kols.known([], list(handles))).handles if handles else {}


def written(comment: SourceComment) -> datetime | None:
    """When a comment was written, as far as that can be read; the edge decides."""
    try:
        return read_time(comment.created_at, NOTHING_KNOWN) if comment.created_at else None
    except InvalidValue:
        return None


def _digest(key: str | None) -> str | None:
    return None if key is None else hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
