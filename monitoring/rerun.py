"""Judges closed minutes of one KOL again, after comments that came late have changed them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.alerts import AlertEvent
from monitoring.checkpoints import Checkpoint, checkpoint_before, resume
from monitoring.event_time import minute_of
from monitoring.kol_pipeline import KolPipeline
from monitoring.minute_score import MinuteScore
from monitoring.policy import Policy
from monitoring.windows import WindowStats


@dataclass(frozen=True, slots=True)
class DatedPolicy:
    """A policy and the first minute, since 1970 UTC, that is judged by it."""

    from_minute: int
    policy: Policy


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """What the detectors make of one window.

    Attributes:
        events: alert events, in order.
        minute_score: the scores at the end of its minute.
        checkpoint: the state before it, if one is due.
    """

    events: list[AlertEvent]
    minute_score: MinuteScore
    checkpoint: Checkpoint | None


class Rerun:
    """Takes the windows of a KOL from a checkpoint on, as the engine would have taken them.

    Attributes:
        pipeline: the KOL's, up to the last window taken.

    Args:
        kol_id: whose stream.
        policies: what it was judged by, from when on; the first is in force from the beginning.
        checkpoint: where to begin; None begins with the KOL's first window.

    Raises:
        SnapshotError: the checkpoint cannot be read.
    """

    __slots__ = ("_lateness", "_later", "pipeline")

    def __init__(
        self, kol_id: str, policies: Sequence[DatedPolicy], checkpoint: Checkpoint | None
    ) -> None:
        policy, *later = policies
        self._later = later
        self._lateness = policy.policy.lateness  # the same in all of them
        if checkpoint is None:
            self.pipeline = KolPipeline(kol_id, policy.policy)
        else:
            while self._later and self._later[0].from_minute <= checkpoint.minute:
                policy = self._later.pop(0)
            self.pipeline = resume(checkpoint, policy.policy)

    def take(self, window: WindowStats) -> JudgedWindow:
        """Take the next window.

        Raises:
            OutOfOrderError: it is not after the last.
        """
        self._set_policy(minute_of(window.start))
        checkpoint = checkpoint_before(self.pipeline, window.start)
        events = self.pipeline.step(window)
        score = self.pipeline.minute_score(window)
        return JudgedWindow(events, score, checkpoint)

    def _set_policy(self, minute: int) -> None:
        while self._later and self._later[0].from_minute <= minute:
            self.pipeline.set_policy(self._later.pop(0).policy)

    def finish(self, closed_until: int, silent_until: datetime | None) -> list[AlertEvent]:
        """Every window has been taken: let the time pass that had passed without comments.

        Args:
            closed_until: the first minute that is not closed, since 1970 UTC.
            silent_until: up to when the KOL was declared silent; None if it never was.
        """
        self._set_policy(closed_until)
        if silent_until is None:
            return []
        return self.pipeline.be_silent(minute_of(silent_until - self._lateness))
