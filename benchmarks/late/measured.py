"""A pipeline on a database of its own, with the re-runs that it made; the databases."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

from prometheus_client import CollectorRegistry

from monitoring.checkpoints import Checkpoint
from monitoring.policy import Policy
from serving.clock import TestClock
from serving.metrics import Metrics
from serving.pipeline.broadcast import Broadcast
from serving.pipeline.pipeline import Pipeline
from serving.pipeline.scoring import Scorer
from serving.pipeline.snapshots import SnapshotLimits
from serving.settings import Settings
from serving.storage.comment_log import CommentLog
from serving.storage.database import Database
from serving.storage.fault_store import FaultStore
from serving.storage.pipeline_step import RerunResult
from serving.storage.policy_store import PolicyStore
from serving.storage.replay_store import ReplayStore
from serving.storage.rerun_store import NewestComment, RerunStore
from serving.storage.step_store import StepStore
from tests.serving import postgres

IDLE_AFTER = timedelta(seconds=float(Settings.model_fields["idle_after"].default))
BATCH_SIZE = int(Settings.model_fields["batch_size"].default)
_MEMORY = Path("/dev/shm")

NewDatabase = Callable[[], str]


class MeasuredPipeline(Pipeline):
    """The service's pipeline, which remembers its re-runs.

    Attributes:
        reruns: what was committed, in order.

    Args:
        database: empty, or of an earlier pipeline.
        scorer: in place of the model.
        policy: for every KOL.
        clock: moved by the benchmark.
    """

    def __init__(
        self, database: Database, *, scorer: Scorer, policy: Policy, clock: TestClock
    ) -> None:
        self._registry = CollectorRegistry()
        super().__init__(
            log=CommentLog(database),
            steps=StepStore(database),
            reruns=RerunStore(database),
            policies=PolicyStore(database),
            fault_store=FaultStore(database),
            replays=ReplayStore(database),
            snapshots=SnapshotLimits(),
            scorer=scorer,
            model_id="given",
            policy=policy,
            clock=clock,
            metrics=Metrics(self._registry, max_kols=100),
            written=Broadcast(),
            batch_size=BATCH_SIZE,
            idle_after=IDLE_AFTER,
        )
        self.reruns: list[RerunResult] = []

    async def commit_rerun(
        self, result: RerunResult, checkpoints: Sequence[Checkpoint], newest: NewestComment | None
    ) -> None:
        """Commit what a re-run came to, and remember it."""
        await super().commit_rerun(result, checkpoints, newest)
        self.reruns.append(result)

    def is_silence_due(self) -> bool:
        """Whether the silence of a KOL may change something by now."""
        return self.live.presences.is_due(self.now())

    async def process(self) -> None:
        """Do all that is to be done now."""
        while await self.step():
            pass

    @property
    def rerun_seconds(self) -> float:
        """The time that re-runs took so far, commits included."""
        stage = {"stage": "rerun"}
        return self._registry.get_sample_value("groundswell_stage_seconds_sum", stage) or 0.0


@contextmanager
def databases(*, durable: bool) -> Iterator[Mapping[str, NewDatabase]]:
    """Makers of empty databases, by name; without PostgreSQL where it is not installed.

    Args:
        durable: on disk, and acknowledged once they are; else in memory, which is faster.
    """
    folder = None if durable or not _MEMORY.is_dir() else _MEMORY
    with tempfile.TemporaryDirectory(prefix="groundswell-late-", dir=folder) as made:
        numbers = count()
        makers: dict[str, NewDatabase] = {
            "SQLite": lambda: _migrated(f"sqlite:///{made}/{next(numbers)}.db")
        }
        if postgres.PROGRAMS is None:
            yield makers
            return
        with postgres.serving(durable=durable) as server:
            makers["PostgreSQL"] = lambda: _migrated(server.url(server.create()))
            yield makers


def _migrated(url: str) -> str:
    Database(url).upgrade()
    return url
