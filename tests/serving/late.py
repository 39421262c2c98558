"""Has a KOL judged again with a result that a test gives, as the pipeline would commit it."""

from datetime import UTC, datetime

from monitoring.alerts import AlertEvent
from monitoring.matching import compare
from serving.storage.database import Database
from serving.storage.pipeline_step import PipelineStep, RerunResult
from serving.storage.rerun_store import RerunStore
from serving.storage.step_store import StepStore

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


async def rederive(
    database: Database,
    steps: StepStore,
    *derived: AlertEvent,
    now: datetime,
    kol_id: str = "lena",
    seq: int = 1,
) -> None:
    """Commit a re-run that derives these events of a KOL, and no others.

    Args:
        database: that of the steps.
        steps: with or without an outbox.
        derived: all that happens to the KOL's alerts, as it is derived now.
        now: when the re-run found it, by the clock.
        kol_id: the KOL.
        seq: place of the last comment that was processed.
    """
    wanted = {event.alert_id for event in derived}
    stored = await RerunStore(database).timelines(kol_id, 0, wanted)
    alerts, ids = compare(stored, derived, {}, _EVER, now)
    result = RerunResult(kol_id, 0, -1, alerts, ids)
    await steps.commit(PipelineStep(seq=seq, model="m", rerun=result), await steps.progress())
