"""An empty database, and alerts in it as the pipeline would write them."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from serving.clock import TestClock
from serving.storage.action_store import ActionStore
from serving.storage.database import Database
from serving.storage.pipeline_step import PipelineStep
from serving.storage.silence_store import SilenceStore
from serving.storage.step_store import StepStore
from serving.triage.actions import Action, ActionKind, ActionRequest
from tests.serving.conftest import NOW, NewUrl
from tests.serving.notify.conftest import transition


def action(
    kind: ActionKind, actor: str = "mai", *, at: datetime, seen_at: datetime, **more: object
) -> Action:
    return Action(0, "a1", ActionRequest(kind, actor, **more), at, seen_at)  # type: ignore[arg-type]


class TriageDesk:
    """The stores that people's work goes through, and alerts to work on."""

    def __init__(self, database: Database, clock: TestClock) -> None:
        self.database = database
        self.clock = clock
        self.actions = ActionStore(database)
        self.silences = SilenceStore(database)
        self.steps = StepStore(database)

    async def befall(self, reason: str = "opened", **change: object) -> None:
        """A transition of an alert; of a1 now unless told otherwise."""
        event = transition(reason, **{"at": self.clock.now()} | change)
        before = await self.steps.progress()
        await self.steps.commit(PipelineStep(seq=0, model="m", events=[event]), before)

    async def do(
        self, kind: ActionKind, actor: str = "mai", alert_id: str = "a1", **more: object
    ) -> Action:
        request = ActionRequest(kind, actor, **more)  # type: ignore[arg-type]
        done = await self.actions.record(alert_id, request, self.clock.now())
        assert done is not None
        return done


@pytest.fixture
async def desk(new_url: NewUrl) -> AsyncIterator[TriageDesk]:
    database = Database(new_url())
    yield TriageDesk(database, TestClock(NOW))
    await database.close()
