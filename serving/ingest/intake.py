"""Raw items into the log: the good ones of a submission are kept, each bad one gets its reason."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitoring.events import Comment
from serving.clock import Clock
from serving.errors import InvalidComment, TooBusy
from serving.ingest.comment import named_kol, parse_comment
from serving.ingest.group_commit import GroupCommit
from serving.ingest.values.rules import Adjustment
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.metrics import Metrics
from serving.slices import Slices
from serving.storage.comment_update import CommentOutcome
from serving.storage.kol_store import KnownKols, KolStore
from serving.storage.source_record import SourceStep

_UNKNOWN = "_unknown"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one item.

    Attributes:
        index: its place in the submission.
        item: as it was sent.
        status: the outcome.
        fault: why it was rejected; None otherwise.
    """

    index: int
    item: object
    status: CommentOutcome
    fault: InvalidComment | None = None


class Intake:
    """Validates, commits, counts.

    Attributes:
        adjustments: what was changed in values to read them, so far.
    """

    def __init__(
        self,
        writer: GroupCommit,
        kols: KolStore,
        clock: Clock,
        metrics: Metrics,
        allowed: KolLimit = EVERY_KOL,
    ) -> None:
        """Prepare.

        Args:
            writer: commits comments.
            kols: whom comments may name.
            clock: for their times.
            metrics: counts them.
            allowed: comments on other KOLs are rejected.
        """
        self.adjustments: Counter[Adjustment] = Counter()
        self._writer = writer
        self._kols = kols
        self._clock = clock
        self._metrics = metrics
        self._allowed = allowed

    async def take(
        self, items: Mapping[int, object], *, wait: bool = False, step: SourceStep | None = None
    ) -> list[Receipt]:
        """Commit the good items and say what became of each.

        Args:
            items: raw items by their place in the submission; one that could not even be read
                comes as its `InvalidComment`.
            wait: whether to wait when the log is too busy, for a sender that can be held back.
            step: what is committed with them, if a source brought them.

        Raises:
            TooBusy: the log takes no more and `wait` is False; nothing was kept.
            NotReady: the log is not being written.
            StoreError: the database refused; nothing was kept.
        """
        now = self._clock.now()
        known = await self._known_kols(items.values())
        checked: list[Comment | InvalidComment] = []
        slices = Slices()
        for item in items.values():
            await slices.pause()
            try:
                checked.append(
                    item
                    if isinstance(item, InvalidComment)
                    else parse_comment(item, now=now, adjustments=self.adjustments, known=known)
                )
            except InvalidComment as fault:
                # With its frames it would be a cycle: thousands make one long garbage collection.
                fault.__traceback__ = fault.__context__ = None
                checked.append(fault)
        await self._reject_unwanted(checked)
        comments = [entry for entry in checked if isinstance(entry, Comment)]
        with self._metrics.stage("log"):
            if step is not None:
                step = replace(step, rejected=len(checked) - len(comments))
            outcomes = iter(await self._append(comments, step, wait=wait))
        receipts = []
        for (index, item), entry in zip(items.items(), checked, strict=True):
            if isinstance(entry, InvalidComment):
                receipts.append(Receipt(index, item, CommentOutcome.REJECTED, entry))
                self._count(_UNKNOWN, CommentOutcome.REJECTED)
            else:
                status = next(outcomes)
                receipts.append(Receipt(index, item, status))
                self._count(self._metrics.kol(entry.kol_id), status)
        return receipts

    async def _reject_unwanted(self, checked: list[Comment | InvalidComment]) -> None:
        """Put faults in place of comments on KOLs that were deleted, or are not allowed.

        What is said of a KOL that is not allowed is the same whether there is one or not.
        """
        named = {entry.kol_id for entry in checked if isinstance(entry, Comment)}
        allowed = set(named)
        if not self._allowed.is_everything:
            allowed = set(await self._kols.visible_leads(named, self._allowed))
        for place, entry in enumerate(checked):
            if not isinstance(entry, Comment):
                continue
            if entry.kol_id not in allowed:
                checked[place] = InvalidComment(
                    "kol_not_allowed",
                    "kol_id",
                    f"KOL {entry.kol_id!r}: this key may not send comments for it",
                )
            elif entry.kol_id in self._writer.deleted_kols:
                checked[place] = InvalidComment(
                    "deleted_kol",
                    "kol_id",
                    f"KOL {entry.kol_id!r} was deleted; PUT /v1/kols/{entry.kol_id} registers it"
                    " again",
                )

    async def _known_kols(self, items: Iterable[object]) -> KnownKols:
        """The KOLs that are named by a handle, or by an id that no new KOL could have."""
        named = {name for item in items if (name := named_kol(item)) is not None}
        if not named:
            return KnownKols()
        kol_ids = [name for name in named if isinstance(name, str)]
        return await self._kols.known(
            kol_ids, [name for name in named if not isinstance(name, str)], self._allowed
        )

    async def _append(
        self, comments: list[Comment], step: SourceStep | None, *, wait: bool
    ) -> list[CommentOutcome]:
        while True:
            try:
                return await self._writer.append(comments, step)
            except TooBusy as error:
                if not wait:
                    raise
                await asyncio.sleep(error.retry_after)

    def _count(self, kol: str, outcome: CommentOutcome) -> None:
        self._metrics.received.labels(kol, outcome).inc()


def identifier(item: Any, field: str) -> str | None:
    """A field of a raw item for its receipt, if it has a usable one."""
    value = item.get(field) if isinstance(item, dict) else None
    return str(value)[:256] if isinstance(value, str | int) else None
