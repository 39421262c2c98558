"""Passes what a step took to the engine, KOL by KOL, and collects what it says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from monitoring.alerts import AlertEvent
from monitoring.checkpoints import Checkpoint
from monitoring.engine import Observation
from monitoring.events import ScoredComment
from monitoring.minute_score import MinuteScore
from serving.metrics import Metrics
from serving.pipeline.drivers import with_drivers
from serving.pipeline.faults import StepFaults, judging
from serving.pipeline.live_engine import LiveEngine
from serving.slices import Slices
from serving.storage.comment_log import CommentLog, LoggedComment
from serving.storage.pipeline_step import ChangedMinutes, IdleMark, add_minute


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the engine says of a part of the log.

    Attributes:
        events: alert events, in order.
        minute_scores: what the detectors computed for the minutes that were closed.
        checkpoints: states before some of them.
        changed: closed minutes that have changed, by their KOLs.
    """

    events: list[AlertEvent] = field(default_factory=list)
    minute_scores: list[MinuteScore] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    changed: dict[str, ChangedMinutes] = field(default_factory=dict)

    def add(self, observation: Observation, explained: Iterable[AlertEvent]) -> None:
        """Add what one call came to, with its events as they are written."""
        self.events.extend(explained)
        self.minute_scores.extend(observation.minute_scores)
        self.checkpoints.extend(observation.checkpoints)


class Judge:
    """Has the engine judge, without the KOLs that are held."""

    def __init__(self, log: CommentLog, faults: StepFaults, metrics: Metrics) -> None:
        self._log = log
        self._faults = faults
        self._metrics = metrics

    async def observe(
        self,
        live: LiveEngine,
        received: Sequence[LoggedComment],
        scored: Sequence[ScoredComment],
        seq: int,
    ) -> Judgement:
        """Take comments.

        Args:
            live: every KOL as the last step left it.
            received: the comments at their places in the log …
            scored: … and with their scores.
            seq: how far the log had been processed before.

        Raises:
            KolFailure: one failed in an unexpected way; the engine must be restored.
        """
        judgement, slices = Judgement(), Slices()
        for index, item in enumerate(scored):
            await slices.pause()
            kol_id, received_at = item.comment.kol_id, received[index].received_at
            live.presences.remember(
                kol_id, created_at=item.comment.created_at, received_at=received_at
            )
            if kol_id in self._faults.held:
                add_minute(judgement.changed, item.comment)
                continue
            with judging(kol_id):
                observation = live.engine.observe(item, received_at)
                found = await self._explained(live, observation, scored[: index + 1], seq)
            if observation.late:
                self._metrics.late.labels(self._metrics.kol(kol_id)).inc()
                add_minute(judgement.changed, item.comment)
            judgement.add(observation, found)
        return judgement

    async def be_silent(self, live: LiveEngine, marks: Sequence[IdleMark], seq: int) -> Judgement:
        """Take idle marks; as `observe`."""
        judgement, slices = Judgement(), Slices()
        for mark in marks:
            await slices.pause()
            with judging(mark.kol_id):
                observation = live.engine.silence(mark.kol_id, mark.reached)
                found = await self._explained(live, observation, [], seq)
            judgement.add(observation, found)
            live.presences.advanced(mark)
        return judgement

    def amend(self, live: LiveEngine, edited: Iterable[ScoredComment]) -> list[ChangedMinutes]:
        """Take the new texts of comments; returns the closed minutes that changed.

        Raises:
            KolFailure: one failed in an unexpected way; the engine must be restored.
        """
        changed: dict[str, ChangedMinutes] = {}
        for item in edited:
            held = item.comment.kol_id in self._faults.held
            with judging(item.comment.kol_id):
                amended = not held and live.engine.amend(item)
            if not amended:
                add_minute(changed, item.comment)
        return list(changed.values())

    async def _explained(
        self,
        live: LiveEngine,
        observation: Observation,
        ahead: Sequence[ScoredComment],
        seq: int,
    ) -> list[AlertEvent]:
        """Events with their drivers, under the ids under which their alerts are known."""
        return [
            replace(
                await with_drivers(event, self._log, committed_seq=seq, ahead=ahead),
                alert_id=live.known_id(event.alert_id),
            )
            for event in observation.events
        ]
