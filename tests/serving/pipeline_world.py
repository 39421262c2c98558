"""A pipeline on a database of its own, with a scorer that reads two words and a clock in hand."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import select

from model.errors import ModelError
from model.types import Prediction
from monitoring.policy import Policy
from serving.clock import TestClock
from serving.ingest.comment import parse_comment
from serving.metrics import Metrics
from serving.pipeline.broadcast import Broadcast
from serving.pipeline.pipeline import Pipeline
from serving.pipeline.snapshots import SnapshotLimits
from serving.storage.comment_log import CommentLog
from serving.storage.database import Database
from serving.storage.fault_store import FaultStore
from serving.storage.outbox import Outbox
from serving.storage.policy_store import PolicyStore
from serving.storage.replay_store import ReplayStore
from serving.storage.rerun_store import RerunStore
from serving.storage.step_store import StepStore
from serving.storage.tables import alert_events, alerts, minute_scores, minutes, scores


class StubScorer:
    """Reads two words; fails as often as it is configured to."""

    def __init__(self) -> None:
        self.failures = 0

    async def predict(self, texts: list[str]) -> list[Prediction]:
        if self.failures:
            self.failures -= 1
            raise ModelError("no")
        return [
            Prediction(0.9, 0.08, 0.02)
            if any(word in text for word in ("hate", "scam", "refund", "liar"))
            else Prediction(0.05, 0.15, 0.8)
            for text in texts
        ]


@dataclass
class PipelineWorld:
    """A database with a pipeline on it, and a clock in hand."""

    database: Database
    clock: TestClock
    scorer: StubScorer = field(default_factory=StubScorer)
    outbox: Outbox | None = None
    snapshots: SnapshotLimits = field(default_factory=SnapshotLimits)

    @property
    def log(self) -> CommentLog:
        return CommentLog(self.database)

    def pipeline(self, batch_size: int = 256) -> Pipeline:
        return Pipeline(
            log=self.log,
            steps=StepStore(self.database, self.outbox),
            reruns=RerunStore(self.database),
            replays=ReplayStore(self.database),
            policies=PolicyStore(self.database),
            fault_store=FaultStore(self.database),
            scorer=self.scorer,
            model_id="words",
            policy=Policy(),
            clock=self.clock,
            metrics=Metrics(CollectorRegistry(), max_kols=10),
            written=Broadcast(),
            batch_size=batch_size,
            idle_after=timedelta(seconds=30),
            snapshots=self.snapshots,
        )

    async def receive(self, items: list[dict[str, Any]]) -> None:
        comments = [parse_comment(item, now=self.clock.now()) for item in items]
        await self.log.append(comments, self.clock.now())

    async def derived(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that must come out the same."""
        async with self.database.read() as connection:
            return {
                table.name: [
                    tuple(row) for row in await connection.execute(select(table).order_by(*keys))
                ]
                for table, keys in (
                    (scores, [scores.c.seq]),
                    (minutes, [minutes.c.kol_id, minutes.c.start]),
                    (minute_scores, [minute_scores.c.kol_id, minute_scores.c.start]),
                    (alerts, [alerts.c.alert_id]),
                    (alert_events, [alert_events.c.event_id]),
                )
            }


async def process_all(pipeline: Pipeline) -> None:
    while await pipeline.step():
        pass
