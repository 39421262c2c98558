"""Carries out erasures between the steps of the pipeline."""

import asyncio

import structlog

from serving.clock import Clock
from serving.pipeline.pipeline import Pipeline
from serving.storage.erasure_record import Erasure, ErasurePhase
from serving.storage.erasure_store import ErasureStore

_log = structlog.get_logger(__name__)


class Eraser:
    """One erasure after another, each in small steps beside the pipeline."""

    def __init__(self, store: ErasureStore, pipeline: Pipeline, clock: Clock) -> None:
        self._store = store
        self._pipeline = pipeline
        self._clock = clock
        self._busy = asyncio.Lock()

    async def carry_out(self, erasure: Erasure) -> Erasure:
        """Carry out an erasure to its end; what is left of one that was interrupted.

        Raises:
            StoreError: the database refused; the rest is done later.
        """
        async with self._busy:
            erasure = await self._store.get(erasure.erasure_id)
            while erasure.phase is not ErasurePhase.DONE:
                comments = erasure.phase is ErasurePhase.COMMENTS
                async with self._pipeline.paused(restore=False, save=comments):
                    erasure = await self._store.advance(erasure, self._clock.now())
                if comments and erasure.phase is ErasurePhase.EVENTS:
                    # Evidence that a re-run has computed, and holds in memory, names the comments.
                    async with self._pipeline.paused(save=False):
                        pass
                await asyncio.sleep(0)
        _log.info(
            "erased",
            erasure=erasure.erasure_id,
            kind=erasure.kind,
            by=erasure.actor,
            comments=erasure.comments,
            samples=erasure.samples,
        )
        return erasure

    async def finish(self) -> int:
        """Carry out what an earlier run of the service left; returns how many erasures.

        Raises:
            StoreError: the database refused.
        """
        if self._busy.locked():
            return 0
        left = await self._store.unfinished()
        for erasure in left:
            await self.carry_out(erasure)
        return len(left)
