"""Checkpoints: the state of a KOL before a minute, from which later minutes can be judged again."""

from dataclasses import dataclass
from datetime import datetime

from monitoring.counting import CounterState
from monitoring.event_time import minute_of
from monitoring.kol_pipeline import KolPipeline
from monitoring.policy import Policy
from monitoring.snapshot import SnapshotState, decode, encode

SPACING = 6 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was known of a KOL before a minute.

    Attributes:
        kol_id: whose stream.
        minute: since 1970 UTC; no earlier one can be taken any more.
        snapshot: the state, packed.
    """

    kol_id: str
    minute: int
    snapshot: bytes


def checkpoint_before(pipeline: KolPipeline, start: datetime) -> Checkpoint | None:
    """The checkpoint before a window that starts at `start`.

    None unless it is the first window of its six hours, or if it is the KOL's first.
    """
    reached = pipeline.reached
    if reached is None or minute_of(start) // SPACING <= (reached - 1) // SPACING:
        return None
    snapshot = encode(pipeline.kol_id, SnapshotState(pipeline.state, CounterState()))
    return Checkpoint(pipeline.kol_id, reached, snapshot)


def resume(checkpoint: Checkpoint, policy: Policy) -> KolPipeline:
    """The pipeline as it was at a checkpoint, judged by `policy` from there on.

    Raises:
        SnapshotError: the snapshot is damaged, of another version or of another KOL.
    """
    state = decode(checkpoint.kol_id, checkpoint.snapshot).kol
    return KolPipeline(checkpoint.kol_id, policy, state)
