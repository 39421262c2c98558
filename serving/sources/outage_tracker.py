"""Decides when a source counts as blind, and when it sees again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from serving.sources.faults import FaultKind, SourceFault
from serving.storage.outage_store import OutageStore
from serving.storage.source_record import SourceOutage, SourceRecord

_logger = structlog.get_logger(__name__)

# What may pass by itself within moments is reported once it lasts; everything else at once.
GRACE = timedelta(seconds=60)
PASSING = frozenset(
    {
        FaultKind.RATE_LIMITED,
        FaultKind.PLATFORM_UNAVAILABLE,
        FaultKind.BAD_ANSWER,
        FaultKind.UNEXPECTED,
    }
)


@dataclass(slots=True)
class PartFailure:
    """A part of a source that fails.

    Attributes:
        first: when it failed first, after its last success, aware.
        fault: the last failure.
    """

    first: datetime
    fault: SourceFault


def is_blinding(failure: PartFailure, now: datetime) -> bool:
    """Whether a failure is to be reported."""
    return failure.fault.kind not in PASSING or now - failure.first >= GRACE


@dataclass(slots=True)
class OutageTracker:
    """The blindness of one source.

    Attributes:
        source: as it is stored.
        store: keeps outages.
        seen_until: the last instant of which everything is known; None before the first success.
        failures: of the parts that fail now, by part.
        outage: the one that it is in; None if it sees.
    """

    source: SourceRecord
    store: OutageStore
    seen_until: datetime | None = None
    failures: dict[str, PartFailure] = field(default_factory=dict)
    outage: SourceOutage | None = None
    _ended: SourceOutage | None = None
    _loaded: bool = False

    async def load(self) -> None:
        """Take up the outage that an earlier run of the service left."""
        if not self._loaded:
            self.outage = await self.store.open_of(self.source.source_id)
            self.seen_until = self.source.success_at
            self._loaded = True

    @property
    def fault(self) -> SourceFault | None:
        """What is wrong now; of several the one that was first. None if nothing is."""
        worst = min(self.failures.values(), key=lambda one: one.first, default=None)
        return None if worst is None else worst.fault

    async def failed(self, part: str, fault: SourceFault, now: datetime) -> None:
        """Note that a part failed, and store an outage if that is to be reported."""
        before = self.failures.get(part)
        self.failures[part] = PartFailure(now if before is None else before.first, fault)
        await self.look(now)

    async def look(self, now: datetime) -> None:
        """Store an outage if a failure has lasted for so long that it is to be reported."""
        await self.load()
        found = [one for one in self.failures.values() if is_blinding(one, now)]
        if not found:
            return
        worst = min(found, key=lambda one: one.first)
        said = (worst.fault.kind, str(worst.fault), worst.fault.remedy)
        if self.outage is not None and said == (
            self.outage.kind,
            self.outage.cause,
            self.outage.remedy,
        ):
            return
        is_new = self.outage is None
        self.outage = await self.store.open(
            self.source,
            kind=said[0],
            cause=said[1],
            remedy=said[2],
            since=min(self.seen_until or worst.first, worst.first),
            now=now,
        )
        if is_new:
            _logger.warning(
                "source_blind",
                source=self.source.name,
                kind=said[0],
                cause=said[1],
                since=self.outage.since.isoformat(),
            )

    async def succeeded(self, part: str, now: datetime) -> None:
        """Note that a part works; once all parts do, an outage ends."""
        await self.load()
        self.failures.pop(part, None)
        if self.failures:
            return
        self.seen_until = now
        if self.outage is not None:
            await self.end(now)

    async def end(self, now: datetime) -> None:
        """End the outage: the source sees again, or nobody wants it to."""
        await self.load()
        if self.outage is None:
            return
        ended = await self.store.end(self.source.source_id, now)
        self.outage = None
        self._ended = ended
        if ended is not None:
            _logger.info(
                "source_sees_again", source=self.source.name, since=ended.since.isoformat()
            )

    async def brought(self, written_at: list[datetime]) -> None:
        """Count new comments of the time of the outage that it is in, or else of the last one.

        Args:
            written_at: when each new comment of a batch was written.
        """
        # The first batch after an outage is committed before its success ends the outage.
        counted = self.outage or self._ended
        if counted is None:
            return
        until = counted.ended_at
        count = sum(counted.since <= at and (until is None or at < until) for at in written_at)
        if count:
            await self.store.catch_up(counted.outage_id, count)
