"""Runs one step of the pipeline after another, for ever, whatever a step does."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from model.errors import ModelError, Overloaded
from serving.collector import collect_new
from serving.errors import StoreError
from serving.metrics import Metrics
from serving.pipeline.faults import KolFailure, StepFaults

_logger = structlog.get_logger(__name__)
_TICK = 5.0
_FIRST_BACKOFF, _LAST_BACKOFF = 0.5, 30.0
_LAST_STEP = 3.0  # seconds that a step may take while the service stops
_LAST_ISOLATING = 5.0  # seconds; while a fault is isolated, everybody else waits


class StepLoop(ABC):
    """The loop; a subclass knows what a step is.

    Attributes:
        faults: what is held, and what was set aside.
    """

    def __init__(self, metrics: Metrics, batch_size: int) -> None:
        self.faults = StepFaults(batch_size)
        self._metrics = metrics
        self._must_restore = True
        self._healthy = False
        self._stepping = asyncio.Lock()
        self._arrived = asyncio.Event()
        self._backoff = _FIRST_BACKOFF
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether the loop runs and its last step succeeded."""
        return self._task is not None and not self._task.done() and self._healthy

    @abstractmethod
    def wake(self) -> None:
        """Say that there may be something to do."""

    @abstractmethod
    async def step(self) -> bool:
        """Do a step; False if there was nothing to do."""

    @abstractmethod
    async def _restore(self) -> None:
        """Bring the engine back to the last committed step."""

    @abstractmethod
    async def _pass_over(self, error: Exception) -> bool:
        """Set aside what the last step began with; False if there is nothing of the kind."""

    @abstractmethod
    async def _hold(self, failure: KolFailure) -> None:
        """Write that a KOL is held, and that it is to be judged again."""

    @abstractmethod
    async def _model_works(self) -> bool:
        """Whether the model scores a harmless text."""

    @abstractmethod
    def _postpone_rerun(self, kol_id: str) -> None:
        """Judge a KOL again later, after the others."""

    @abstractmethod
    async def _save(self) -> None:
        """Write the snapshots of all KOLs, so that nothing of the log is replayed on them."""

    @asynccontextmanager
    async def paused(self, *, restore: bool = True, save: bool = True) -> AsyncIterator[None]:
        """Between two steps: what they build on may be changed in the database meanwhile.

        Args:
            restore: restore the engine from there afterwards, because its state was changed.
            save: write the snapshots of all KOLs before, because comments that were processed are
                changed, which may otherwise be replayed.

        Raises:
            StoreError: the database refused.
        """
        async with self._stepping:
            await self._go_back()
            try:
                if save:
                    self._must_restore = True
                    await self._save()
                    self._must_restore = False
                yield
            finally:
                self._must_restore |= restore
        self.wake()

    async def start(self) -> None:
        """Restore the engine and begin.

        Raises:
            StoreError: the stored states cannot be read, or are not complete.
        """
        await self._restore()
        self._must_restore, self._healthy = False, True
        self._task = asyncio.create_task(self._run(), name="pipeline")

    async def _go_back(self) -> None:
        """Have the engine be as the last committed step left it, if it may be otherwise."""
        if self._must_restore:
            await self._restore()
            self._must_restore = False

    async def stop(self) -> None:
        """Stop after the step that is under way; if that takes long, it is repeated later."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(_LAST_STEP):
                await self._stepping.acquire()
        except TimeoutError:
            await self._cancel(self._task)
            return
        try:
            await self._cancel(self._task)
            if not self._must_restore:
                await self._save()
        except StoreError as error:
            _logger.warning("snapshots_not_saved", error=str(error))
        finally:
            self._stepping.release()

    @staticmethod
    async def _cancel(task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                async with self._stepping:
                    await self._go_back()
                    processed = await self.step()
                collect_new()
            except Overloaded as error:
                await asyncio.sleep(error.retry_after)
            except (StoreError, ModelError) as error:
                self._log_failure(error)
                await self._failed(error)
            except Exception as error:
                _logger.exception("step_failed", error=str(error), retry_in=self._backoff)
                self._metrics.worker_errors.labels("pipeline").inc()
                await self._failed(error)
            else:
                self._healthy = True
                self._backoff = _FIRST_BACKOFF
                self.faults.succeeded()
                if not processed:
                    await self._rest()

    async def _rest(self) -> None:
        """Sleep until something arrives, or until it is time to look for silent KOLs."""
        try:
            async with asyncio.timeout(_TICK):
                await self._arrived.wait()
        except TimeoutError:
            pass
        self._arrived.clear()

    async def _failed(self, error: Exception) -> None:
        """Prepare the next step, and pause before it."""
        # A model error leaves the engine as it is.
        self._must_restore |= not isinstance(error, ModelError)
        if isinstance(error, KolFailure) and error.in_rerun:
            self._postpone_rerun(error.kol_id)
            return
        self._healthy = False
        if not isinstance(error, StoreError) and await self._isolated(error):
            self._backoff = _FIRST_BACKOFF
            return
        await asyncio.sleep(self._backoff)
        known = isinstance(error, StoreError | ModelError)
        self._backoff = min(2 * self._backoff, _LAST_BACKOFF if known else _LAST_ISOLATING)

    def _log_failure(self, error: StoreError | ModelError) -> None:
        _logger.error("step_failed", error=str(error), code=error.code, retry_in=self._backoff)

    async def _isolated(self, error: Exception) -> bool:
        """Whether the next step is without what fails again and again."""
        set_aside = self.faults.failed(error)
        held = isinstance(error, KolFailure) and error.kol_id in self.faults.held
        if not set_aside and not held:
            return False
        if isinstance(error, ModelError) and not await self._model_works():
            return False
        try:
            async with self._stepping:
                self._must_restore = True
                await self._restore()
                if isinstance(error, KolFailure) and held:
                    await self._hold(error)
                    _logger.error("kol_held", kol=error.kol_id, error=str(error))
                    passed_over = False
                else:
                    passed_over = await self._pass_over(error)
                self._must_restore = False
        except StoreError as failed:
            self._log_failure(failed)
            return False
        except Exception as failed:
            _logger.exception("step_failed", error=str(failed), retry_in=self._backoff)
            self._metrics.worker_errors.labels("pipeline").inc()
            return False
        if passed_over:
            self.faults.passed_over()
            self._metrics.set_aside.inc()
        return passed_over or held
